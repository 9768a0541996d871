import hashlib

import pytest

from gmi_video.sandbox.storage import Shelf, Stored, answer

BODY = bytes(range(100))
STORED = Stored.of(BODY, "video/mp4")


def test_an_object_comes_whole_with_length_type_and_strong_tag() -> None:
    """A plain GET gives all bytes, their type, a strong ETag and their MD5."""
    told = answer(STORED, {})
    headers = dict(told.headers)

    assert (told.status, told.body, told.content_type) == (200, BODY, "video/mp4")
    assert headers["ETag"] == f'"{hashlib.md5(BODY, usedforsecurity=False).hexdigest()}"'
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["x-goog-hash"].startswith("md5=")


@pytest.mark.parametrize(
    ("header", "part", "span"),
    [
        ("bytes=0-9", BODY[:10], "bytes 0-9/100"),
        ("bytes=90-", BODY[90:], "bytes 90-99/100"),
        ("bytes=-5", BODY[95:], "bytes 95-99/100"),
        ("bytes=-500", BODY, "bytes 0-99/100"),
        ("bytes=50-900", BODY[50:], "bytes 50-99/100"),
    ],
)
def test_a_range_gives_that_part(header: str, part: bytes, span: str) -> None:
    """A range that can be met is a 206 with its part and its place."""
    told = answer(STORED, {"Range": header})

    assert (told.status, told.body, dict(told.headers)["Content-Range"]) == (206, part, span)


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_beyond_the_end_is_refused(header: str) -> None:
    """A range that begins behind the last byte is a 416 that says how long the object is."""
    told = answer(STORED, {"Range": header})

    assert (told.status, dict(told.headers)) == (416, {"Content-Range": "bytes */100"})


@pytest.mark.parametrize("header", ["bytes=9-1", "bytes=1-2,5-6", "bytes=-", "lines=1-2", ""])
def test_a_range_that_says_nothing_gives_the_whole(header: str) -> None:
    """Unreadable and several ranges are answered with the whole object."""
    assert answer(STORED, {"Range": header}).status == 200


def test_a_changed_object_is_not_continued() -> None:
    """`If-Range` gives the part only where the tag is still the object's, else the whole."""
    continued = answer(STORED, {"Range": "bytes=5-", "If-Range": STORED.etag})
    restarted = answer(STORED, {"Range": "bytes=5-", "If-Range": '"other"'})

    assert (continued.status, restarted.status, restarted.body) == (206, 200, BODY)


def test_an_object_that_is_known_is_not_sent_again() -> None:
    """`If-None-Match` with the object's tag is a 304 without a body."""
    told = answer(STORED, {"If-None-Match": STORED.etag})

    assert (told.status, told.body) == (304, b"")


def test_the_shelf_forgets_what_was_unused_for_longest() -> None:
    """Objects beyond the room go, least recently used first; the last one put stays whatever its size."""
    shelf = Shelf(room=250)
    for name in "ab":
        shelf.put(name, STORED)
    shelf.get("a")
    shelf.put("c", STORED)
    shelf.put("d", Stored.of(bytes(1000), "x"))

    assert [shelf.get(name) is not None for name in "abcd"] == [False, False, False, True]


def test_the_shelf_keeps_what_was_just_used() -> None:
    """Of three objects in a room for two, the one used last and the new one stay."""
    shelf = Shelf(room=250)
    for name in "ab":
        shelf.put(name, STORED)
    shelf.get("a")
    shelf.put("c", STORED)

    assert [shelf.get(name) is not None for name in "abc"] == [True, False, True]
