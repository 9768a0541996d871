"""How long a clip or a sound lasts, by its own headers: a few small reads, nothing is decoded.

`read(offset, length)` gives bytes of the file, fewer at its end. What the headers do not tell is None: a limit is
held against what is known.
"""

import struct

from gmi_video._file_type import MP3, MP4, WAV, FileType
from gmi_video._fragments import Box, Read, boxes, fragmented, seconds_in
from gmi_video._mp3 import behind_tags, first_frame, frame_of

_CHUNKS = 1000
"""Boxes or chunks that are walked at most: a file may claim any number of empty ones."""
_STREAMED = frozenset({0, 0xFFFFFFFF})
"""What stands for the length of a sound whose writer could not go back."""
_WINDOW = 1 << 20
"""Bytes of a sound that are read at once."""
_JOINTS = 100
"""Places in an MP3 that was put together where what is no frame is passed over."""
_COUNTED = 600.0
"""Seconds of an MP3 that are counted frame by frame; the rest of a longer one is taken to be alike."""


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


def _mp3(read: Read, size: int) -> float | None:
    """By the number of frames where the first one tells it (Xing, VBRI), else by counting them."""
    found = first_frame(read, behind_tags(read))
    if found is None:
        return None
    start, frame = found
    count = _frames(read(start, 200))
    return count * frame.samples / frame.hertz if count is not None else _counted(read, start, size)


def _counted(read: Read, start: int, size: int) -> float | None:
    """The seconds of the frames: what stands between two of them, or behind the last, is no sound."""
    at, seconds, base, window, joints = start, 0.0, start, b"", 0
    while at + 4 <= size:
        if at + 4 > base + len(window):
            base, window = at, read(at, _WINDOW)
        frame = frame_of(window[at - base : at - base + 4])
        if frame is None:
            found, joints = first_frame(read, behind_tags(read, at)), joints + 1
            if found is None or joints > _JOINTS:
                break
            at, frame = found
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
