"""A request's record as a `Snapshot`: what is tolerated, what is refused, and what time it is."""

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmi_video._convert import moment, snapshot_of
from gmi_video.errors import MalformedResponse
from gmi_video.records import Snapshot, Status

NOON = datetime(2025, 7, 25, 18, 35, 14, tzinfo=UTC)
SECONDS = 1753468514
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "model",
        "status",
        "created_at",
        "updated_at",
        "queued_at",
        "outcome",
        "org_id",
        "is_public",
        "payload",
        "error",
    ]
)
RECORDS = st.dictionaries(FIELDS, JSON | st.sampled_from(["success", "failed", "Queued", 1e400]), max_size=8)


def _record(**fields: Any) -> dict[str, Any]:
    return {"request_id": "r-1", "model": "Veo3", **fields}


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.UNKNOWN])
@pytest.mark.parametrize("spelling", ["{}", " {}\n", "\t{}"])
@pytest.mark.parametrize("fold", [str.lower, str.upper, str.title])
def test_the_seven_states_are_known_in_any_spelling(status: Status, spelling: str, fold: Any) -> None:
    """Case and blanks of a status do not matter; the word is kept as the service spelt it."""
    word = spelling.format(fold(status.value))

    snapshot = snapshot_of(_record(status=word))

    assert (status, word) == (snapshot.status, snapshot.word)


@pytest.mark.parametrize(
    "word", ["completed", "warming up", "unknown", "UNKNOWN", "", " ", "succès", "canceled"]
)
def test_an_unknown_word_is_unknown_and_kept(word: str) -> None:
    """A word that is not documented is `UNKNOWN` and not final, and goes through a dict unchanged."""
    snapshot = snapshot_of(_record(status=word))

    assert (Status.UNKNOWN, word, False) == (snapshot.status, snapshot.word, snapshot.final)
    assert snapshot == Snapshot.from_dict(snapshot.as_dict())


@pytest.mark.parametrize(("status", "word"), [(None, ""), ([], ""), ({}, ""), (3, "3"), (True, "True")])
def test_a_status_that_is_no_word_is_unknown(status: object, word: str) -> None:
    """A status of another type is `UNKNOWN`; a number's digits are kept as its word."""
    snapshot = snapshot_of(_record(status=status))

    assert (Status.UNKNOWN, word) == (snapshot.status, snapshot.word)


@pytest.mark.parametrize(
    "request_id",
    [
        None,
        5,
        "",
        "../x",
        "a/b",
        "x?y",
        "%2e%2e",
        ".",
        "a b",
        "r-1\n",
        "r\x00",
        "ü",
        "x" * 129,
        "x" * 10_000,
        ["r"],
        True,
    ],
)
def test_an_id_of_a_wrong_form_is_refused_by_place(request_id: object) -> None:
    """Only letters, digits, '-' and '_' make a request id; anything else raises with its path."""
    with pytest.raises(MalformedResponse, match="@ request_id") as caught:
        snapshot_of({"request_id": request_id, "model": "Veo3", "status": "queued"})

    assert caught.value.path == "request_id"


@pytest.mark.parametrize(
    "request_id", ["r", "x" * 128, "5a7a5466-7948-47d8-8578-cff4b9581feb", "A_1-z", "CON"]
)
def test_an_id_of_the_right_form_is_taken(request_id: str) -> None:
    """One to 128 permitted signs are a request id."""
    assert request_id == snapshot_of({"request_id": request_id}).request_id


@pytest.mark.parametrize("data", [None, [], "x", 5, True])
def test_a_record_is_an_object(data: object) -> None:
    """Anything but an object raises with the path `$`, or the place where it stood."""
    with pytest.raises(MalformedResponse, match=r"not an object @ \$"):
        snapshot_of(data)
    with pytest.raises(MalformedResponse, match="@ requests"):
        snapshot_of(data, "requests")


@pytest.mark.parametrize(
    "value",
    [
        SECONDS,
        float(SECONDS),
        SECONDS * 1000,
        str(SECONDS),
        f" {SECONDS}.0 ",
        str(SECONDS * 1000),
        "2025-07-25T18:35:14Z",
        "2025-07-25T18:35:14+00:00",
        "2025-07-25T18:35:14",
        "2025-07-25T20:35:14+02:00",
        "2025-07-25 18:35:14.000",
    ],
)
def test_a_time_is_read_in_any_usual_form(value: object) -> None:
    """Seconds, milliseconds, digits and ISO 8601 are the same moment, aware and in UTC."""
    found = moment(value)

    assert found == NOON
    assert found is not None
    assert UTC is found.tzinfo


