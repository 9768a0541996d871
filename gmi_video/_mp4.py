"""MP4 and its kin (ISO/IEC 14496-12): a walk over the boxes to the very end of the file.

A file cut anywhere is found out: a box reaches beyond the end, the index (`moov`) is missing, or the index names
data that is not there.
"""

from collections.abc import Iterator

from attrs import frozen

from gmi_video._torn import MOST, At, Cut, Seen, Torn, number, whole

_FIRST = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp"})
_TOP = _FIRST | {b"moof", b"mfra", b"meta", b"udta", b"sidx", b"uuid"}
"""Boxes of the highest level. What follows the last one under no such name is not the film's."""
_FILM = frozenset({b"moov", b"mdat"})
_STILLS = frozenset({b"avif", b"avis", b"heic", b"heix", b"hevc", b"mif1", b"msf1"})
_DEPTH = (b"mdia", b"minf", b"stbl")
_TABLES = {b"stco": 4, b"co64": 8}
_LARGEST_TABLE = 32 * 2**20


@frozen
class Box:
    """A box: its type, where its content begins, and where it ends. `open` ones end where the file does."""

    kind: bytes
    start: int
    end: int
    open: bool = False


def is_mp4(first: bytes) -> bool:
    """Whether a file that begins so is one of boxes."""
    return first[4:8] in _FIRST


def is_still(first: bytes) -> bool:
    """Whether it is a picture in boxes (AVIF, HEIC), which has no tracks."""
    return first[4:8] == b"ftyp" and first[8:12] in _STILLS


def read_mp4(at: At, size: int) -> Seen:
    """What the boxes say of a whole file; raises `Torn`."""
    kinds: set[bytes] = set()
    movies: list[Box] = []
    ends_anywhere = False
    for box in _boxes(at, 0, size):
        kinds.add(box.kind)
        ends_anywhere = ends_anywhere or box.open
        if box.kind == b"moov":
            movies.append(box)
    if kinds and is_still(at(0, 12)):
        _wanted(kinds, b"meta")
        return Seen(sure=b"mdat" in kinds and not ends_anywhere)
    _wanted(kinds, b"moov")
    pieces = b"moof" in kinds
    if not pieces:
        _wanted(kinds, b"mdat")
    sizes: list[tuple[int, int]] = []
    for moov in movies:
        for track in _children(at, moov, b"trak"):
            sizes.extend(_track(at, track, size))
    return Seen(sizes=tuple(sizes), sure=not ends_anywhere and (not pieces or b"mfra" in kinds))


def _wanted(kinds: set[bytes], kind: bytes) -> None:
    if kind not in kinds:
        message = f"it has no {kind.decode()} box"
        raise Cut(message)


def _boxes(at: At, place: int, end: int) -> Iterator[Box]:
    """The boxes between two places, each of which must end in time."""
    seen: set[bytes] = set()
    for _ in range(MOST):
        if place == end:
            return
        header = whole(at, place, min(8, end - place), "the header of a box")
        if not any(header) and not any(at(place, min(end - place, 2**20))):
            return  # zeros behind the last box are padding
        length, kind, start = number(header[:4]), header[4:8], place + 8
        if length == 1:
            length, start = number(whole(at, start, 8, "the header of a box")), start + 8
        is_open = length == 0
        after = end if is_open else place + length
        if len(kind) < 4 or after < start or not kind.isascii():
            message = f"there is no box at byte {place:,}"
            raise Torn(message) if len(kind) == 4 or seen >= _FILM else Cut(message)
        if after > end:
            message = f"its box {_shown(kind)} goes on to byte {after:,}, and it ends at {end:,}"
            raise Cut(message) if kind in _TOP else Torn(message)
        seen.add(kind)
        yield Box(kind, start, after, is_open)
        place = after
    message = "it has too many boxes to be read"
    raise Torn(message)


def _shown(kind: bytes) -> str:
    text = kind.decode("ascii")
    return text if text.isprintable() else repr(text)


def _children(at: At, box: Box, kind: bytes) -> list[Box]:
    return [child for child in _boxes(at, box.start, box.end) if child.kind == kind]


def _track(at: At, track: Box, size: int) -> list[tuple[int, int]]:
    """The picture's size of a video track, none of another; its data must lie within the file."""
    video = False
    inner = [track]
    for kind in _DEPTH:
        for box in inner if kind == b"minf" else ():
            for handler in _children(at, box, b"hdlr"):
                video = video or at(handler.start + 8, 4) == b"vide"
        inner = [child for box in inner for child in _children(at, box, kind)]
    for table in (child for box in inner for child in _boxes(at, box.start, box.end)):
        if table.kind in _TABLES and _furthest(at, table) >= size:
            message = "its index names data beyond its end"
            raise Cut(message)
    if not video:
        return []
    entries = [child for box in inner for child in _children(at, box, b"stsd")]
    told = whole(at, entries[0].start + 8, 36, "a track's description") if entries else bytes(36)
    width, height = number(told[32:34]), number(told[34:36])
    if not (width and height):
        message = "its video track has no picture"
        raise Torn(message)
    return [(width, height)]


def _furthest(at: At, table: Box) -> int:
    """The last place that an index of chunks names."""
    step = _TABLES[table.kind]
    told = at(table.start + 8, min(table.end - table.start - 8, _LARGEST_TABLE))
    return max((number(told[place : place + step]) for place in range(0, len(told), step)), default=0)
