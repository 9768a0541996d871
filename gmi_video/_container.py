"""Whether a file is whole and is what it is said to be, by what its own container says. Values only."""

from collections.abc import Callable

from gmi_video._file_type import seen_as
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
_BEFORE = bytes(_CONTROL) + b"\t\n\f\r \xef\xbb\xbf"
"""What may stand before a page: space, the mark of UTF-8, and what strays in."""
_PAGES = (b"<!doctype", b"<html", b"<head", b"<body")
"""How a page begins, whatever odd byte it holds further on."""
_WIDE = {
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
    **{sign.encode(coding): coding for coding in ("utf-16-le", "utf-16-be") for sign in "<{["},
}
"""How text of two bytes a sign begins (Unicode 15, 23.8), and pages and JSON without that mark."""
_OTHERS = (b"FLV\x01", b"OggS", b"\x30\x26\xb2\x75", b"\0\0\1\xba", b"\0\0\1\xb3")
"""Videos that are not read here: Flash, Ogg, Windows Media, MPEG-1 and -2."""
_PACKET = 188
"""Bytes of a packet of an MPEG transport stream, each of which begins with `G` (ISO/IEC 13818-1, 2.4.3.2)."""
_NO_MEDIA = {
    b"\x1f\x8b": "something packed by gzip",
    b"\x28\xb5\x2f\xfd": "something packed by zstd",
    b"PK\x03\x04": "a ZIP archive",
    b"%PDF-": "a PDF document",
    b"\x7fELF": "a program",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
}


def is_text(first: bytes) -> bool:
    """Whether a file that begins so is a page or a message: no picture, video or sound begins with words alone."""
    coding, looked = _WIDE.get(first[:2]), first[:LOOKED]
    if looked.lstrip(_BEFORE).lower().startswith(_PAGES):
        return True
    if coding is not None:
        words = looked[: len(looked) // 2 * 2].decode(coding, "replace")
        return "\ufffd" not in words[:-1] and _CONTROL.isdisjoint(map(ord, words))
    return bool(first) and _CONTROL.isdisjoint(looked)


def _foreign(first: bytes, kind: MediaKind) -> str | None:
    """What a file is that nobody here can read, where it cannot be the media that was promised."""
    if not first.strip(b"\0"):
        return "nothing but noughts"
    named = next((words for sign, words in _NO_MEDIA.items() if first.startswith(sign)), None)
    if named is not None or kind != "video" or _sounds(first):
        return named
    transport = first[:1] == first[_PACKET : _PACKET + 1] == b"G"
    return None if transport or first.startswith(_OTHERS) else "nothing that begins as videos do"


def _sounds(first: bytes) -> bool:
    """Whether it begins as a sound: what lies behind a link that says nothing of it is taken for a video, and may be one."""
    seen = seen_as(first)
    return seen is not None and seen.kind == "audio"


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
    foreign = _foreign(first, kind) if reader is None else None
    if foreign is not None:
        message = f"it is {foreign}"
        raise Torn(message)
    seen = reader(at, size) if reader else Seen(sure=False)
    if not (measured or seen.sure):
        raise Torn("nothing proves that it is whole: no length, no checksum, and no end of its own")
    if (
        kind == "video"
        and reader in {read_mp4, read_webm}
        and not (seen.sizes or is_still(first) or _sounds(first))
    ):
        raise Torn("it has no video track")
    if stated is not None and seen.sizes and not {stated, stated[::-1]} & set(seen.sizes):
        width, height = seen.sizes[0]
        raise Torn(f"its picture is {width} × {height}, and {stated[0]} × {stated[1]} was stated")
