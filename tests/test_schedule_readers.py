"""Readers of a schedule: several of one id, what they bring, what they are told at once."""

from random import Random

import pytest
from looking import BROKEN, LOST, STEADY, a_schedule, looked, missed, only, wait_of
from scene import seen

from gmi_video._entry import CONFIRMATIONS, Told, eager
from gmi_video._schedule import (
    KNOWN,
    Schedule,
)
from gmi_video.events import Event, Failed, GaveUp, Missed, Progressed, Succeeded
from gmi_video.settings import Pace


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


def test_what_is_remembered_does_not_go_back() -> None:
    """An end that was seen is not forgotten for what a lagging copy says later."""
    schedule = Schedule(Random(0))
    schedule.learn(seen(word="failed"), 0.0)
    schedule.learn(seen(word="processing"), 1.0)

    (end,) = schedule.add("a", "reader", STEADY, 2.0)
    assert isinstance(end, Failed)


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


def test_the_pace_of_several_readers_is_the_most_eager_in_everything() -> None:
    """Each wish is that of the reader who wants it most; an end is remembered for the one who wants it longest."""
    one = Pace(first=1, growth=3, longest=50, jitter=0.1, stalled_after=100, remember=5)
    two = Pace(first=2, growth=2, longest=40, jitter=0.2, stalled_after=50, remember=9)
    both = Pace(first=1, growth=2, longest=40, jitter=0.1, stalled_after=50, remember=9)

    assert eager(iter((one, two))) == eager(iter((two, one))) == both
    assert eager(iter((one,))) == one


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
    assert schedule.add("a", "reader", STEADY, 1.0) != ()
    assert schedule.entry("b") is None


def test_memory_is_bounded_by_what_is_watched() -> None:
    """Ids that came and went leave neither due times nor more than a fixed number of memories."""
    schedule = Schedule(Random(0))
    for number in range(KNOWN + 500):
        schedule.add(f"id-{number}", "reader", STEADY, 0.0)
        schedule.learn(seen(f"id-{number}"), 0.0)
        schedule.drop(f"id-{number}", "reader")

    assert len(schedule._known) == KNOWN
    assert len(schedule._heap) < 1100
    assert schedule.add("id-0", "reader", STEADY, 0.0) == ()
    assert schedule.add(f"id-{KNOWN + 499}", "reader", STEADY, 0.0) != ()


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


def test_of_two_ends_the_first_holds_for_who_comes_later() -> None:
    """A request that was told as done stays done: what contradicts it afterwards is counted, not told."""
    schedule = a_schedule("a")
    looked(schedule, 0.0, seen(word="success"))
    schedule.learn(seen(word="failed", at=5), 1.0)
    schedule.learn(seen(word="processing", at=9), 2.0)
    (late,) = schedule.add("a", "another", STEADY, 3.0)

    assert isinstance(late, Succeeded)
    assert schedule.regressions == 2


def test_a_second_success_may_bring_newer_links() -> None:
    """The same end again replaces what is remembered: its links may have been signed anew."""
    schedule = a_schedule("a")
    looked(schedule, 0.0, seen(word="success"))
    schedule.learn(seen(word="success", at=50), 1.0)
    (late,) = schedule.add("a", "another", STEADY, 3.0)

    assert isinstance(late, Succeeded)
    assert late.snapshot == seen(word="success", at=50)


def test_a_flood_of_others_drives_out_no_end() -> None:
    """Ends are remembered for `Pace.remember`, however many ids that run come and go meanwhile."""
    schedule = Schedule(Random(0))
    schedule.learn(seen("done", "success"), 0.0)
    for number in range(KNOWN + 1):
        schedule.learn(seen(f"id-{number}"), 1.0)

    assert schedule.known("done", 600.0, STEADY) is not None
    assert schedule.known("id-0", 600.0, STEADY) is None


def test_as_many_ends_are_remembered_as_were_promised() -> None:
    """Of more than ten thousand ends within `Pace.remember` the last ten thousand are kept, and none after its time."""
    schedule = Schedule(Random(0))
    for number in range(KNOWN + 10):
        schedule.learn(seen(f"id-{number}", "success"), number / 1000)
    kept = [schedule.known(f"id-{number}", 600.0, STEADY) is not None for number in (9, 10, KNOWN + 9)]
    schedule.learn(seen("later", "success"), 605.0)

    assert kept == [False, True, True]
    assert schedule.known("id-4000", 604.1, STEADY) is None
    assert len(schedule._known) == KNOWN - 4989


def test_who_wants_to_remember_longer_may() -> None:
    """An end is believed for each reader's own time, and kept for the longest of them."""
    schedule = Schedule(Random(0))
    schedule.add("other", "reader", Pace(remember=5000), 0.0)
    schedule.learn(seen("done", "success"), 0.0)
    schedule.learn(seen("later", "success"), 4000.0)

    assert schedule.known("done", 4000.0, STEADY) is None
    assert schedule.known("done", 4000.0, Pace(remember=5000)) is not None
    assert schedule.known("done", 5001.0, Pace(remember=5000)) is None
