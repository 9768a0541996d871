"""The length of a fragmented MP4, wherever its boxes say it."""

from struct import pack

import pytest

from gmi_video._duration import seconds_of
from gmi_video._file_type import MP4


def box(name: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return pack(">I4s", 8 + len(body), name) + body


def full(name: bytes, flags: int, *content: bytes, version: int = 0) -> bytes:
    return box(name, pack(">I", version << 24 | flags), *content)


def number(*values: int) -> bytes:
    return pack(f">{len(values)}I", *values)


def moov(*, usual: int = 0, before: int = 0, long: bool = False) -> bytes:
    """A track of a thousand units a second; its samples last `usual` units, `before` of them before any fragment."""
    if long:
        header = full(b"mdhd", 0, pack(">QQIQ", 0, 0, 1000, before), version=1)
        track = full(b"tkhd", 0, pack(">QQI", 0, 0, 7), bytes(60), version=1)
    else:
        header = full(b"mdhd", 0, number(0, 0, 1000, before))
        track = full(b"tkhd", 0, number(0, 0, 7), bytes(60))
    movie = full(b"mvhd", 0, number(0, 0, 600, 60), bytes(80))
    extends = box(b"mvex", full(b"trex", 0, number(7, 1, usual, 0, 0)))
    return box(b"moov", movie, box(b"trak", track, box(b"mdia", header)), extends)


def moof(*boxes: bytes, flags: int = 0, described: bytes = b"") -> bytes:
    return box(b"moof", box(b"traf", full(b"tfhd", flags, number(7), described), *boxes)) + box(b"mdat", b"x")


def lasts(*boxes: bytes) -> float | None:
    body = box(b"ftyp", b"isom") + b"".join(boxes)
    return seconds_of(MP4, lambda at, length: body[at : at + length], len(body))


TEN = full(b"trun", 0, number(10))
EACH = full(b"trun", 0xF05, number(3, 99, 98), *(number(units, 5, 6, 7) for units in (100, 200, 300)))


@pytest.mark.parametrize("long", [False, True])
def test_what_the_movie_says_of_all_its_samples(long: bool) -> None:
    """Fragments follow each other, and what stands before them."""
    index = moov(usual=50, before=2000, long=long)

    assert lasts(index, moof(TEN), moof(TEN, TEN)) == pytest.approx(3.5)
    assert lasts(index) == pytest.approx(2.0)


def test_what_a_fragment_says_of_its_samples() -> None:
    """Its own word counts before the movie's, and stands behind what else it may say."""
    told = moof(TEN, flags=0x0B, described=pack(">QI", 4, 1) + number(70))

    assert lasts(moov(usual=50), told) == pytest.approx(0.7)


def test_what_a_run_says_of_each_sample() -> None:
    """Each of them has its own duration, among other fields."""
    assert lasts(moov(usual=50), moof(EACH), moof(EACH)) == pytest.approx(1.2)


@pytest.mark.parametrize("long", [False, True])
def test_where_a_fragment_begins(long: bool) -> None:
    """A gap between two of them is time as well."""
    begins = full(b"tfdt", 0, pack(">Q" if long else ">I", 9000), version=int(long))

    assert lasts(moov(usual=50), moof(TEN), moof(begins, TEN)) == pytest.approx(9.5)


def test_what_was_cut_from_something_longer_lasts_from_its_beginning() -> None:
    """A live stream's fragments count from the stream's own beginning, and no header knows how long it is."""
    begins = [full(b"tfdt", 0, number(3_600_000 + more)) for more in (0, 500)]
    unknown = 0xFFFFFFFF

    assert lasts(moov(usual=50), *(moof(one, TEN) for one in begins)) == pytest.approx(1.0)
    assert lasts(moov(usual=50, before=unknown), moof(TEN)) == pytest.approx(0.5)
    assert lasts(moov(usual=50, before=unknown)) is None


def test_a_movie_without_its_fragments_tells_nothing() -> None:
    """What is not known is not guessed at."""
    assert lasts(moov(usual=50)) is None
    assert lasts(moov(usual=50), box(b"moof", box(b"traf", b"\0"))) is None
