"""How long a fragmented MP4 lasts (ISO/IEC 14496-12, 8.8): its movie header tells of its beginning only. Pure.

Each fragment says where on its track's time line it begins, and how long its samples are.
"""

from collections.abc import Callable, Iterator
from struct import unpack

from attrs import define

Read = Callable[[int, int], bytes]
Box = tuple[bytes, int, int]
"""A box's name, and where its content begins and ends."""

MOST = 100_000
"""Boxes that are walked at most on one level: a file may claim any number of empty ones."""
_LARGEST = 1 << 22
"""Bytes of a table of samples that are read at most."""
_DURATION, _FIELDS = 0x100, 0x100 | 0x200 | 0x400 | 0x800
"""The flags of a run of samples: that each has its duration, and which fields each has, of four bytes."""


def boxes(read: Read, at: int, end: int, most: int = MOST) -> Iterator[Box]:
    """The boxes between two places; ends where there is no box any more."""
    for _ in range(most):
        head = read(at, 16)
        if at >= end or len(head) < 8:
            return
        length, name = unpack(">I4s", head[:8])
        begins = at + 8
        if length == 1 and len(head) == 16:
            (length,), begins = unpack(">Q", head[8:16]), at + 16
        ends = end if length == 0 else at + length
        if ends < begins:
            return
        yield name, begins, min(ends, end)
        at = ends


@define
class _Track:
    """A track: units of a second, the duration of a sample where nothing else is said, and from where to where it goes."""

    scale: int = 0
    usual: int = 0
    end: int = 0
    begin: int | None = None


def fragmented(read: Read, movie: Box) -> bool:
    """Whether a movie's index says that fragments come behind it."""
    return any(name == b"mvex" for name, _, _ in boxes(read, *movie[1:]))


def seconds_in(read: Read, size: int, movie: Box) -> float | None:
    """The seconds of the longest track, fragments included; None where they do not tell. Raises `struct.error`."""
    tracks: dict[int, _Track] = {}
    for name, begins, ends in boxes(read, *movie[1:]):
        if name == b"trak":
            _described(read, begins, ends, tracks)
        elif name == b"mvex":
            for inner, at, _ in boxes(read, begins, ends):
                if inner == b"trex":
                    number, usual = unpack(">I4xI", read(at + 4, 12))
                    tracks.setdefault(number, _Track()).usual = usual
    for name, begins, ends in boxes(read, 0, size):
        if name == b"moof":
            for inner, at, end in boxes(read, begins, ends):
                if inner == b"traf":
                    _goes_on(read, at, end, tracks)
    lasts = ((track.end - (track.begin or 0)) / track.scale for track in tracks.values() if track.scale)
    return max(lasts, default=0.0) or None


def _described(read: Read, begins: int, ends: int, tracks: dict[int, _Track]) -> None:
    """A track's number, and of its media header the units and what stands before the first fragment."""
    number, found = 0, _Track()
    for name, at, end in boxes(read, begins, ends):
        if name == b"tkhd":
            (number,) = unpack(">I", read(at + (20 if read(at, 1) == b"\1" else 12), 4))
        elif name == b"mdia":
            for inner, place, _ in boxes(read, at, end):
                if inner == b"mdhd":
                    long = read(place, 1) == b"\1"
                    told = unpack(
                        ">IQ" if long else ">II", read(place + (20 if long else 12), 12 if long else 8)
                    )
                    unknown = (1 << (64 if long else 32)) - 1
                    found.scale, found.end = told[0], 0 if told[1] == unknown else told[1]
    known = tracks.setdefault(number, found)
    known.scale, known.end = found.scale, found.end


def _goes_on(read: Read, begins: int, ends: int, tracks: dict[int, _Track]) -> None:
    """One track's part of a fragment."""
    track, usual = _Track(), 0
    for name, at, end in boxes(read, begins, ends):
        flags = int.from_bytes(read(at + 1, 3))
        if name == b"tfhd":
            (number,) = unpack(">I", read(at + 4, 4))
            track = tracks.setdefault(number, _Track())
            usual = track.usual
            if flags & 0x8:
                place = at + 8 + (8 if flags & 0x1 else 0) + (4 if flags & 0x2 else 0)
                (usual,) = unpack(">I", read(place, 4))
        elif name == b"tfdt":
            long = read(at, 1) == b"\1"
            (moment,) = unpack(">Q" if long else ">I", read(at + 4, 8 if long else 4))
            if track.begin is None:  # cut from the midst of something longer, it counts from where it begins
                track.begin = 0 if track.end else moment
            track.end = moment
        elif name == b"trun":
            track.end += _run(read, at, end, flags, usual)


def _run(read: Read, at: int, end: int, flags: int, usual: int) -> int:
    """How long the samples of a run are together."""
    (count,) = unpack(">I", read(at + 4, 4))
    if not flags & _DURATION:
        return int(count) * usual
    step = 4 * (flags & _FIELDS).bit_count()
    table = at + 8 + (4 if flags & 0x1 else 0) + (4 if flags & 0x4 else 0)
    told = read(table, min(end - table, count * step, _LARGEST))
    return sum(int.from_bytes(told[place : place + 4]) for place in range(0, len(told), step))
