"""The schedule, in pure virtual time: who is looked at, when, and what is told."""

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from scene import seen

from gmi_video import errors
from gmi_video._entry import Told
from gmi_video._schedule import (
    CONFIRMATIONS,
    EMPTY_FOR,
    GRACE,
    KNOWN,
    LONGEST_HOLD,
    Schedule,
)
from gmi_video.errors import GmiVideoError
from gmi_video.events import Event, Failed, GaveUp, Missed, Progressed, Stalled, Succeeded
from gmi_video.settings import Pace

STEADY = Pace(first=2, growth=1.5, longest=10, jitter=0)
LOST = errors.NotFound("no such request", status=404)
BROKEN = errors.Interrupted("the connection broke")


def a_schedule(*ids: str, pace: Pace = STEADY, now: float = 0.0) -> Schedule:
    """A schedule in which one reader follows these ids."""
    schedule = Schedule(Random(0))
    for request_id in ids:
        schedule.add(request_id, "reader", pace, now)
    return schedule


def only(said: Told) -> Event:
    """The one event that is told."""
    (event,) = said.events
    return event


def wait_of(schedule: Schedule, now: float) -> float:
    """Seconds until the next look."""
    due = schedule.next_due()
    assert due is not None
    return due - now


def looked(schedule: Schedule, now: float, snapshot: Any = None) -> Told:
    """One look at `a`, taken and answered at `now`."""
    assert schedule.take(now) == "a"
    return schedule.observe("a", snapshot or seen(), now)


def missed(schedule: Schedule, now: float, error: GmiVideoError) -> Told:
    """One look at `a` that fails."""
    assert schedule.take(now) == "a"
    return schedule.miss("a", error, now)


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


def test_an_id_that_nobody_knows_is_given_up_after_three_confirmations() -> None:
    """A foreign id is believed to be unknown when three looks a pace apart have said so."""
    schedule = a_schedule("a")
    now, told = 0.0, []
    for _ in range(CONFIRMATIONS):
        told.append(only(missed(schedule, now, LOST)))
        now += 10

    assert [type(event) for event in told] == [Missed, Missed, GaveUp]
    assert isinstance(told[-1], GaveUp)
    assert told[-1].reason == "not found"
    assert (len(schedule), schedule.next_due()) == (0, None)


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


def test_what_is_remembered_does_not_go_back() -> None:
    """An end that was seen is not forgotten for what a lagging copy says later."""
    schedule = Schedule(Random(0))
    schedule.learn(seen(word="failed"), 0.0)
    schedule.learn(seen(word="processing"), 1.0)

    (end,) = schedule.add("a", "reader", STEADY, 2.0)
    assert isinstance(end, Failed)


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


def test_two_readers_of_one_id_share_its_looks() -> None:
    """One look tells both; the pace is that of the more impatient, and stays so only while it is there."""
    calm = Pace(first=50, growth=1, longest=50, jitter=0)
    schedule = a_schedule("a", pace=calm)
    schedule.add("a", "second", STEADY, 0.0)
    said = looked(schedule, 0.0)
    eager = wait_of(schedule, 0.0)
    schedule.drop("a", "second")
    looked(schedule, 2.0)
    looked(schedule, 52.0, seen(at=3))

    assert said.readers == ("reader", "second")
    assert eager == 2.0
    assert wait_of(schedule, 52.0) == 50.0


def test_an_impatient_reader_does_not_wait_for_the_slot_of_a_patient_one() -> None:
    """An id whose next look is far off is looked at within the newcomer's longest wait."""
    schedule = a_schedule("a", pace=Pace(first=500, longest=500, jitter=0))
    looked(schedule, 0.0)
    (first_word,) = schedule.add("a", "second", STEADY, 1.0)

    assert isinstance(first_word, Progressed)
    assert schedule.next_due() == 11.0


