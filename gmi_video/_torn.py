"""What the readers of containers share: how bytes are looked at, what they report, and how they object."""

from collections.abc import Callable

from attrs import frozen

At = Callable[[int, int], bytes]
"""The bytes at an offset, at most so many; fewer only at the end of the file."""

MOST = 200_000
"""Boxes or elements of one file that are looked at; no file of minutes has as many."""


class Torn(ValueError):
    """The file is not whole, or is not what it says; the text is the reason."""


class Cut(Torn):
    """It ends before its own container does, whatever else is wrong with it."""


@frozen(kw_only=True)
class Seen:
    """A container that is complete. `sizes` are the pictures' sizes, one per video track or image.

    `sure` says that the container itself proves its end, so that no length needs to be told.
    """

    sizes: tuple[tuple[int, int], ...] = ()
    sure: bool = True


def number(told: bytes) -> int:
    """An unsigned number, the highest byte first."""
    return int.from_bytes(told, "big")


def whole(at: At, place: int, count: int, what: str) -> bytes:
    """Exactly so many bytes; raises `Torn` where the file ends before."""
    told = at(place, count)
    if len(told) < count:
        message = f"it ends within {what}"
        raise Cut(message)
    return told
