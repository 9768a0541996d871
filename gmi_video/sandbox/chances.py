"""`Faults`: which calls of a run meet a fault, by seed or by number, and the drawing of it. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import accumulate
from random import Random
from typing import Any, TypeAlias

from attrs import Attribute, define, field, fields, frozen

from gmi_video.sandbox.faults import NAMED, Fault, Garbage, HangUp, Refuse, Silence

Shares: TypeAlias = Mapping[Any, float]
"""By fault, or its name; Any because a mapping's keys are invariant, and nobody writes down such a type."""
Numbered: TypeAlias = Mapping[str, Mapping[int, Fault | str]]
_Drawn: TypeAlias = tuple[tuple[Fault, float], ...]


def _fault(named: Fault | str) -> Fault:
    if not isinstance(named, str):
        return named
    if named not in NAMED:
        raise ValueError(f"there is no fault {named!r}; there are {', '.join(NAMED)}")
    return NAMED[named]


def _shares(shares: Shares | tuple[()]) -> _Drawn:
    if not shares:
        return ()
    bounds = accumulate(shares.values())
    return tuple((_fault(named), bound) for named, bound in zip(shares, bounds, strict=True))


def _numbered(numbered: Numbered) -> Mapping[str, Mapping[int, Fault]]:
    return {
        operation: {number: _fault(named) for number, named in calls.items()}
        for operation, calls in numbered.items()
    }


def _at_most_all(_: object, attribute: "Attribute[_Drawn]", drawn: _Drawn) -> None:
    bounds = [0.0, *(bound for _, bound in drawn)]
    if bounds != sorted(bounds) or bounds[-1] > 1 + 1e-9:
        raise ValueError(f"the shares of {attribute.name!r} are numbers from 0 on that add up to at most 1")


def _before_all(fault: Fault) -> bool:
    return isinstance(fault, Refuse | Silence | Garbage) or (
        isinstance(fault, HangUp) and fault.of == "request"
    )


def _of_connections(_: object, attribute: "Attribute[_Drawn]", drawn: _Drawn) -> None:
    _at_most_all(_, attribute, drawn)
    _possible(fault for fault, _ in drawn)


def _possible(faults: Iterable[Fault]) -> None:
    wrong = [fault for fault in faults if not _before_all(fault)]
    if wrong:
        raise ValueError(f"{wrong[0]} cannot happen to a connection before its first call")


def _known(_: object, __: object, numbered: Mapping[str, Mapping[int, Fault]]) -> None:
    unknown = sorted(set(numbered) - set(_OPERATIONS))
    if unknown:
        raise ValueError(f"nth names {', '.join(unknown)}; there are {', '.join(_OPERATIONS)}")
    if any(number < 1 for calls in numbered.values() for number in calls):
        raise ValueError("nth counts the calls of an operation from 1 on")
    _possible(numbered.get("connect", {}).values())


@frozen(kw_only=True)
class Faults:
    """The share of an operation's calls that meets each fault, by seed; and the fault of the n-th call.

    `Faults(submit={"drop_after_accept": 0.1, Edge(status=504): 0.05}, nth={"look": {3: "truncate"}}, seed=7)`.
    A fault is a value or its name. Each operation draws from its own generator, once per call, so what one
    operation meets does not depend on the others, and a named call shifts nobody's draw. `connect` is drawn
    per connection to the API, before anything is known of its calls: only a `Refuse`, a `HangUp` of the
    request (after that many bytes, head included), a `Silence` or a `Garbage` can happen there, and nothing
    is ever accepted on such a connection.

    Raises:
        ValueError: the shares of an operation exceed 1, a name is not known, or a fault cannot happen there.
    """

    connect: _Drawn = field(default=(), converter=_shares, validator=_of_connections)
    models: _Drawn = field(default=(), converter=_shares, validator=_at_most_all)
    model: _Drawn = field(default=(), converter=_shares, validator=_at_most_all)
    submit: _Drawn = field(default=(), converter=_shares, validator=_at_most_all)
    look: _Drawn = field(default=(), converter=_shares, validator=_at_most_all)
    list: _Drawn = field(default=(), converter=_shares, validator=_at_most_all)
    upload: _Drawn = field(default=(), converter=_shares, validator=_at_most_all)
    put: _Drawn = field(default=(), converter=_shares, validator=_at_most_all)
    media: _Drawn = field(default=(), converter=_shares, validator=_at_most_all)
    result: _Drawn = field(default=(), converter=_shares, validator=_at_most_all)
    login: _Drawn = field(default=(), converter=_shares, validator=_at_most_all)
    refresh: _Drawn = field(default=(), converter=_shares, validator=_at_most_all)
    profile: _Drawn = field(default=(), converter=_shares, validator=_at_most_all)
    nth: Mapping[str, Mapping[int, Fault]] = field(factory=dict, converter=_numbered, validator=_known)
    seed: int = 0


_OPERATIONS = tuple(a.name for a in fields(Faults) if a.name not in {"nth", "seed"})
NONE = Faults()
"""No faults at all."""


@define
class Dice:
    """The draws of one run."""

    faults: Faults
    _rngs: dict[str, Random] = field(init=False, factory=dict)
    _calls: "Counter[str]" = field(init=False, factory=Counter)

    def next(self, operation: str) -> Fault | None:
        """The fault of this call, None for a healthy one; to be asked once per call."""
        shares: _Drawn = getattr(self.faults, operation, ())
        numbered = self.faults.nth.get(operation)
        if not shares and not numbered:
            return None
        self._calls[operation] += 1
        drawn = self._draw(operation, shares) if shares else None
        return (numbered or {}).get(self._calls[operation], drawn)

    def _draw(self, operation: str, shares: _Drawn) -> Fault | None:
        rng = self._rngs.get(operation)
        if rng is None:
            rng = self._rngs[operation] = Random(f"{self.faults.seed} {operation}")
        drawn = rng.random()
        return next((fault for fault, bound in shares if drawn < bound), None)