def test_the_last_reader_takes_the_id_out() -> None:
    """An id that nobody follows is not looked at."""
    schedule = a_schedule("a")
    schedule.add("a", "second", STEADY, 0.0)
    schedule.drop("a", "reader")
    left = schedule.next_due()
    schedule.drop("a", "second")
    schedule.drop("a", "second")

    assert left == 0.0
    assert (len(schedule), schedule.next_due(), schedule.take(100.0)) == (0, None, None)


@pytest.mark.parametrize(("word", "end"), [("success", Succeeded), ("failed", Failed)])
def test_an_end_that_is_given_costs_no_look(word: str, end: type[Event]) -> None:
    """A reader who brings a finished snapshot is told the end at once."""
    schedule = Schedule(Random(0))
    (event,) = schedule.add("a", "reader", STEADY, 0.0, seen(word=word))

    assert type(event) is end
    assert (len(schedule), schedule.next_due()) == (0, None)


def test_a_success_without_links_that_is_given_is_looked_at() -> None:
    """A finished snapshot that names no file is not the last word."""
    schedule = Schedule(Random(0))
    events = schedule.add("a", "reader", STEADY, 0.0, seen(word="success", links=False))

    assert events == ()
    assert schedule.next_due() == 2.0


def test_a_snapshot_that_is_given_is_told_and_looked_at_soon() -> None:
    """What the caller saw once is the first word; how old it is nobody knows, so a look follows at once."""
    schedule = Schedule(Random(0))
    (event,) = schedule.add("a", "reader", STEADY, 100.0, seen(word="queued"))

    assert isinstance(event, Progressed)
    assert schedule.next_due() == 100.0


def test_what_was_seen_by_the_way_is_known() -> None:
    """A submission's answer is the first look: the watch begins with it, and looks a first wait later."""
    schedule = Schedule(Random(0))
    schedule.learn(seen(word="queued"), 10.0, accepted=True)
    (event,) = schedule.add("a", "reader", STEADY, 11.0)

    assert isinstance(event, Progressed)
    assert schedule.next_due() == 12.0


def test_an_end_is_remembered_for_as_long_as_the_pace_says() -> None:
    """A reader who comes within `remember` seconds of the end costs no look, a later one does."""
    schedule = a_schedule("a")
    looked(schedule, 0.0, seen(word="success"))
    (soon,) = schedule.add("a", "second", STEADY, 600.0)
    late = schedule.add("a", "third", STEADY, 601.0)

    assert isinstance(soon, Succeeded)
    assert late == ()
    assert schedule.take(601.0) == "a"


def test_a_verb_that_sees_the_end_tells_the_readers() -> None:
    """A snapshot that came by another way than a look counts as one, also while a look is under way."""
    schedule = a_schedule("a")
    assert schedule.take(0.0) == "a"
    end = only(schedule.learn(seen(word="success"), 1.0))
    late = schedule.observe("a", seen(word="success"), 2.0)

    assert isinstance(end, Succeeded)
    assert late.events == ()
    assert len(schedule) == 0


def test_a_snapshot_by_the_way_does_not_make_a_second_look() -> None:
    """While a look is under way the id is not due, whatever else is learnt of it."""
    schedule = a_schedule("a")
    assert schedule.take(0.0) == "a"
    schedule.learn(seen(), 1.0)

    assert schedule.next_due() is None
    assert schedule.take(1000.0) is None


def test_an_id_that_comes_back_during_its_look_waits_for_it() -> None:
    """Dropped and watched again while a look is under way: the look under way serves the new reader."""
    schedule = a_schedule("a")
    assert schedule.take(0.0) == "a"
    schedule.drop("a", "reader")
    schedule.add("a", "second", STEADY, 1.0)

    assert schedule.take(1.0) is None
    assert schedule.observe("a", seen(), 2.0).readers == ("second",)
    assert schedule.next_due() == 4.0


