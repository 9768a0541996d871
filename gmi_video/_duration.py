"""How long a clip or a sound lasts, by its own headers: a few small reads, nothing is decoded.

`read(offset, length)` gives bytes of the file, fewer at its end. What the headers do not tell is None: a limit is
held against what is known.
"""

import struct

from attrs import frozen

from gmi_video._file_type import MP3, MP4, WAV, FileType
from gmi_video._fragments import Box, Read, boxes, fragmented, seconds_in

_CHUNKS = 1000
"""Boxes or chunks that are walked at most: a file may claim any number of empty ones."""
_STREAMED = frozenset({0, 0xFFFFFFFF})
"""What stands for the length of a sound whose writer could not go back."""
_WINDOW = 1 << 20
"""Bytes of a sound that are read at once."""
_PADDING = 1 << 16
"""Bytes between a tag and the first frame that are searched for it."""
_COUNTED = 600.0
"""Seconds of an MP3 that are counted frame by frame; the rest of a longer one is taken to be alike."""
_RATES = (44_100, 48_000, 32_000)
_KILOBITS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KILOBITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
"""Bit rates of layer III in MPEG 1, and in MPEG 2 and 2.5 (ISO 11172-3 and 13818-3, 2.4.2.3)."""


def seconds_of(kind: FileType, read: Read, size: int) -> float | None:
    """The length in seconds; None for a picture, and where the headers do not tell."""
    reader = {MP4: _mp4, WAV: _wav, MP3: _mp3}.get(kind)
    try:
        return reader(read, size) if reader is not None else None
    except struct.error:  # cut short
        return None


def _wav(read: Read, size: int) -> float | None:
    at, rate = 12, 0
    for _ in range(_CHUNKS):
        head = read(at, 8)
        if len(head) < 8:
            return None
        name, length = struct.unpack("<4sI", head)
        if name == b"fmt ":
            (rate,) = struct.unpack("<I", read(at + 16, 4))  # bytes a second
        elif name == b"data":
            rest = size - at - 8
            return (rest if length in _STREAMED else min(length, rest)) / rate if rate else None
        at += 8 + length + length % 2
    return None


def _mp4(read: Read, size: int) -> float | None:
    movie = _box(read, 0, size, b"moov")
    header = _box(read, *movie[1:], b"mvhd") if movie else None
    if movie is None or header is None:
        return None
    if fragmented(read, movie):
        return seconds_in(read, size, movie)
    body = read(header[1], 32)
    scale, duration = struct.unpack(">IQ" if body[0] else ">II", body[20:32] if body[0] else body[12:20])
    unknown = (1 << (64 if body[0] else 32)) - 1
    return duration / scale if scale and duration not in (0, unknown) else None


def _box(read: Read, at: int, end: int, wanted: bytes) -> Box | None:
    """The first box of that name between two places."""
    return next((box for box in boxes(read, at, end, _CHUNKS) if box[0] == wanted), None)


@frozen
class _Frame:
    """What the header of a frame of layer III says (ISO 11172-3, 2.4.1.3): its bytes, its samples, and their rate."""

    length: int
    samples: int
    hertz: int


def _frame(head: bytes) -> _Frame | None:
    """The frame that begins there, None where none does; one of free format tells no length."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return None
    version, rate, bits = head[1] >> 3 & 3, head[2] >> 2 & 3, head[2] >> 4
    if version == 1 or rate == 3 or bits in {0, 15}:
        return None
    hertz = _RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    samples = 1152 if version == 3 else 576
    kilobits = (_KILOBITS if version == 3 else _KILOBITS_2)[bits]
    return _Frame(samples * kilobits * 125 // hertz + (head[2] >> 1 & 1), samples, hertz)


def _mp3(read: Read, size: int) -> float | None:
    """By the number of frames where the first one tells it (Xing, VBRI), else by counting them."""
    start = _behind_tags(read)
    room = read(start, _PADDING)
    for at in range(max(0, len(room) - 3)):
        frame = _frame(room[at : at + 4]) if room[at] == 0xFF else None
        if frame is not None and (_frame(read(start + at + frame.length, 4)) or at == 0):
            count = _frames(room[at : at + 200])
            if count is not None:
                return count * frame.samples / frame.hertz
            return _counted(read, start + at, size)
    return None


def _behind_tags(read: Read) -> int:
    """Where the sound begins: behind any number of ID3v2 tags, of which each may have a footer (ID3v2.4, 3.4)."""
    at = 0
    for _ in range(_CHUNKS):
        tag = read(at, 10)
        if not tag.startswith(b"ID3") or len(tag) < 10:
            break
        at += 10 + _syncsafe(tag[6:10]) + (10 if tag[5] & 0x10 else 0)
    return at


def _counted(read: Read, start: int, size: int) -> float | None:
    """The seconds of the frames that follow each other: what stands behind the last of them is no sound."""
    at, seconds, base, window = start, 0.0, start, b""
    while at + 4 <= size:
        if at + 4 > base + len(window):
            base, window = at, read(at, _WINDOW)
        frame = _frame(window[at - base : at - base + 4])
        if frame is None:
            break
        at += frame.length
        seconds += frame.samples / frame.hertz
        if seconds > _COUNTED:
            return seconds * (size - start) / (at - start)
    return seconds or None


def _frames(frame: bytes) -> int | None:
    """The number of frames that an encoder wrote into the first one."""
    for name in (b"Xing", b"Info"):
        at = frame.find(name)
        if at > 0 and frame[at + 7] & 1:
            return int(struct.unpack(">I", frame[at + 8 : at + 12])[0])
    at = frame.find(b"VBRI")
    return int(struct.unpack(">I", frame[at + 14 : at + 18])[0]) if at > 0 else None


def _syncsafe(four: bytes) -> int:
    """A number of ID3v2: seven bits a byte."""
    number = 0
    for byte in four:
        number = number << 7 | byte & 0x7F
    return number
