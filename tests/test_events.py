"""Events: which of them end an id, and that they are written and read back."""

import copy
import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from gmi_video import errors
from gmi_video.errors import MalformedResponse
from gmi_video.events import Cancelled, Event, Failed, GaveUp, Missed, Progressed, Stalled, Succeeded
from gmi_video.records import Failure, Media, Outcome, Snapshot, Status

CANARY = "canary-7f3a"
NOW = datetime(2025, 7, 25, tzinfo=UTC)


def _seen(status: Status, **more: Any) -> Snapshot:
    return Snapshot(
        request_id="r-1", model="Veo3", status=status, created_at=NOW, payload={"prompt": CANARY}, **more
    )


DONE = _seen(Status.SUCCESS, outcome=Outcome(media=(Media(f"https://a.example.com/a.mp4?sig={CANARY}"),)))
COMMON: dict[str, Any] = {"request_id": "r-1", "key": "row-7", "elapsed": 1.5}
EVENTS: list[Event] = [
    Progressed(**COMMON, snapshot=_seen(Status.QUEUED)),
    Progressed(**COMMON, previous=Status.QUEUED, snapshot=_seen(Status.UNKNOWN, word="warming up")),
    Missed(
        **COMMON,
        error=errors.RateLimited("slow down", status=429, retry_after=3.5),
        look_again_in=4.0,
        misses=2,
    ),
    Stalled(**COMMON, snapshot=_seen(Status.QUEUED), reason="frozen"),
    Succeeded(**COMMON, snapshot=DONE),
    Failed(**COMMON, snapshot=_seen(Status.FAILED, failure=Failure(kind="content", message="no"))),
    Cancelled(**COMMON, snapshot=_seen(Status.CANCELLED, failure=Failure(message="by hand"))),
    GaveUp(**COMMON, snapshot=_seen(Status.PROCESSING), reason="deadline"),
    GaveUp(**COMMON, reason="not found"),
]
FINAL = (Succeeded, Failed, Cancelled, GaveUp)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_is_written_as_json_and_read_back(event: Event) -> None:
    """The dict of an event is JSON that names its class, and `Event.from_dict` gives the event back."""
    data = json.loads(json.dumps(event.as_dict()))

    assert type(event).__name__.lower() == data["event"]
    assert event == Event.from_dict(data)
    assert type(event) is type(Event.from_dict(data))
    assert event == type(event).from_dict(data)


def test_a_missed_look_brings_its_error_back() -> None:
    """The error of a `Missed` is read back as its class, with its attributes."""
    missed = next(event for event in EVENTS if isinstance(event, Missed))

    read = Missed.from_dict(missed.as_dict())

    assert isinstance(read.error, errors.RateLimited)
    assert (str(read.error), read.error.status, read.error.retry_after) == ("slow down", 429, 3.5)


@pytest.mark.parametrize(
    "data", [{}, {"event": "tomorrow", "request_id": "r"}, {"event": None}, {"event": []}]
)
def test_an_unknown_event_is_refused(data: dict[str, Any]) -> None:
    """A dict that names no event of ours raises `MalformedResponse` at `event`."""
    with pytest.raises(MalformedResponse) as caught:
        Event.from_dict(data)

    assert caught.value.path == "event"


def test_an_event_of_another_class_is_refused() -> None:
    """`Failed.from_dict` does not make a failure of a success."""
    with pytest.raises(MalformedResponse, match="failed"):
        Failed.from_dict(EVENTS[4].as_dict())


@pytest.mark.parametrize(
    "broken",
    [
        {"event": "succeeded", "request_id": "r-1"},
        {"event": "succeeded", "request_id": "r-1", "snapshot": {"model": "Veo3"}},
        {"event": "gaveup", "request_id": "r-1", "reason": "bored"},
        {"event": "missed", "request_id": "r-1", "error": 5, "look_again_in": 1},
        {"event": "progressed", "request_id": "r-1", "previous": "odd", "snapshot": {"request_id": "r"}},
    ],
)
def test_a_broken_event_is_refused(broken: dict[str, Any]) -> None:
    """An event that lacks what its class promises raises `MalformedResponse`."""
    with pytest.raises(MalformedResponse):
        Event.from_dict(broken)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_four_events_end_an_id(event: Event) -> None:
    """`final` is true of just the events after which nothing follows."""
    assert isinstance(event, FINAL) == event.final == type(event).final


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_events_copy_pickle_and_hash(event: Event) -> None:
    """Events survive copy, deepcopy and pickle as equal values, and may stand in a set."""
    assert {event} == {copy.copy(event), copy.deepcopy(event), pickle.loads(pickle.dumps(event))}


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_no_repr_of_an_event_shows_payload_or_query(event: Event) -> None:
    """An event may be logged: its repr holds neither payload nor query."""
    assert CANARY not in repr(event)
