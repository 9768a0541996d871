"""What a line brings home: figures with their targets, and the arithmetic that makes them from samples."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import median
from typing import Literal

from attrs import asdict, field, frozen

Verdict = Literal["reached", "MISSED", "not to be had", ""]
Effort = Literal["whole", "quick"]
"""How much is measured: enough to publish, or few rounds, to see that a line runs at all."""


@frozen(kw_only=True)
class Figure:
    """One row of the table. `value` is the median of `samples`, None where it could not be had.

    `target` is the most that `value` may be (the least, where `more_is_better`); None where none is set.
    """

    what: str
    value: float | None
    unit: str
    against: str = ""
    target: float | None = None
    more_is_better: bool = False
    samples: tuple[float, ...] = field(default=(), repr=False)
    note: str = ""

    @property
    def verdict(self) -> Verdict:
        """Whether the target was reached; empty where there is none."""
        if self.value is None:
            return "not to be had"
        if self.target is None:
            return ""
        reached = self.value >= self.target if self.more_is_better else self.value <= self.target
        return "reached" if reached else "MISSED"

    def as_dict(self) -> dict[str, object]:
        """The figure for JSON, its verdict included."""
        return asdict(self) | {"verdict": self.verdict}


@frozen(kw_only=True)
class Line:
    """One line of the specification: its number, its name on the command line, and what yields its figures."""

    number: int
    name: str
    what: str
    measure: Callable[[Effort], Iterable[Figure]]


def turns(sides: Sequence[str], rounds: int) -> Iterator[str]:
    """The sides in turn, A B A B …, so that a slow minute of the machine meets both."""
    for _ in range(rounds):
        yield from sides


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, ...]:
    """Our sample over theirs, round by round."""
    return tuple(mine / other for mine, other in zip(ours, theirs, strict=True))


def ratio(
    what: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    *,
    against: str,
    target: float | None = None,
    more_is_better: bool = False,
    note: str = "",
) -> Figure:
    """The median of the rounds' ratios as a figure; the note tells its spread and the medians of both sides."""
    samples = ratios(ours, theirs)
    spread = (
        f"{median(ours):.1f} against {median(theirs):.1f} µs; "
        f"{min(samples):.2f} to {max(samples):.2f} in {len(samples)} rounds"
    )
    return Figure(
        what=what,
        value=median(samples),
        unit="×",
        against=against,
        target=target,
        more_is_better=more_is_better,
        samples=samples,
        note=f"{note}; {spread}" if note else spread,
    )
