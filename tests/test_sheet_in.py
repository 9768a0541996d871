"""A page from its bytes: what `sheet_of` makes of its JSON, though what a record said before is not read again."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmi_video._convert import snapshot_of
from gmi_video._decode import decode
from gmi_video._entry import Entry
from gmi_video._forms import Forms, stamp
from gmi_video._sheet import sheet_in, sheet_of
from gmi_video._sweep import Sheet
from gmi_video.settings import Pace

BORN = 1_700_000_000


def record(number: int, **told: Any) -> dict[str, Any]:
    """A record, its keys in the order of the service's."""
    return {
        "request_id": f"r-{number}",
        "model": "Veo3",
        "status": "processing",
        "payload": {"prompt": "x"},
        "created_at": BORN - number,
        "updated_at": BORN + 5,
        **told,
    }


def body(*items: Any, **envelope: Any) -> bytes:
    """A page as the service writes it."""
    page = {"requests": list(items), "total": 7, "has_more": True, **envelope}
    return json.dumps(page, separators=(",", ":")).encode()


class Followed:
    """Ids that are followed, each as it was seen."""

    def __init__(self, *numbers: int) -> None:
        self.entries: dict[str, Entry] = {}
        self.forms = Forms()
        for number in numbers:
            self.learn(record(number))

    def learn(self, item: Any) -> None:
        """What the schedule does with a record."""
        snapshot = snapshot_of(item)
        entry = self.entries.get(snapshot.request_id)
        if entry is None:
            entry = self.entries[snapshot.request_id] = Entry(snapshot.request_id, (), Pace(), 2.0, 0.0, 0.0)
        entry.form = self.forms.of(snapshot)
        entry.created, entry.moved = stamp(snapshot.created_at), stamp(snapshot.updated_at)

    def known(self, name: str) -> Entry | None:
        """As the roster does."""
        return self.entries.get(name)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of what is decoded from now on."""
    sizes: list[int] = []

    def counting(data: bytes) -> Any:
        sizes.append(len(data))
        return decode(data)

    monkeypatch.setattr("gmi_video._sheet.decode", counting)
    return sizes


def test_what_was_said_before_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a page that says what the last one said only one record is decoded, and of another only what is news."""
    followed = Followed(*range(50))
    items = [record(number) for number in range(50)]
    first = sheet_in(body(*items), followed.known)
    sizes = counted(monkeypatch)
    again = sheet_in(body(*items), followed.known)
    items[30] = record(30, updated_at=BORN + 6)
    moved = sheet_in(body(*items), followed.known)

    assert first == again == sheet_of(decode(body(*[record(number) for number in range(50)])), followed.known)
    assert moved is not None
    assert [one.request_id for one in moved.records if one.snapshot is not None] == ["r-30"]
    one = len(body(record(0)))
    assert (sizes[0], sizes[1]) == (one, len(body(record(0), items[30])))


texts = st.one_of(st.text(max_size=5), st.sampled_from(['},{"request_id":"r-1"', "}]", '"', "\\", "\u2028"]))
values = st.recursive(
    st.one_of(st.none(), st.integers(-5, 5), texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["request_id", "a", "}]"]), inner, max_size=2),
        st.builds(lambda more: [{"a": 1}, {"request_id": "r-1", "b": more}], inner),
    ),
    max_leaves=6,
)
records = st.builds(
    lambda number, told: record(number, **told),
    st.integers(0, 4),
    st.fixed_dictionaries(
        {},
        optional={
            "payload": values,
            "status": st.sampled_from(["processing", "success", "queued", "new"]),
            "updated_at": st.sampled_from([BORN, BORN + 5, None, "x"]),
            "created_at": st.sampled_from([BORN, None, "x"]),
        },
    ),
)
odd = st.one_of(
    st.none(), st.just({}), st.just({"request_id": ""}), st.just({"model": "m", "request_id": "r-1"}), values
)
pages = st.tuples(
    st.lists(st.one_of(records, records, records, odd), max_size=6),
    st.fixed_dictionaries(
        {}, optional={"total": values, "has_more": st.booleans(), "more": values, "data": values}
    ),
)


@given(st.lists(pages, min_size=1, max_size=4), st.sets(st.integers(0, 4)))
def test_it_is_the_page_that_its_json_is(
    read: list[tuple[list[Any], dict[str, Any]]], follow: set[int]
) -> None:
    """Page after page, whatever stands in their payloads: the same as by reading everything, or left to that."""
    followed = Followed(*follow)
    for items, envelope in read:
        text = body(*items, **envelope)
        expected = sheet_of(decode(text), followed.known)
        found = sheet_in(text, followed.known)

        assert found in (expected, None)
        for listed in expected.records:
            if listed.snapshot is not None:
                followed.learn(listed.snapshot.as_dict())


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b'{"requests":[]}',
        b'{"requests":null}',
        b'{"error":"no"}',
        json.dumps({"requests": [record(1)]}).encode(),
        body(record(1))[:-30],
        body(record(1), record(2)).replace(b'"created_at":1699999999', b'"created_at":NaN'),
        body({"model": "m", **record(1)}),
        body(
            {"request_id": "r-1", "payload": [{"a": 1}, {"request_id": "r-2"}]},
            {"model": "m", "request_id": "r-1"},
        ),
    ],
)
def test_what_is_written_otherwise_is_left_to_its_json(text: bytes) -> None:
    """Spaces, another order, a part of a page, what is no page: nothing is guessed from bytes."""
    followed = Followed(1, 2)

    assert sheet_in(text, followed.known) is None


def test_a_page_in_any_compact_envelope_is_read() -> None:
    """The list may have another name, or none, and a byte order mark before it."""
    followed = Followed(1)
    items = json.dumps([record(1), record(2)], separators=(",", ":")).encode()

    for text in (items, b'{"data":' + items + b"}", b"\xef\xbb\xbf" + items):
        for _ in range(2):
            found = sheet_in(text, followed.known)
            assert found is not None
            assert [one.request_id for one in found.records] == ["r-1", "r-2"]


def test_what_was_learnt_elsewhere_is_held_against_the_page() -> None:
    """A copy of the service that lags says what the last page said; a look has seen more: that is no agreement."""
    followed = Followed(0, 1)
    text = body(record(0), record(1))
    sheet_in(text, followed.known)
    followed.learn(record(1, updated_at=BORN + 9))
    found = sheet_in(text, followed.known)

    assert isinstance(found, Sheet)
    assert found.records[1].snapshot is not None
    assert stamp(found.records[1].snapshot.updated_at) == BORN + 5


def test_a_place_that_is_not_known_is_read() -> None:
    """Who was seen without his time of creation is asked for it by each page."""
    followed = Followed(0, 1)
    followed.entries["r-1"].created = None
    for _ in range(2):
        found = sheet_in(body(record(0), record(1)), followed.known)

        assert found is not None
        assert found.records[1].created == BORN - 1
