"""Records as dicts in the vendor's spelling, and back."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st
from searching import search

from gmi_video.errors import MalformedResponse
from gmi_video.records import (
    Failure,
    Kind,
    Media,
    Outcome,
    Record,
    Saved,
    Snapshot,
    Status,
    Video,
    VideoRequest,
)

CANARY = "canary-7f3a"
CLIP = Media("https://storage.example.com/a/clip.mp4", id="0")
COVER = Media("https://storage.example.com/a/cover.jpg", kind="image")
DONE = Snapshot(
    request_id="r-1",
    model="Veo3",
    status=Status.SUCCESS,
    created_at=datetime(2025, 7, 25, 18, 35, 14, 250_000, tzinfo=UTC),
    updated_at=datetime(2025, 7, 25, 18, 37, tzinfo=UTC),
    outcome=Outcome(media=(CLIP,), thumbnail=COVER),
    org_id=CANARY,
    user_id=CANARY,
    is_public=False,
    payload={"prompt": CANARY},
    extra={"note": CANARY},
)
SAVED = Saved(path=Path("/videos/clip.mp4"), size=3, sha256="ab", media=CLIP)

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=20)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=6), JSON, max_size=4)
TIMES = st.none() | st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis wants them naive
MEDIA = st.builds(
    Media,
    st.builds("https://a.example.com/{}".format, WORDS),
    kind=st.sampled_from(["video", "image", "audio"]),
    id=st.none() | WORDS,
)
OUTCOMES = st.builds(
    Outcome,
    media=st.lists(MEDIA, unique_by=lambda media: media.url, max_size=3).map(tuple),
    thumbnail=st.none() | st.just(COVER),
)
KINDS: list[Kind] = ["content", "input", "rate", "credit", "access", "service", "unknown"]
FAILURES = st.builds(
    Failure, kind=st.sampled_from(KINDS), message=WORDS, code=st.none() | WORDS.filter(bool)
).filter(lambda failure: failure.raw is not None)
NOON = datetime(2025, 7, 25, 18, 35, 14, tzinfo=UTC)
IDS = st.from_regex(r"[A-Za-z0-9_-]{1,128}", fullmatch=True)


def _snapshots() -> st.SearchStrategy[Snapshot]:
    common: dict[str, Any] = {
        "request_id": IDS,
        "model": WORDS,
        "created_at": TIMES,
        "updated_at": TIMES,
        "queued_at": TIMES,
        "org_id": st.none() | WORDS,
        "user_id": st.none() | WORDS,
        "is_public": st.none() | st.booleans(),
        "payload": st.none() | OBJECTS,
        "extra": st.dictionaries(
            st.text(max_size=6).map("x-{}".format), JSON.filter(lambda x: x is not None)
        ),
    }
    moving = [status for status in Status if not status.final]
    return st.one_of(
        st.builds(Snapshot, status=st.sampled_from(moving), **common),
        st.builds(Snapshot, status=st.just(Status.SUCCESS), outcome=OUTCOMES, **common),
        st.builds(Snapshot, status=st.just(Status.FAILED), failure=FAILURES, **common),
        st.builds(Snapshot, status=st.just(Status.CANCELLED), failure=FAILURES, **common),
    )


SNAPSHOTS = _snapshots()
REQUESTS = st.builds(
    VideoRequest, st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20), OBJECTS, key=JSON
)


@search(40, of=100)
@given(REQUESTS | MEDIA | OUTCOMES | FAILURES | SNAPSHOTS | st.builds(Video, snapshot=SNAPSHOTS))
def test_every_record_is_read_back_equal(record: Record) -> None:
    """What `as_dict` writes, `from_dict` reads back as an equal value."""
    assert record == type(record).from_dict(record.as_dict())


@given(OBJECTS, st.sampled_from([VideoRequest, Media, Outcome, Failure, Snapshot, Saved, Video]))
def test_a_foreign_dict_is_refused_with_our_error(data: dict[str, Any], kind: type[Record]) -> None:
    """A dict that is no such record raises `MalformedResponse`, never something foreign."""
    came: Record | MalformedResponse
    try:
        came = kind.from_dict(data)
    except MalformedResponse as error:
        came = error

    assert isinstance(came, kind | MalformedResponse)


@pytest.mark.parametrize("data", [None, 5, "x", [], [1]])
@pytest.mark.parametrize("kind", [VideoRequest, Media, Outcome, Failure, Snapshot, Saved, Video])
def test_what_is_no_dict_is_refused_with_our_error(data: Any, kind: type[Record]) -> None:
    """`from_dict` of something that is no mapping raises `MalformedResponse`."""
    with pytest.raises(MalformedResponse):
        kind.from_dict(data)


def test_the_place_of_a_fault_is_named() -> None:
    """The error of a broken record inside another says which field it is."""
    data = Video(snapshot=DONE, files=(SAVED,)).as_dict()
    data["files"][0]["size"] = "many"

    with pytest.raises(MalformedResponse, match=r"size"):
        Video.from_dict(data)


def test_saved_files_are_read_back_equal() -> None:
    """A video with its files survives the way through a dict, paths as text."""
    video = Video(snapshot=DONE, files=(SAVED,))

    assert video == Video.from_dict(video.as_dict())
    assert video.as_dict()["files"][0]["path"] == "/videos/clip.mp4"


@frozen(kw_only=True)
class _Bill(Record):
    dollars: Decimal
    at: datetime
    paid: datetime | None = None


@pytest.mark.parametrize("paid", [None, NOON + timedelta(microseconds=1)])
def test_amounts_and_times_of_other_records_are_json(paid: datetime | None) -> None:
    """A record of any room may hold amounts and times: they are written as text and seconds, and read back equal."""
    bill = _Bill(dollars=Decimal("0.10"), at=NOON, paid=paid)

    data = json.loads(json.dumps(bill.as_dict()))

    assert (data["dollars"], data["at"]) == ("0.10", 1753468514)
    assert bill == _Bill.from_dict(data)


@pytest.mark.parametrize(
    "odd", [{"at": "soon"}, {"at": None}, {"dollars": "much"}, {"dollars": None}, {"at": 0}]
)
def test_an_amount_or_a_time_that_is_none_is_refused(odd: dict[str, Any]) -> None:
    """A record that must have an amount and a time is not made without them."""
    with pytest.raises(MalformedResponse, match=next(iter(odd))):
        _Bill.from_dict({"dollars": "1", "at": 1753468514} | odd)