def test_a_time_without_a_zone_is_utc_wherever_the_program_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own time zone says nothing about the service's times."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    found = moment("2025-07-25T18:35:14")
    monkeypatch.undo()
    time.tzset()

    assert found == NOON


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        0.0,
        "0",
        "",
        "soon",
        -1,
        -SECONDS,
        "-5",
        float("nan"),
        float("inf"),
        float("-inf"),
        "nan",
        "1e400",
        1e300,
        10**400,
        -(10**400),
        "9" * 5000,
        SECONDS * 10**9,
        [SECONDS],
        {},
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "1969-12-31T23:59:59Z",
        "2025-13-01",
    ],
)
def test_what_is_no_time_is_none(value: object) -> None:
    """Nothing, junk, infinity, nanoseconds, and fields that were never set are no time."""
    assert moment(value) is None


@given(st.integers() | st.floats() | st.text(max_size=30) | st.datetimes().map(str))
def test_any_value_is_a_time_or_none(value: object) -> None:
    """No value makes the reader of times fail, and what it reads it reads again."""
    found = moment(value)

    assert found is None or moment(found.timestamp()) == found


def test_a_record_is_written_in_seconds() -> None:
    """Times are written as Unix seconds, whole where they are whole; what is not set is not written."""
    snapshot = Snapshot(
        request_id="r-1",
        model="Veo3",
        status=Status.QUEUED,
        created_at=NOON.astimezone(timezone(timedelta(hours=2))),
        updated_at=NOON + timedelta(milliseconds=250),
    )

    assert snapshot.as_dict() == {
        "request_id": "r-1",
        "model": "Veo3",
        "status": "queued",
        "created_at": SECONDS,
        "updated_at": SECONDS + 0.25,
    }


def test_a_status_without_its_word_is_written_as_documented() -> None:
    """A snapshot whose word is empty is written with the documented word of its status."""
    snapshot = Snapshot(request_id="r-1", model="m", status=Status.SUCCESS, word="")

    assert snapshot.as_dict()["status"] == "success"


def test_unknown_fields_are_kept_in_extra() -> None:
    """What nobody reads is kept, and written again."""
    data = _record(status="queued", qworker_id="w-1", deep={"a": [1]})

    snapshot = snapshot_of(data)

    assert snapshot.extra == {"qworker_id": "w-1", "deep": {"a": [1]}}
    assert data == snapshot.as_dict()


def test_an_outcome_before_the_end_is_kept_in_extra() -> None:
    """An outcome of a request that still runs is nobody's result, but is not lost."""
    snapshot = snapshot_of(_record(status="processing", outcome={"progress": 40}))

    assert (snapshot.outcome, snapshot.extra) == (None, {"outcome": {"progress": 40}})
    assert snapshot == Snapshot.from_dict(snapshot.as_dict())


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("model", 5, ""),
        ("model", None, ""),
        ("org_id", 5, "5"),
        ("org_id", {}, None),
        ("user_id", ["a"], None),
        ("is_public", "yes", None),
        ("is_public", True, True),
        ("payload", "echo", None),
        ("payload", {}, {}),
    ],
)
def test_fields_of_a_wrong_type_are_straightened(name: str, value: object, read: object) -> None:
    """A field of another type than documented is read as text or left out; the record stands."""
    assert read == getattr(snapshot_of(_record(status="queued") | {name: value}), name)


@given(RECORDS)
def test_any_record_with_an_id_is_a_snapshot(fields: dict[str, Any]) -> None:
    """Whatever stands in its fields, a record with an id is read, and has no outcome or failure before the end."""
    snapshot = snapshot_of({**fields, "request_id": "r-1"})

    assert snapshot.request_id == "r-1"
    assert snapshot.final or (snapshot.outcome is None and snapshot.failure is None)
    assert (snapshot.failure is None) == (snapshot.status not in {Status.FAILED, Status.CANCELLED})
