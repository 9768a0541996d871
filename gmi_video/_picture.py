"""The size of a picture, read from its headers without decoding it."""

import base64
import binascii
import re
from collections.abc import Callable

from attrs import frozen

At = Callable[[int, int], bytes]
"""Bytes of a picture: from where, and how many; fewer at its end."""

SEGMENTS = 10_000
"""Segments of a JPEG that are passed over at most: thumbnail and profile may stand before its frame header, in any number."""
_INLINE = re.compile(r"data:image/[\w.+-]+;base64,", re.IGNORECASE)
_PNG = b"\x89PNG\r\n\x1a\n"
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""JPEG markers that begin a frame header, which holds the size (ITU T.81, table B.1)."""
_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
"""JPEG markers behind which no length stands (the same table)."""
_LAST = frozenset({0xD9, 0xDA})
"""The end, and the beginning of the picture itself: no frame header comes behind these."""


@frozen
class Picture:
    """An inline picture: its bytes, and width and height in pixels where its format is known to us."""

    size: int
    width: int | None = None
    height: int | None = None


def picture_of(text: str) -> Picture | None:
    """The picture that a `data:` URL or bare base64 holds; None where `text` is a link or something else."""
    start = _INLINE.match(text)
    body = text[start.end() :] if start else text
    if start is None and (len(text) < 64 or "://" in text[:64] or not _is_base64(text[:64])):
        return None
    if len(body[:256].split()) > 1:
        body = "".join(body.split())
    try:
        base64.b64decode(body[: min(256, len(body) // 4 * 4)])
        found = sides(lambda place, length: _decoded(body, place, length))
    except (binascii.Error, ValueError):
        return None
    if start is None and found is None:
        return None
    width, height = found or (None, None)
    size = len(body) * 3 // 4 - (len(body) - len(body.rstrip("=")))
    return Picture(size, width, height)


def sides(at: At) -> tuple[int, int] | None:
    """Width and height by the header of a PNG, JPEG or WebP; None for anything else, or a header cut short."""
    head = at(0, 30)
    return _png(head) or (_jpeg(at) if head.startswith(b"\xff\xd8") else _webp(head))


def _decoded(body: str, place: int, length: int) -> bytes:
    """Some of the bytes that base64 holds, without the rest of them."""
    first, last = place // 3 * 4, min((place + length + 2) // 3 * 4, len(body) // 4 * 4)
    return base64.b64decode(body[first:last])[place % 3 :][:length]


def _is_base64(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", text) is not None


def _png(head: bytes) -> tuple[int, int] | None:
    if not head.startswith(_PNG) or len(head) < 24:
        return None
    return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])


def _jpeg(at: At) -> tuple[int, int] | None:
    place = 2
    for _ in range(SEGMENTS):
        told = at(place, 9)
        if len(told) < 4 or told[0] != 0xFF or told[1] in _LAST:
            return None
        if told[1] == 0xFF:  # a fill byte, of which any number may stand before a marker (T.81, B.1.1.2)
            place += 1
        elif told[1] in _BARE:
            place += 2
        elif told[1] in _FRAMES:
            return (int.from_bytes(told[7:9]), int.from_bytes(told[5:7])) if len(told) == 9 else None
        else:
            place += 2 + max(2, int.from_bytes(told[2:4]))
    return None


def _webp(head: bytes) -> tuple[int, int] | None:
    """The three layouts of WebP (RFC 9649, 2.5 to 2.7): lossy, lossless, and extended with a canvas."""
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP" or len(head) < 30:
        return None
    layout, body = head[12:16], head[20:30]
    if layout == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    if layout == b"VP8L" and body[0] == 0x2F:
        packed = int.from_bytes(body[1:5], "little")
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    if layout == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    return None
