"""The schedule, in pure virtual time: who is looked at, when, and what is told."""

from random import Random

import pytest
from looking import BROKEN, LOST, STEADY, a_schedule, looked, missed, only, wait_of
from scene import seen

from gmi_video import errors
from gmi_video._entry import EMPTY_FOR, GRACE, Told
from gmi_video._schedule import (
    LONGEST_HOLD,
    Schedule,
)
from gmi_video.events import Event, GaveUp, Missed, Progressed, Stalled, Succeeded
from gmi_video.settings import Pace


def test_a_new_id_is_due_at_once_and_taken_once() -> None:
    """An id is looked at when it comes, and not again before that look has ended."""
    schedule = a_schedule("a", now=7.0)

    assert schedule.next_due() == 7.0
    assert (schedule.take(7.0), schedule.take(7.0), schedule.flying) == ("a", None, 1)


def test_nothing_is_taken_before_it_is_due() -> None:
    """A look that is due later is not handed out now."""
    schedule = a_schedule("a")
    looked(schedule, 0.0)

    assert schedule.take(1.999) is None
    assert schedule.take(2.0) == "a"


def test_waits_grow_up_to_the_longest() -> None:
    """Each look that brings nothing new is followed by a wait that is longer by `growth`, never above `longest`."""
    schedule = a_schedule("a")
    now, waits = 0.0, []
    for _ in range(8):
        looked(schedule, now)
        waits.append(wait_of(schedule, now))
        now += waits[-1]

    assert waits == [2.0, 3.0, 4.5, 6.75, 10.0, 10.0, 10.0, 10.0]


def test_a_change_makes_looks_frequent_again() -> None:
    """A request that has just moved is looked at after `first` seconds."""
    schedule = a_schedule("a")
    now = 0.0
    for _ in range(5):
        looked(schedule, now)
        now += wait_of(schedule, now)
    looked(schedule, now, seen(at=5))

    assert wait_of(schedule, now) == 2.0


def test_a_state_of_which_nothing_is_known_is_looked_at_seldom() -> None:
    """A status word that is new to us waits for the longest interval, whatever its model is known for, until it moves."""
    schedule = a_schedule("a")
    for _ in range(20):
        schedule.cadence.of("Veo3").ended(0.0, 3.0)
    looked(schedule, 0.0, seen(word="paused"))
    first = wait_of(schedule, 0.0)
    looked(schedule, 10.0, seen(word="paused"))
    second = wait_of(schedule, 10.0)
    looked(schedule, 20.0, seen(word="processing", at=9))

    assert (first, second) == (10.0, 10.0)
    assert wait_of(schedule, 20.0) < 10.0


def test_jitter_stays_within_its_share_and_below_the_longest() -> None:
    """Each wait is that of the pace ± `jitter`, and never longer than `longest`."""
    schedule = a_schedule("a", pace=Pace(first=8, growth=1, longest=9, jitter=0.25))
    now, waits = 0.0, []
    for _ in range(300):
        looked(schedule, now)
        waits.append(wait_of(schedule, now))
        now += waits[-1]

    assert 6.0 <= min(waits) < 6.2
    assert max(waits) == pytest.approx(9.0)


def test_the_first_look_tells_the_state_and_each_change_is_told_with_the_state_before() -> None:
    """`Progressed` comes for the first sight and for each change, and not in between."""
    schedule = a_schedule("a")
    first = only(looked(schedule, 0.0, seen(word="queued")))
    nothing = looked(schedule, 2.0, seen(word="queued"))
    moved = only(looked(schedule, 5.0, seen(word="processing", at=9)))

    assert isinstance(first, Progressed)
    assert (first.previous, first.snapshot.word) == (None, "queued")
    assert nothing.events == ()
    assert isinstance(moved, Progressed)
    assert (moved.previous, moved.snapshot.word) == ("queued", "processing")


def test_a_missed_look_slips_to_the_next_slot() -> None:
    """A failed look is an event that says when the next one follows; it is never repeated at once."""
    schedule = a_schedule("a")
    first, second = only(missed(schedule, 0.0, BROKEN)), only(missed(schedule, 3.0, BROKEN))
    looked(schedule, 7.5)
    again = only(missed(schedule, 9.5, BROKEN))

    assert isinstance(first, Missed)
    assert (first.error, first.look_again_in, first.misses) == (BROKEN, 3.0, 1)
    assert isinstance(second, Missed)
    assert (second.look_again_in, second.misses) == (4.5, 2)
    assert isinstance(again, Missed)
    assert again.misses == 1


def test_a_look_that_succeeds_takes_confirmations_back() -> None:
    """Only 404 in a row count."""
    schedule = a_schedule("a")
    for now in (0.0, 10.0):
        missed(schedule, now, LOST)
    looked(schedule, 20.0)
    for now in (30.0, 40.0):
        missed(schedule, now, LOST)

    assert isinstance(only(missed(schedule, 50.0, BROKEN)), Missed)
    assert isinstance(only(missed(schedule, 60.0, LOST)), GaveUp)


