"""Pictures, and what else has its length in its first bytes: PNG, JPEG, GIF, WebP, WAV and AVI."""

from gmi_video._torn import MOST, At, Cut, Seen, Torn, number, whole

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_JPEG_END = b"\xff\xd9"
_PICTURE = b"\xff\xda"
_TAIL = 65_536
"""Bytes at the end of a JPEG in which its end is looked for: cameras and editors write their own behind it."""
_NO_FRAME = frozenset({0xC4, 0xC8, 0xCC})
"""Markers among C0 to CF that begin no frame (ITU-T T.81, table B.1)."""
_STREAMED = frozenset({0, 0x7FFFF024, 0x7FFFFFFF, 0xFFFFFFFF})
"""What stands for the length of a RIFF file whose writer could not go back."""


def is_png(first: bytes) -> bool:
    """Whether a file begins as PNG does."""
    return first.startswith(_PNG)


def is_jpeg(first: bytes) -> bool:
    """Whether a file begins as JPEG does."""
    return first.startswith(_JPEG)


def is_gif(first: bytes) -> bool:
    """Whether a file begins as GIF does."""
    return first[:6] in {b"GIF87a", b"GIF89a"}


def is_riff(first: bytes) -> bool:
    """Whether a file begins as WebP, WAV and AVI do."""
    return first[:4] == b"RIFF"


def read_png(at: At, size: int) -> Seen:
    """The size of a whole PNG; raises `Torn`."""
    place, picture = len(_PNG), (0, 0)
    for _ in range(MOST):
        told = whole(at, place, 8, "a chunk")
        length, kind = number(told[:4]), told[4:]
        if kind == b"IHDR":
            dimensions = whole(at, place + 8, 8, "its header")
            picture = (number(dimensions[:4]), number(dimensions[4:]))
        place += length + 12
        if place > size:
            message = (
                f"its chunk {kind.decode('latin-1')!r} goes on to byte {place:,}, and it ends at {size:,}"
            )
            raise Cut(message)
        if kind == b"IEND":
            return _pictured(picture)
    message = "it has too many chunks to be read"
    raise Torn(message)


def ended_jpeg(at: At, size: int) -> None:
    """Raises `Torn` for a JPEG that ends within its picture."""
    if _has_end(at, size) is False:
        message = "it ends within its picture"
        raise Cut(message)


def _has_end(at: At, size: int) -> bool | None:
    """Whether the end sign of a JPEG is there; None where its segments are odd, which is not for being cut.

    Within a picture its end sign stands nowhere else (ITU-T T.81, B.1.1.5). What phones and editors write behind it
    may be of any length, so it is looked for from the picture's beginning on.
    """
    place = 2
    for _ in range(MOST):
        marker = whole(at, place, 2, "a segment")
        if marker == b"\xff\xff":
            place += 1
            continue
        if marker[0] != 0xFF:
            return None
        place += 2 + number(whole(at, place + 2, 2, "a segment"))
        if marker == _PICTURE:
            break
    before = b""
    for start in range(place, size, _TAIL):
        read = before + at(start, _TAIL)
        if _JPEG_END in read:
            return True
        before = read[-1:]
    return False


def read_jpeg(at: At, size: int) -> Seen:
    """The size of a whole JPEG; raises `Torn`."""
    tail = at(max(0, size - _TAIL), _TAIL)
    ended = tail.rstrip(b"\0").endswith(_JPEG_END)
    if _JPEG_END not in tail and not _has_end(at, size):  # a phone may have put a clip behind it
        message = "its end is missing"
        raise Torn(message)
    place = 2
    for _ in range(MOST):
        marker = whole(at, place, 2, "a segment")
        if marker[0] != 0xFF:
            break
        if marker[1] == 0xFF:
            place += 1
            continue
        told = whole(at, place + 2, 7, "a segment")
        if 0xC0 <= marker[1] <= 0xCF and marker[1] not in _NO_FRAME:
            seen = _pictured((number(told[5:7]), number(told[3:5])))
            return Seen(sizes=seen.sizes, sure=ended)
        place += 2 + number(told[:2])
    message = "it holds no picture"
    raise Torn(message)


def read_gif(at: At, size: int) -> Seen:
    """The size of a whole GIF; raises `Torn`."""
    told = whole(at, 6, 4, "its header")
    if at(size - 1, 1) != b";":
        message = "its end is missing"
        raise Torn(message)
    seen = _pictured((int.from_bytes(told[:2], "little"), int.from_bytes(told[2:], "little")))
    return Seen(sizes=seen.sizes, sure=False)  # the sign of its end may stand anywhere within


def read_riff(at: At, size: int) -> Seen:
    """The size of a whole WebP, nothing of sound; raises `Torn`."""
    told = whole(at, 0, max(20, min(30, size)), "its header")
    length = int.from_bytes(told[4:8], "little")
    if length in _STREAMED:
        return Seen(sure=False)
    if length + 8 > size:
        message = f"it is to have {length + 8:,} bytes and has {size:,}"
        raise Torn(message)
    sizes = (_webp(told),) if told[8:12] == b"WEBP" else ()
    return _pictured(*sizes)


def _webp(told: bytes) -> tuple[int, int]:
    """From the three kinds of first chunk (RFC 9649)."""
    little = int.from_bytes
    match told[12:16]:
        case b"VP8 ":
            return little(told[26:28], "little") & 0x3FFF, little(told[28:30], "little") & 0x3FFF
        case b"VP8L":
            bits = little(told[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case _:
            return little(told[24:27], "little") + 1, little(told[27:30], "little") + 1


def _pictured(*sizes: tuple[int, int]) -> Seen:
    if not all(width and height for width, height in sizes):
        message = "its picture has no size"
        raise Torn(message)
    return Seen(sizes=sizes)
