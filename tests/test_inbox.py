"""The reader's side of a watch: what waits, what is merged, and when an id is overdue."""

from collections.abc import Iterator

import pytest
from scene import seen

from gmi_video import errors
from gmi_video._inbox import Inbox
from gmi_video.events import Event, Failed, Missed, Progressed, Stalled, Succeeded


def progressed(word: str = "processing", before: str | None = None, request_id: str = "a") -> Progressed:
    return Progressed(
        request_id=request_id,
        snapshot=seen(request_id, word),
        previous=seen(word=before).status if before else None,
    )


def missed(misses: int) -> Missed:
    return Missed(request_id="a", error=errors.TimedOut("late"), look_again_in=3, misses=misses)


def succeeded(request_id: str = "a") -> Succeeded:
    return Succeeded(request_id=request_id, snapshot=seen(request_id, "success"))


def popped(inbox: Inbox) -> Iterator[Event]:
    while (event := inbox.pop()) is not None:
        yield event


def an_inbox(*ids: str, deadline: float | None = None) -> Inbox:
    """An inbox that follows these ids since the tenth second, each under its name in capitals."""
    inbox = Inbox(deadline)
    for request_id in ids:
        inbox.take_in(request_id, request_id.upper(), 10.0)
    return inbox


def test_an_event_comes_out_in_the_readers_terms() -> None:
    """The key that the reader gave and the seconds since the id was taken stand on the event."""
    inbox = an_inbox("a")

    assert inbox.put(progressed(), 14.5)
    event = inbox.pop()
    assert event is not None
    assert (event.request_id, event.key, event.elapsed) == ("a", "A", 4.5)
    assert inbox.pop() is None


def test_an_id_is_taken_in_once() -> None:
    """A second taking changes neither its key nor its beginning."""
    inbox = an_inbox("a")

    assert inbox.take_in("a", "other", 99.0) is False
    assert (len(inbox), "a" in inbox, "b" in inbox) == (1, True, False)


def test_nobody_hears_of_ids_that_are_not_followed() -> None:
    """What is told of a stranger is not kept."""
    inbox = an_inbox("a")

    assert inbox.put(progressed(request_id="b"), 11.0) is False
    assert (inbox.pop(), inbox.waiting) == (None, 0)


def test_a_final_event_ends_the_following_and_is_counted() -> None:
    """After the end nothing more of that id is taken."""
    inbox = an_inbox("a", "b")
    inbox.put(succeeded(), 11.0)

    assert inbox.put(progressed(), 12.0) is False
    assert (len(inbox), inbox.finished, inbox.waiting) == (1, 1, 1)
    assert [type(event) for event in popped(inbox)] == [Succeeded]


def test_what_a_slow_reader_did_not_take_is_merged() -> None:
    """Of undelivered events one of each class stays, progress from its first to its last state."""
    inbox = an_inbox("a")
    inbox.put(progressed("queued"), 11.0)
    inbox.put(missed(1), 12.0)
    inbox.put(progressed("processing", before="queued"), 13.0)
    inbox.put(missed(2), 14.0)
    inbox.put(Stalled(request_id="a", snapshot=seen(), reason="frozen"), 15.0)
    inbox.put(succeeded(), 16.0)
    events = list(popped(inbox))

    assert [type(event) for event in events] == [Progressed, Missed, Stalled, Succeeded]
    first, second = events[:2]
    assert isinstance(first, Progressed)
    assert (first.previous, first.snapshot.word, first.elapsed) == (None, "processing", 3.0)
    assert isinstance(second, Missed)
    assert second.misses == 2


def test_a_final_event_is_never_merged_away() -> None:
    """An id that was watched again after its end has two ends, both of which are told."""
    inbox = an_inbox("a")
    inbox.put(succeeded(), 11.0)
    inbox.take_in("a", "again", 12.0)
    inbox.put(succeeded(), 13.0)

    assert [event.key for event in popped(inbox)] == ["A", "again"]