@pytest.mark.parametrize("accepted", [0.0, 5.0])
def test_a_request_that_was_just_accepted_may_be_unknown_for_a_while(accepted: float) -> None:
    """For two minutes from its acceptance a 404 only says that a copy of the service lags."""
    schedule = Schedule(Random(0))
    schedule.learn(seen(word="queued"), accepted, accepted=True)
    schedule.add("a", "reader", STEADY, accepted)
    now = accepted + 2
    while now < accepted + GRACE:
        assert isinstance(only(missed(schedule, now, LOST)), Missed)
        now += 10

    assert isinstance(only(missed(schedule, now, LOST)), Missed)
    assert isinstance(only(missed(schedule, now + 10, LOST)), Missed)
    assert isinstance(only(missed(schedule, now + 20, LOST)), GaveUp)


def test_a_rate_limit_holds_every_look() -> None:
    """What the service asks to wait is waited by all ids, and a shorter wish does not shorten it."""
    schedule = a_schedule("a", "b")
    event = only(missed(schedule, 0.0, errors.RateLimited("slow down", status=429, retry_after=30)))
    schedule.hold(10.0)

    assert isinstance(event, Missed)
    assert event.look_again_in == 30
    assert schedule.next_due() == 30.0
    assert schedule.take(29.9) is None
    assert {schedule.take(30.0), schedule.take(30.0)} == {"a", "b"}


def test_a_rate_limit_holds_though_nobody_follows_its_id_any_more() -> None:
    """What the service asks for does not depend on who still waits for that very answer."""
    schedule = a_schedule("a", "b")
    schedule.take(0.0)
    schedule.drop("a", "reader")
    schedule.miss("a", errors.RateLimited("slow down", status=429, retry_after=30), 0.0)

    assert schedule.next_due() == 30.0


def test_a_rate_limit_that_names_no_time_only_slips() -> None:
    """Without a time to wait, other ids are looked at as before."""
    schedule = a_schedule("a", "b")
    missed(schedule, 0.0, errors.RateLimited("slow down", status=429))

    assert schedule.take(0.0) == "b"


def test_a_service_in_trouble_delays_only_its_own_id() -> None:
    """A 503's wish is kept for the id it was said about."""
    schedule = a_schedule("a", "b")
    missed(schedule, 0.0, errors.ServiceError("trouble", status=503, retry_after=50))

    assert schedule.take(0.0) == "b"
    assert schedule.next_due() == 50.0


def test_no_wish_of_the_service_ends_looking() -> None:
    """A `Retry-After` of years holds looks for an hour."""
    schedule = a_schedule("a")
    missed(schedule, 0.0, errors.RateLimited("slow down", status=429, retry_after=1e9))

    assert schedule.next_due() == LONGEST_HOLD


def test_a_lagging_copy_is_not_believed() -> None:
    """After a success an unfinished state is counted, not told; so is one that moved last before what is known."""
    schedule = a_schedule("a")
    looked(schedule, 0.0, seen(word="processing", at=50))
    older = looked(schedule, 2.0, seen(word="queued", at=10))
    looked(schedule, 5.0, seen(word="success", at=60, links=False))
    back = looked(schedule, 7.0, seen(word="processing", at=70))
    end = only(looked(schedule, 10.0, seen(word="success", at=60)))

    assert (older.events, back.events, schedule.regressions) == ((), (), 2)
    assert isinstance(end, Succeeded)


def test_a_success_without_links_is_asked_again_before_it_is_believed() -> None:
    """Links may come late: for half a minute a success that names no file is looked at again, often."""
    schedule = a_schedule("a", pace=Pace(first=5, growth=2, longest=60, jitter=0))
    now, looks = 0.0, 0
    said = Told()
    while not said.events:
        said = looked(schedule, now, seen(word="success", links=False))
        looks += 1
        now += wait_of(schedule, now) if schedule.next_due() else 0

    assert isinstance(only(said), Succeeded)
    assert now >= EMPTY_FOR
    assert looks == 5  # after 0, 5, 15, 25 and 35 seconds


def test_links_that_come_late_end_the_wait_at_once() -> None:
    """The first success that names a file is the end."""
    schedule = a_schedule("a")
    waiting = looked(schedule, 0.0, seen(word="success", links=False))
    end = only(looked(schedule, 2.0, seen(word="success")))

    assert waiting.events == ()
    assert isinstance(end, Succeeded)
    assert end.snapshot.outcome is not None


@pytest.mark.parametrize(("word", "reason"), [("queued", "frozen"), ("paused", "unknown status")])
def test_a_request_that_never_moves_is_reported_once(word: str, reason: str) -> None:
    """`Stalled` comes once after `stalled_after` seconds without a change, and the watch goes on."""
    schedule = a_schedule("a", pace=Pace(first=100, growth=1, longest=100, jitter=0, stalled_after=1000))
    told: list[Event] = []
    for now in range(0, 3000, 100):
        told.extend(looked(schedule, now, seen(word=word)).events)
    told.extend(looked(schedule, 3000, seen(word=word, at=1)).events)
    for now in range(3100, 4200, 100):
        told.extend(looked(schedule, now, seen(word=word, at=1)).events)

    stalled = [event for event in told if isinstance(event, Stalled)]
    assert [event.reason for event in stalled] == [reason, reason]
    assert len(schedule) == 1
