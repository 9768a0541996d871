"""WebM and Matroska (RFC 8794, RFC 9559): a walk over the elements to the very end of the file."""

from collections.abc import Iterator

from attrs import frozen

from gmi_video._torn import MOST, At, Seen, Torn, number, whole

_EBML = 0x1A45DFA3
_SEGMENT = 0x18538067
_CLUSTER = 0x1F43B675
_TRACKS = 0x1654AE6B
_TOP = frozenset(
    {
        _CLUSTER,
        _TRACKS,
        0x114D9B74,
        0x1549A966,
        0x1C53BB6B,
        0x1254C367,
        0x1043A770,
        0x1941A469,
        _SEGMENT,
        _EBML,
    }
)
_TRACK, _TYPE, _VIDEO, _WIDTH, _HEIGHT = 0xAE, 0x83, 0xE0, 0xB0, 0xBA
_PICTURES = 1
"""`TrackType` of a video track."""


@frozen
class Element:
    """An element: its id, where its content begins and ends. The end of an `open` one was not written."""

    id: int
    start: int
    end: int
    open: bool = False


def is_webm(first: bytes) -> bool:
    """Whether a file that begins so is EBML."""
    return first[:4] == _EBML.to_bytes(4, "big")


def read_webm(at: At, size: int) -> Seen:
    """What the elements say of a whole file; raises `Torn`."""
    sizes: list[tuple[int, int]] = []
    clusters, sure = 0, True
    segments = [element for element in _elements(at, 0, size) if element.id == _SEGMENT]
    for segment in segments:
        for element in _elements(at, segment.start, segment.end):
            clusters += element.id == _CLUSTER
            sure = sure and not element.open
            if element.id == _TRACKS:
                sizes += _pictures(at, element)
        sure = sure and not segment.open
    if not clusters:
        message = "it holds no pictures and no sound"
        raise Torn(message)
    return Seen(sizes=tuple(sizes), sure=sure)


def _elements(at: At, place: int, end: int) -> Iterator[Element]:
    """The elements between two places, each of which must end in time."""
    for _ in range(MOST):
        if place >= end:
            return
        if not at(place, 1).strip(b"\0") and not any(at(place, min(end - place, 2**20))):
            return  # zeros behind the last element are padding
        element = _element(at, place, end)
        if element.open and element.id == _CLUSTER:
            element = Element(_CLUSTER, element.start, _end_of(at, element), open=True)
        yield element
        place = element.end
    message = "it has too many elements to be read"
    raise Torn(message)


def _element(at: At, place: int, end: int) -> Element:
    ident, width = _vint(at, place, keep=True)
    told, more = _vint(at, place + width, keep=False)
    start = place + width + more
    if told == (1 << (7 * more)) - 1:  # every bit set: the writer did not know
        return Element(ident, start, end, open=True)
    if start + told > end:
        message = f"its element {ident:X} goes on to byte {start + told:,}, and it ends at {end:,}"
        raise Torn(message)
    return Element(ident, start, start + told)


def _end_of(at: At, cluster: Element) -> int:
    """Where a cluster of unknown length ends: before the next element of the level above."""
    place = cluster.start
    for _ in range(MOST):
        if place >= cluster.end or _vint(at, place, keep=True)[0] in _TOP:
            return place
        place = _element(at, place, cluster.end).end
    return cluster.end


def _vint(at: At, place: int, *, keep: bool) -> tuple[int, int]:
    """A number of variable length, and how many bytes it has; `keep` leaves the marker in, as ids have it."""
    first = whole(at, place, 1, "an element")[0]
    width = 9 - first.bit_length()
    if width > (4 if keep else 8):
        message = f"there is no element at byte {place:,}"
        raise Torn(message)
    told = number(whole(at, place, width, "an element"))
    return (told if keep else told & ((1 << (7 * width)) - 1)), width


def _pictures(at: At, tracks: Element) -> Iterator[tuple[int, int]]:
    for track in _elements(at, tracks.start, tracks.end):
        if track.id != _TRACK:
            continue
        parts = {part.id: part for part in _elements(at, track.start, track.end)}
        if _TYPE not in parts or _value(at, parts[_TYPE]) != _PICTURES or _VIDEO not in parts:
            continue
        video = parts[_VIDEO]
        told = {part.id: _value(at, part) for part in _elements(at, video.start, video.end)}
        size = (told.get(_WIDTH, 0), told.get(_HEIGHT, 0))
        if not all(size):
            message = "its video track has no picture"
            raise Torn(message)
        yield size


def _value(at: At, element: Element) -> int:
    return number(at(element.start, min(8, element.end - element.start)))