def test_a_look_that_was_broken_off_is_due_again() -> None:
    """Cancelling a look loses no id; of an id that is not followed any more nothing is left."""
    schedule = a_schedule("a", "b")
    assert (schedule.take(0.0), schedule.take(0.0)) == ("a", "b")
    schedule.drop("b", "reader")

    assert (schedule.landed("a", 3.0), schedule.landed("b", 3.0), schedule.landed("a", 3.0)) == (
        True,
        False,
        False,
    )
    assert (schedule.take(3.0), schedule.flying) == ("a", 1)


def test_the_failed_look_of_an_id_that_was_dropped_is_nobodys() -> None:
    """Where no reader is left there is nobody to tell."""
    schedule = a_schedule("a")
    schedule.take(0.0)
    schedule.drop("a", "reader")

    assert schedule.miss("a", BROKEN, 1.0) == Told()


def test_clearing_keeps_what_was_seen() -> None:
    """Nobody watches any more; the last snapshots are still known."""
    schedule = a_schedule("a")
    looked(schedule, 0.0, seen(word="success"))
    schedule.add("b", "reader", STEADY, 0.0)
    schedule.clear()

    assert (len(schedule), schedule.next_due()) == (0, None)
    assert schedule.known("a", 1.0, STEADY) is not None
    assert schedule.last("b") is None


def test_memory_is_bounded_by_what_is_watched() -> None:
    """Ids that came and went leave neither due times nor more than a fixed number of memories."""
    schedule = Schedule(Random(0))
    for number in range(KNOWN + 500):
        schedule.add(f"id-{number}", "reader", STEADY, 0.0)
        schedule.learn(seen(f"id-{number}"), 0.0)
        schedule.drop(f"id-{number}", "reader")

    assert len(schedule._known) == KNOWN
    assert len(schedule._heap) < 1100
    assert schedule.known("id-0", 0.0, STEADY) is None
    assert schedule.known(f"id-{KNOWN + 499}", 0.0, STEADY) is not None


def test_equal_seeds_give_equal_schedules() -> None:
    """All chance comes from the generator that was handed in."""

    def dues(seed: int) -> list[float]:
        schedule = Schedule(Random(seed))
        schedule.add("a", "reader", Pace(), 0.0)
        now, found = 0.0, []
        for _ in range(20):
            looked(schedule, now)
            now += wait_of(schedule, now)
            found.append(now)
        return found

    assert dues(3) == dues(3)
    assert dues(3) != dues(4)


IDS = strategies.sampled_from(["a", "b", "c", "d"])
READERS = strategies.sampled_from(["r", "s", "t"])
PACES = strategies.sampled_from([Pace(jitter=0.2), Pace(first=1, longest=5), Pace(first=20, longest=40)])
WORDS = strategies.sampled_from(["queued", "processing", "paused", "success", "failed", "cancelled"])
ERRORS = strategies.sampled_from(
    [BROKEN, LOST, errors.ServiceError("x", status=503, retry_after=7), errors.ServiceError("x", status=500)]
)


