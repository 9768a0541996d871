"""A page of the list as a sweep reads it: places of all, objects of what changed, and nothing lost to an odd record."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gmi_video import errors
from gmi_video._entry import Entry
from gmi_video._forms import Forms, stamp
from gmi_video._sheet import sheet_of
from gmi_video.records import Snapshot, Status
from gmi_video.settings import Pace

BORN = 1_700_000_000


def record(name: str = "r-1", **told: Any) -> dict[str, Any]:
    return {
        "request_id": name,
        "model": "Veo3",
        "status": "processing",
        "created_at": BORN,
        "updated_at": BORN + 5,
        **told,
    }


def an_entry(name: str = "r-1", word: str = "processing", moved: float | None = BORN + 5.0) -> Entry:
    """A followed id that was seen in such a state."""
    entry = Entry(name, (), Pace(), 2.0, 0.0, 0.0)
    entry.form = Forms().of(Snapshot(request_id=name, model="Veo3", status=Status(word)))
    entry.created, entry.moved = float(BORN), moved
    return entry


def nobody(_: str) -> None:
    return None


@pytest.mark.parametrize("shape", ["requests", "data", "bare"])
def test_a_page_comes_in_any_envelope(shape: str) -> None:
    """`requests`, `data` and a bare array are the same page; total and has_more are read where they are."""
    items = [record("r-2"), record("r-1")]
    data: Any = items if shape == "bare" else {shape: items, "total": 7, "has_more": True}
    sheet = sheet_of(data, nobody)

    assert [listed.request_id for listed in sheet.records] == ["r-2", "r-1"]
    assert (sheet.total, sheet.more) == ((None, None) if shape == "bare" else (7, True))


@pytest.mark.parametrize("data", [{"requests": None}, {"data": None}, {"requests": []}, []])
def test_an_empty_list_is_a_page(data: Any) -> None:
    """A Go service writes no rows as null."""
    assert sheet_of(data, nobody).records == ()


@pytest.mark.parametrize("data", [{}, {"requests": "none"}, "x", None, 7, {"error": "no"}])
def test_what_holds_no_list_is_refused(data: Any) -> None:
    """Anything else is not taken for an empty page, which would prove absence."""
    with pytest.raises(errors.MalformedResponse, match="no list of requests"):
        sheet_of(data, nobody)


@pytest.mark.parametrize(
    "odd", ["x", None, {}, {"request_id": 7}, {"request_id": "../x"}, {"request_id": ""}, []]
)
def test_one_odd_record_is_counted_and_left_out(odd: Any) -> None:
    """The others stand where they stood; nothing that may be no id gets through."""
    sheet = sheet_of({"requests": [record("r-2"), odd, record("r-1")]}, nobody)

    assert [listed.request_id for listed in sheet.records] == ["r-2", "r-1"]
    assert sheet.skipped == 1


@pytest.mark.parametrize(("total", "more"), [("7", "yes"), (True, 1), (None, None)])
def test_what_is_no_number_and_no_truth_is_not_believed(total: Any, more: Any) -> None:
    """A total that is none, and a has_more that is none, say nothing."""
    sheet = sheet_of({"requests": [record()], "total": total, "has_more": more}, nobody)

    assert (sheet.total, sheet.more) == (None, None)


def test_strangers_are_places_only() -> None:
    """Of a record that nobody follows only the place in the list is kept."""
    (listed,) = sheet_of([record()], nobody).records

    assert (listed.request_id, listed.created, listed.snapshot) == ("r-1", BORN, None)


@pytest.mark.parametrize("moved", [BORN + 5, float(BORN + 5), str(BORN + 5), (BORN + 5) * 1000])
def test_an_unchanged_record_is_not_made_an_object_of(moved: Any) -> None:
    """The same word and the same time, however it is written, is what is known already."""
    entry = an_entry()
    (listed,) = sheet_of([record(updated_at=moved)], lambda _: entry).records

    assert listed.snapshot is None
    assert listed.request_id is entry.request_id


@pytest.mark.parametrize(
    "told",
    [{"status": "success"}, {"updated_at": BORN + 6}, {"updated_at": None}, {"status": "a new word"}],
    ids=["word", "time", "no time", "unknown word"],
)
def test_a_changed_record_is_read_whole(told: dict[str, Any]) -> None:
    """Another word or another time is news, whatever else stayed."""
    entry = an_entry()
    (listed,) = sheet_of([record(payload={"prompt": "x"}, **told)], lambda _: entry).records

    assert listed.snapshot is not None
    assert listed.snapshot.payload == {"prompt": "x"}


def test_a_followed_id_that_was_never_seen_is_read_whole() -> None:
    """A bare id learns everything from its first record, its creation included."""
    entry = Entry("r-1", (), Pace(), 2.0, 0.0, 0.0)
    (listed,) = sheet_of([record(created_at="2023-11-14T22:13:20Z")], lambda _: entry).records

    assert listed.snapshot is not None
    assert listed.created == stamp(datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC))
