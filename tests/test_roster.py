"""Ids that were never seen: as good as entries to whoever asks, and no objects to whoever collects garbage."""

import gc
from random import Random

from scene import seen

from gmi_video._schedule import Schedule
from gmi_video.events import Progressed
from gmi_video.settings import Pace

PACE = Pace(jitter=0)


def a_schedule(count: int, pace: Pace = PACE, now: float = 0.0) -> Schedule:
    """Somebody follows so many ids, of which nothing is known."""
    schedule = Schedule(Random(0))
    for number in range(count):
        schedule.add(f"r-{number}", "reader", pace, now)
    return schedule


def test_an_id_of_which_nothing_is_known_is_no_object() -> None:
    """A hundred thousand ids give the garbage collector some hundreds of objects more to walk through."""
    gc.collect()
    before = len(gc.get_objects())
    many = a_schedule(100_000)
    gc.collect()

    assert len(many) == 100_000
    assert len(gc.get_objects()) - before < 3000


def test_to_look_at_an_id_from_outside_changes_nothing() -> None:
    """What is read of an unseen id is what an entry would say; it stays as it is."""
    schedule = a_schedule(3, now=7.0)
    entry = schedule.entry("r-1")

    assert entry is not None
    assert (entry.request_id, entry.pace, entry.at, entry.form) == ("r-1", PACE, 7.0, None)
    assert schedule.entry("r-1") is not entry
    assert schedule.entry("another") is None


def test_an_unseen_id_may_have_several_readers_and_lose_them() -> None:
    """Each reader is told what is seen of it; the last one to leave takes it out."""
    schedule = a_schedule(3)
    schedule.add("r-1", "another", PACE, 1.0)
    told = schedule.learn(seen("r-1"), 2.0)
    schedule.drop("r-1", "reader")
    kept = "r-1" in schedule._entries
    schedule.drop("r-1", "another")
    schedule.drop("r-2", "another")
    schedule.drop("r-2", "reader")

    assert told.readers == ("reader", "another")
    assert isinstance(told.events[0], Progressed)
    assert kept
    assert list(schedule._entries) == ["r-0"]


def test_unseen_ids_are_looked_at_in_the_order_in_which_they_came() -> None:
    """Where no page is read, who came first is first; who was seen since waits until all were."""
    schedule = a_schedule(3, Pace(sweep="never", jitter=0))
    for number in range(3, 6):
        schedule.add(f"r-{number}", "reader", Pace(sweep="never", jitter=0), 1.0)
    taken = []
    for _ in range(6):
        name = schedule.take(100.0)
        assert name is not None
        taken.append(name)
        schedule.observe(name, seen(name), 5.0)

    assert taken == [f"r-{number}" for number in range(6)]
    assert schedule.take(100.0) == "r-0"


def test_clearing_forgets_unseen_ids_in_slices() -> None:
    """So many at once as are asked for, until there are none."""
    schedule = a_schedule(25)
    slices = [schedule.clear(10) for _ in range(3)]

    assert slices == [True, True, False]
    assert (len(schedule), schedule.next_due()) == (0, None)