class ScheduleMachine(RuleBasedStateMachine):
    """Random readers, looks, answers, failures and holds, against what must always be true."""

    def __init__(self) -> None:
        super().__init__()
        self.schedule = Schedule(Random(1))
        self.now = 0.0
        self.held = 0.0
        self.flying: set[str] = set()
        self.watched: set[tuple[str, str]] = set()
        self.earliest: dict[str, float] = {}
        self.finals: Counter[tuple[str, str]] = Counter()

    def hear(self, said: Told) -> None:
        for event in said.events:
            for reader in said.readers:
                self.hear_one(event, reader)

    def hear_one(self, event: Event, reader: str) -> None:
        pair = (event.request_id, reader)
        assert pair in self.watched, "told somebody who does not follow it"
        if event.final:
            self.finals[pair] += 1
            self.watched.discard(pair)

    def ids(self) -> set[str]:
        return {request_id for request_id, _ in self.watched}

    @rule(request_id=IDS, reader=READERS, pace=PACES, given=strategies.none() | WORDS)
    def add(self, request_id: str, reader: str, pace: Pace, given: str | None) -> None:
        if (request_id, reader) in self.watched:
            return
        if request_id not in self.ids():
            self.earliest.pop(request_id, None)
        self.watched.add((request_id, reader))
        snapshot = seen(request_id, given) if given else None
        self.earliest[request_id] = self.now if pace.first < 20 else self.earliest.get(request_id, self.now)
        for event in self.schedule.add(request_id, reader, pace, self.now, snapshot):
            self.hear_one(event, reader)

    @rule(request_id=IDS, reader=READERS)
    def drop(self, request_id: str, reader: str) -> None:
        self.watched.discard((request_id, reader))
        self.schedule.drop(request_id, reader)

    @rule()
    def take(self) -> None:
        request_id = self.schedule.take(self.now)
        if request_id is None:
            return
        assert self.now >= self.held, "taken during a hold"
        assert request_id not in self.flying, "two looks at one id"
        assert request_id in self.ids(), "nobody follows it"
        assert self.now >= self.earliest.get(request_id, 0.0), "taken before it was due"
        self.flying.add(request_id)

    @precondition(lambda self: self.flying)
    @rule(word=WORDS, links=strategies.booleans(), at=strategies.integers(0, 3), data=strategies.data())
    def observe(self, word: str, links: bool, at: int, data: Any) -> None:
        request_id = data.draw(strategies.sampled_from(sorted(self.flying)))
        self.flying.discard(request_id)
        self.hear(self.schedule.observe(request_id, seen(request_id, word, at, links=links), self.now))
        self.earliest[request_id] = self.now + 0.8

    @precondition(lambda self: self.flying)
    @rule(error=ERRORS, data=strategies.data())
    def miss(self, error: GmiVideoError, data: Any) -> None:
        request_id = data.draw(strategies.sampled_from(sorted(self.flying)))
        self.flying.discard(request_id)
        said = self.schedule.miss(request_id, error, self.now)
        self.hear(said)
        for event in said.events:
            if isinstance(event, Missed):
                assert event.look_again_in >= max(0.8, getattr(error, "retry_after", None) or 0)
                self.earliest[request_id] = self.now + event.look_again_in

    @precondition(lambda self: self.flying)
    @rule(data=strategies.data())
    def broken_off(self, data: Any) -> None:
        request_id = data.draw(strategies.sampled_from(sorted(self.flying)))
        self.flying.discard(request_id)
        self.schedule.landed(request_id, self.now)
        self.earliest[request_id] = self.now

    @rule(request_id=IDS, word=WORDS)
    def learn(self, request_id: str, word: str) -> None:
        self.hear(self.schedule.learn(seen(request_id, word), self.now))
        if request_id not in self.flying:
            self.earliest[request_id] = self.now + 0.8 if request_id in self.ids() else self.now

    @rule(seconds=strategies.floats(0, 60))
    def hold(self, seconds: float) -> None:
        self.held = max(self.held, self.now + seconds)
        self.schedule.hold(self.now + seconds)

    @rule(seconds=strategies.sampled_from([0.0, 0.5, 1.7, 12.0, 100.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def no_id_is_forgotten(self) -> None:
        assert len(self.schedule) == len(self.ids())
        assert self.schedule.flying == len(self.flying)
        if self.ids() - self.flying:
            assert self.schedule.next_due() is not None

    def teardown(self) -> None:
        """Every id that is still followed ends, in one final event for each of its readers."""
        waiting = set(self.watched)
        before = dict(self.finals)
        for request_id in sorted(self.flying):
            self.hear(self.schedule.observe(request_id, seen(request_id, "success"), self.now))
        while self.watched:
            due = self.schedule.next_due()
            assert due is not None, "an id was forgotten"
            self.now = max(self.now, due)
            request_id = self.schedule.take(self.now)
            assert request_id is not None
            self.hear(self.schedule.observe(request_id, seen(request_id, "success"), self.now))
        assert all(self.finals[pair] == before.get(pair, 0) + 1 for pair in waiting)


TestSchedule = ScheduleMachine.TestCase
TestSchedule.settings = settings(max_examples=150, stateful_step_count=40)
