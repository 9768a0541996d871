import hashlib
from typing import Any

import pytest

from gmi_video.sandbox import Serving
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


@pytest.mark.parametrize(
    ("told", "names"),
    [
        ("both", ["crc32c", "md5"]),
        ("md5", ["md5"]),
        ("crc32c", ["crc32c"]),
        ("none", []),
        ("wrong", ["crc32c", "md5"]),
    ],
)
def test_hashes_are_told_as_the_script_has_them(told: Any, names: list[str]) -> None:
    """Each hash is a header of its own, as on the real host; a wrong one is wrong, a missing one missing."""
    right = [value for name, value in answer(STORED, {}).headers if name == "x-goog-hash"]
    hashes = [
        value for name, value in answer(STORED, {}, Serving(hashes=told)).headers if name == "x-goog-hash"
    ]

    assert [value.partition("=")[0] for value in hashes] == names
    assert bool(hashes) and set(hashes).isdisjoint(right) if told == "wrong" else set(hashes) <= set(right)


@pytest.mark.parametrize(
    ("told", "span"), [("right", "bytes 5-9/100"), ("wrong", "bytes 4-8/100"), ("missing", None)]
)
def test_a_part_may_lie_about_its_place(told: Any, span: str | None) -> None:
    """The bytes are right, and `Content-Range` is right, a byte too early, or missing."""
    part = answer(STORED, {"Range": "bytes=5-9"}, Serving(content_range=told))

    assert (part.status, part.body) == (206, BODY[5:10])
    assert dict(part.headers).get("Content-Range") == span


def test_a_very_large_object_has_no_crc() -> None:
    """Beyond 128 MiB only the MD5 is told."""
    large = Stored.of(bytes(128 * 1024 * 1024 + 1), "video/mp4")

    assert [v[:4] for name, v in answer(large, {}).headers if name == "x-goog-hash"] == ["md5="]


def test_a_flip_outside_the_object_changes_nothing() -> None:
    """A byte that the object has not cannot flip; one counted from the end can."""
    assert STORED.flipped(100) == STORED.flipped(None) == BODY
    assert STORED.flipped(-1) == BODY[:-1] + bytes([98])
