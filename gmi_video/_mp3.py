"""MPEG audio of layer III: its tags, and the frames behind them (ISO 11172-3 and 13818-3, 2.4; ID3v2.4, 3). Pure."""

from collections.abc import Callable

from attrs import frozen

Read = Callable[[int, int], bytes]

_TAGS = 1000
"""Tags that are passed over at most: a file may claim any number of empty ones."""
PADDING = 1 << 16
"""Bytes between a tag and the first frame that are searched for it."""
_RATES = (44_100, 48_000, 32_000)
_KILOBITS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KILOBITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
"""Bit rates in MPEG 1, and in MPEG 2 and 2.5."""


@frozen
class Frame:
    """What a frame's header says: its bytes, its samples, and their rate."""

    length: int
    samples: int
    hertz: int


def frame_of(head: bytes) -> Frame | None:
    """The frame that begins there, None where none does; one of free format tells no length."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return None
    version, rate, bits = head[1] >> 3 & 3, head[2] >> 2 & 3, head[2] >> 4
    if version == 1 or rate == 3 or bits in {0, 15}:
        return None
    hertz = _RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    samples = 1152 if version == 3 else 576
    kilobits = (_KILOBITS if version == 3 else _KILOBITS_2)[bits]
    return Frame(samples * kilobits * 125 // hertz + (head[2] >> 1 & 1), samples, hertz)


def behind_tags(read: Read, at: int = 0) -> int:
    """Where the sound goes on: behind any number of ID3v2 tags, of which each may have a footer."""
    for _ in range(_TAGS):
        tag = read(at, 10)
        if not tag.startswith(b"ID3") or len(tag) < 10:
            break
        at += 10 + _syncsafe(tag[6:10]) + (10 if tag[5] & 0x10 else 0)
    return at


def first_frame(read: Read, start: int) -> tuple[int, Frame] | None:
    """The first frame from `start` on, and its place: another one follows it, or it stands right there."""
    room = read(start, PADDING)
    at = room.find(b"\xff")
    while at >= 0:
        frame = frame_of(room[at : at + 4])
        if frame is not None and (at == 0 or frame_of(read(start + at + frame.length, 4))):
            return start + at, frame
        at = room.find(b"\xff", at + 1)
    return None


def _syncsafe(four: bytes) -> int:
    """A number of ID3v2: seven bits a byte."""
    number = 0
    for byte in four:
        number = number << 7 | byte & 0x7F
    return number
