"""What typed payload classes are made with: validators that a module of `gmi-video stubs` uses.

Every one of them lets None through, which says that a parameter is not sent; values are never changed.
"""

from collections.abc import Callable, Sequence
from typing import Any, get_args

from attrs import Attribute

Validator = Callable[[Any, "Attribute[Any]", Any], None]


def _refused(owner: object, name: str, value: object, wanted: str) -> ValueError:
    text = repr(value)
    return ValueError(
        f"{type(owner).__name__}.{name} is {text if len(text) <= 60 else '…'}; {wanted} is wanted"
    )


def one_of(options: object) -> Validator:
    """One of a `Literal`'s values, or of a sequence of them, of the very type: 5 is not "5", and 1 is not True."""
    known = tuple(options) if isinstance(options, Sequence) else get_args(options)

    def check(owner: object, attribute: "Attribute[Any]", value: object) -> None:
        if value is not None and not any(value == other and type(value) is type(other) for other in known):
            raise _refused(owner, attribute.name, value, ", ".join(map(repr, known)))

    return check


def between(low: float | None, high: float | None, *, whole: bool = False) -> Validator:
    """A number from `low` to `high`, None for no bound; where it is to be `whole`, an int."""
    kinds = int if whole else (int, float)
    span = f"at least {low}" if high is None else f"at most {high}" if low is None else f"{low} to {high}"
    wanted = f"{'a whole number' if whole else 'a number'}, {span},"

    def check(owner: object, attribute: "Attribute[Any]", value: Any) -> None:
        if value is None:
            return
        fits = isinstance(value, kinds) and not isinstance(value, bool)
        if not fits or not ((low is None or value >= low) and (high is None or value <= high)):
            raise _refused(owner, attribute.name, value, wanted)

    return check


def at_most(length: int) -> Validator:
    """A text or a list of at most `length` characters or items."""

    def check(owner: object, attribute: "Attribute[Any]", value: Any) -> None:
        if value is not None and hasattr(value, "__len__") and len(value) > length:
            raise _refused(owner, attribute.name, f"{len(value)} long", f"a length of at most {length}")

    return check
