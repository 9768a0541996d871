"""The size of a picture, read from its first bytes without decoding it."""

import base64
import binascii
import re

from attrs import frozen

HEAD = 262_144
"""Bytes that hold the size: a JPEG may carry its thumbnail and profile before its frame header."""

_INLINE = re.compile(r"data:image/[\w.+-]+;base64,", re.IGNORECASE)
_PNG = b"\x89PNG\r\n\x1a\n"
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""JPEG markers that begin a frame header, which holds the size (ITU T.81, table B.1)."""


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
    try:
        head = base64.b64decode(body[: min(HEAD, len(body) // 4 * 4)])
    except (binascii.Error, ValueError):
        return None
    found = sides(head)
    if start is None and found is None:
        return None
    width, height = found or (None, None)
    return Picture(len(body) * 3 // 4, width, height)


def sides(head: bytes) -> tuple[int, int] | None:
    """Width and height by the header of a PNG, JPEG or WebP; None for anything else, or a header cut short."""
    return _png(head) or _jpeg(head) or _webp(head)


def _is_base64(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", text) is not None


def _png(head: bytes) -> tuple[int, int] | None:
    if not head.startswith(_PNG) or len(head) < 24:
        return None
    return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])


def _jpeg(head: bytes) -> tuple[int, int] | None:
    at = 2
    if not head.startswith(b"\xff\xd8"):
        return None
    while at + 9 <= len(head) and head[at] == 0xFF:
        marker, length = head[at + 1], int.from_bytes(head[at + 2 : at + 4])
        if marker == 0xFF:  # a fill byte, of which any number may stand before a marker (T.81, B.1.1.2)
            at += 1
            continue
        if marker in _FRAMES:
            return int.from_bytes(head[at + 7 : at + 9]), int.from_bytes(head[at + 5 : at + 7])
        at += 2 + length
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