def test_ids_take_turns() -> None:
    """A chatty id does not stand before the others."""
    inbox = an_inbox("a", "b")
    inbox.put(progressed(), 11.0)
    inbox.put(missed(1), 12.0)
    inbox.put(progressed(request_id="b"), 13.0)

    assert [(event.request_id, type(event)) for event in popped(inbox)] == [
        ("a", Progressed),
        ("b", Progressed),
        ("a", Missed),
    ]


def test_leaving_forgets_what_was_not_told() -> None:
    """An id that was dropped says nothing more, not even what was waiting; coming back it starts anew."""
    inbox = an_inbox("a", "b")
    inbox.put(progressed(), 11.0)
    inbox.put(progressed(request_id="b"), 11.0)
    inbox.leave("a")
    inbox.leave("a")
    inbox.take_in("a", "new", 20.0)
    inbox.put(progressed("queued"), 21.0)

    assert [(event.request_id, event.key, event.elapsed) for event in popped(inbox)] == [
        ("a", "new", 1.0),
        ("b", "B", 1.0),
    ]


def test_a_deadline_counts_from_when_an_id_was_taken_in() -> None:
    """Ids are overdue one after the other, each only once."""
    inbox = Inbox(60.0)
    inbox.take_in("a", None, 0.0)
    inbox.take_in("b", None, 5.0)

    assert inbox.next_deadline() == 60.0
    assert (inbox.overdue(59.9), inbox.overdue(60.0), inbox.overdue(64.9), inbox.overdue(100.0)) == (
        [],
        ["a"],
        [],
        ["b"],
    )
    assert inbox.next_deadline() is None


def test_an_id_that_ended_or_left_is_never_overdue() -> None:
    """A deadline is that of the present stay: one that left and came again has its whole time."""
    inbox = an_inbox("a", "b", "c", deadline=60.0)
    inbox.put(Failed(request_id="a", snapshot=seen("a", "failed")), 11.0)
    inbox.leave("b")
    inbox.leave("c")
    inbox.take_in("c", None, 30.0)

    assert inbox.next_deadline() == 90.0
    assert inbox.overdue(89.0) == []
    assert inbox.overdue(90.0) == ["c"]


@pytest.mark.parametrize("deadline", [None, 60.0])
def test_an_empty_inbox_has_nothing_due(deadline: float | None) -> None:
    """Without ids there is no deadline."""
    assert Inbox(deadline).next_deadline() is None
    assert an_inbox("a").next_deadline() is None


def test_states_are_counted_as_they_were_told() -> None:
    """Each followed id counts in the state of its last progress, and no more once it ended or left."""
    inbox = an_inbox("a", "b", "c")
    for name in ("a", "b", "c"):
        inbox.put(progressed("queued", request_id=name), 11.0)
    inbox.put(progressed("processing", before="queued", request_id="b"), 12.0)
    inbox.put(missed(1), 12.5)
    both = dict(inbox.statuses)
    inbox.put(succeeded("b"), 13.0, seen(word="processing").status)
    inbox.leave("c", seen(word="queued").status)
    inbox.leave("c", seen(word="queued").status)

    assert both == {"queued": 2, "processing": 1}
    assert +inbox.statuses == {"queued": 1}


def test_an_inbox_is_emptied_in_slices() -> None:
    """As many ids leave as are asked for, each once, with what waited of them and with their deadlines."""
    inbox = an_inbox(*(f"{number}" for number in range(25)), deadline=5.0)
    for number in range(25):
        inbox.put(progressed(request_id=f"{number}"), 11.0)
    slices = [inbox.empty(10) for _ in range(4)]

    assert [len(left) for left in slices] == [10, 10, 5, 0]
    assert len({name for left in slices for name in left}) == 25
    assert (len(inbox), inbox.waiting, inbox.next_deadline()) == (0, 0, None)
