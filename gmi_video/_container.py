"""Whether a file is whole and is what it is said to be, by what its own container says. Values only."""

from collections.abc import Callable

from gmi_video._mp4 import is_mp4, is_still, read_mp4
from gmi_video._stills import is_gif, is_jpeg, is_png, is_riff, read_gif, read_jpeg, read_png, read_riff
from gmi_video._torn import At, Seen, Torn
from gmi_video._webm import is_webm, read_webm
from gmi_video.records import MediaKind

LOOKED = 512
"""Bytes at the beginning by which a file is known."""

_READERS: tuple[tuple[Callable[[bytes], bool], Callable[[At, int], Seen]], ...] = (
    (is_mp4, read_mp4),
    (is_webm, read_webm),
    (is_png, read_png),
    (is_jpeg, read_jpeg),
    (is_gif, read_gif),
    (is_riff, read_riff),
)
_CONTROL = frozenset({*range(0x20), 0x7F} - {0x09, 0x0A, 0x0C, 0x0D})
"""Bytes that stand in no text of any alphabet, and within a few bytes of the beginning of all media."""


def is_text(first: bytes) -> bool:
    """Whether a file that begins so is a page or a message: no picture, video or sound begins with words alone."""
    return bool(first) and _CONTROL.isdisjoint(first[:LOOKED])


def examine(
    at: At, size: int, *, kind: MediaKind, measured: bool, stated: tuple[int, int] | None = None
) -> None:
    """Raises `Torn` where a file is not whole, or not what it should be.

    `measured` says that its length or its checksum was told and is right; where it was not, its container has
    to prove its end. `stated` is the size of the picture, where somebody said so; turned by a quarter it
    counts as well, for a phone's video is turned by its player.
    """
    first = at(0, LOOKED)
    if not size:
        raise Torn("it is empty")
    if is_text(first):
        raise Torn("it is a page or a message, and no media at all")
    reader = next((reader for known, reader in _READERS if known(first)), None)
    seen = reader(at, size) if reader else Seen(sure=False)
    if not (measured or seen.sure):
        raise Torn("nothing proves that it is whole: no length, no checksum, and no end of its own")
    if kind == "video" and reader in {read_mp4, read_webm} and not seen.sizes and not is_still(first):
        raise Torn("it has no video track")
    if stated is not None and seen.sizes and not {stated, stated[::-1]} & set(seen.sizes):
        width, height = seen.sizes[0]
        raise Torn(f"its picture is {width} × {height}, and {stated[0]} × {stated[1]} was stated")
