"""How long a clip or a sound lasts, by its own headers: a few small reads, nothing is decoded.

`read(offset, length)` gives bytes of the file, fewer at its end. What the headers do not tell is None: a limit is
held against what is known.
"""

import struct
from collections.abc import Callable

from gmi_video._file_type import MP3, MP4, WAV, FileType

Read = Callable[[int, int], bytes]

_CHUNKS = 1000
"""Boxes or chunks that are walked at most: a file may claim any number of empty ones."""
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
            return min(length, size - at - 8) / rate if rate else None
        at += 8 + length + length % 2
    return None


def _mp4(read: Read, size: int) -> float | None:
    movie = _box(read, 0, size, b"moov")
    header = _box(read, *movie, b"mvhd") if movie else None
    if header is None:
        return None
    body = read(header[0], 32)
    scale, duration = struct.unpack(">IQ" if body[0] else ">II", body[20:32] if body[0] else body[12:20])
    unknown = (1 << (64 if body[0] else 32)) - 1
    return duration / scale if scale and duration not in (0, unknown) else None


def _box(read: Read, at: int, end: int, wanted: bytes) -> tuple[int, int] | None:
    """Where the body of the first box of that name begins and ends, between two places."""
    for _ in range(_CHUNKS):
        head = read(at, 16)
        if at >= end or len(head) < 8:
            return None
        length, name = struct.unpack(">I4s", head[:8])
        begins = at + 8
        if length == 1:
            (length,), begins = struct.unpack(">Q", head[8:16]), at + 16
        ends = end if length == 0 else at + length
        if ends < begins:
            return None
        if name == wanted:
            return begins, min(ends, end)
        at = ends
    return None


def _mp3(read: Read, size: int) -> float | None:
    """By the number of frames where the first one tells it (Xing, VBRI), else by the rate of the first frame."""
    tag = read(0, 10)
    start = 10 + _syncsafe(tag[6:10]) if tag.startswith(b"ID3") else 0
    frame = read(start, 200)
    if len(frame) < 4 or frame[0] != 0xFF or frame[1] & 0xE6 != 0xE2:
        return None
    version, rate, bits = frame[1] >> 3 & 3, frame[2] >> 2 & 3, frame[2] >> 4
    if version == 1 or rate == 3 or bits == 15:
        return None
    hertz = _RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    count = _frames(frame)
    if count is not None:
        return count * (1152 if version == 3 else 576) / hertz
    kilobits = (_KILOBITS if version == 3 else _KILOBITS_2)[bits]
    return (size - start) / (kilobits * 125) if kilobits else None


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
