"""What is asked of a storage host, and what the head of its answer says."""

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from gmi_video._range import Edition, Head, asking, head, is_page, link_digest, whole_size

URL = "https://storage.example/film.mp4"
FILM = Edition(
    url=URL, etag='"one"', generation="7", size=100, md5="MDEyMzQ1Njc4OWFiY2RlZg==", crc32c="Y3JjMg=="
)


def test_a_whole_file_is_asked_for_without_a_range() -> None:
    """A range that is no range may be answered with a 206, and some hosts do not know them at all."""
    assert asking(0, None, None) == {}
    assert asking(0, None, FILM) == {}


def test_the_rest_is_asked_for_on_condition_that_the_file_is_the_same() -> None:
    """`If-Range` takes a strong ETag only; a generation is held against the answer instead."""
    assert asking(5, None, FILM) == {"Range": "bytes=5-", "If-Range": '"one"'}
    assert asking(5, 10, None) == {"Range": "bytes=5-9"}
    assert asking(5, None, evolve(FILM, etag='W/"one"')) == {"Range": "bytes=5-"}


def test_the_head_of_a_whole_file() -> None:
    """Size, type, validators and checksums; the query of its link is no part of its name."""
    told = {
        "content-length": "100",
        "content-type": "video/mp4 ",
        "etag": '"one"',
        "x-goog-generation": "7",
        "x-goog-hash": "crc32c=Y3JjMg==,md5=MDEyMzQ1Njc4OWFiY2RlZg==",
    }

    assert head(URL + "?token=secret", 200, told) == Head(
        edition=evolve(FILM, link=link_digest(URL + "?token=secret")), length=100, content_type="video/mp4"
    )


@pytest.mark.parametrize(
    "told", ["md5=zz, crc32c=??", "md5=", "md5=AAAAAA==", "crc32c=AAAA", "sha1=AAAAAA=="]
)
def test_what_is_no_checksum_is_not_held_against_a_file(told: str) -> None:
    """A header that cannot be read proves nothing, and takes no good file away."""
    got = head(URL, 200, {"x-goog-hash": told, "content-length": "5"})

    assert got is not None
    assert (got.edition.md5, got.edition.crc32c) == (None, None)


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("bytes 5-99/100", (5, 95, 100)),
        ("bytes 5-99/*", (5, 95, None)),
        ("bytes 0-0/1", (0, 1, 1)),
        ("bytes 9-5/100", None),
        ("bytes */100", None),
        ("bytes 5-99", None),
        ("items 5-99/100", None),
        ("bytes -5-99/100", None),
        ("bytes ５-99/100", None),
        (f"bytes 5-{'9' * 5000}/100", None),
        ("", None),
    ],
)
def test_a_206_says_which_bytes_come(told: str, found: tuple[int, int, int | None] | None) -> None:
    """A place that cannot be read is none."""
    got = head(URL, 206, {"content-range": told})

    assert (got and (got.start, got.length, got.edition.size)) == found


def test_a_206_that_contradicts_itself_is_none() -> None:
    """Its length has to be that of its range."""
    assert head(URL, 206, {"content-range": "bytes 5-99/100", "content-length": "94"}) is None


@pytest.mark.parametrize("length", ["-1", "1e3", "", "five", "９", "9" * 5000])
def test_a_length_that_cannot_be_read_is_not_told(length: str) -> None:
    """It is as if the host had said nothing."""
    got = head(URL, 200, {"content-length": length})

    assert got is not None
    assert got.length is None
    assert got.edition.size is None


@pytest.mark.parametrize("name", ["etag", "generation", "size", "md5", "crc32c"])
def test_an_edition_goes_on_only_as_itself(name: str) -> None:
    """Whatever both were told has to be the same; what one was not told says nothing."""
    other: Any = {"size": 101}.get(name, '"other"')
    nothing: Any = {name: None}

    assert FILM.continues(FILM)
    assert not FILM.continues(evolve(FILM, **{name: other}))
    assert FILM.continues(evolve(FILM, **nothing))


def test_a_file_known_by_its_generation_alone_wants_to_see_it_again() -> None:
    """There was no condition in the call, so an answer that is silent proves nothing."""
    numbered = evolve(FILM, etag=None)

    assert numbered.resumable
    assert numbered.continues(numbered)
    assert not numbered.continues(evolve(numbered, generation=None))
    assert not evolve(numbered, generation=None).resumable


def test_an_edition_is_written_down_and_read_back() -> None:
    """The note beside a part; what is no note is none."""
    assert Edition.from_dict(FILM.as_dict()) == FILM
    odds: tuple[object, ...] = (None, [], {}, {"url": 5}, "url")
    for odd in odds:
        assert Edition.from_dict(odd) is None


def test_a_416_tells_the_size() -> None:
    """Where it does."""
    assert whole_size({"content-range": "bytes */100"}) == 100
    assert whole_size({"content-range": "bytes 1-2/100"}) is None
    assert whole_size({}) is None


@pytest.mark.parametrize(
    "kind", ["text/html", "TEXT/HTML; charset=utf-8", "application/json", "application/xml"]
)
def test_pages_are_known_by_their_type(kind: str) -> None:
    """Media are never of these; what has no type may be anything."""
    assert is_page(kind)
    assert not any(map(is_page, ("", "video/mp4", "application/octet-stream", "image/png", "audio/mpeg")))


@given(
    st.sampled_from([200, 206]),
    st.dictionaries(
        st.sampled_from(["content-length", "content-range", "x-goog-hash", "etag", "x-goog-generation"]),
        st.text(),
    ),
)
def test_any_head_can_be_read(status: int, told: dict[str, str]) -> None:
    """Headers are a stranger's words: they make a head or none, and never an error."""
    got = head(URL, status, told)

    assert got is None or (got.length or 0) >= 0
    whole_size(told)
