"""How long ago the oldest was seen: told without a walk through those who are followed."""

from random import Random
from typing import Literal

import pytest
from looking import BROKEN, looked
from queueworld import Follower, Oddities, Queue
from scene import seen

from gmi_video._schedule import Schedule
from gmi_video._sheet import sheet_of
from gmi_video.settings import Pace

NEVER = Pace(sweep="never", jitter=0, longest=10)


def a_schedule(*ids: str, pace: Pace = NEVER) -> Schedule:
    """Somebody follows these since the start, each a little later."""
    schedule = Schedule(Random(0))
    for number, name in enumerate(ids):
        schedule.add(name, "reader", pace, 5.0 * number)
    return schedule


def test_the_oldest_is_the_one_that_came_first_and_was_not_seen() -> None:
    """An id that waits for its first look, or is being looked at, counts from when it came."""
    schedule = a_schedule("a", "b", "c")
    waiting = schedule.unseen(20.0)
    schedule.take(20.0)
    flying = schedule.unseen(21.0)
    schedule.miss("a", BROKEN, 22.0)
    missed = schedule.unseen(23.0)
    schedule.learn(seen("a"), 24.0)

    assert (waiting, flying, missed) == (20.0, 21.0, 23.0)
    assert schedule.unseen(25.0) == 20.0


def test_nobody_followed_is_no_age() -> None:
    """Neither before anything is followed nor after the last one ended or left."""
    schedule = a_schedule("a")
    ages = [Schedule(Random(0)).unseen(1.0)]
    looked(schedule, 1.0)
    ages.append(schedule.unseen(4.0))
    schedule.drop("a", "reader")
    ages.append(schedule.unseen(5.0))

    assert ages == [None, 3.0, None]


def test_a_long_run_leaves_few_seconds_behind() -> None:
    """What is kept to tell it is as long as the oldest age, not as the run."""
    schedule = a_schedule("a", "b")
    for second in range(10, 5000, 5):
        for name in ("a", "b"):
            schedule.learn(seen(name), float(second))

    assert len(schedule.fleet.lives._steps) <= 3


def test_a_page_that_shows_an_id_as_it_was_is_a_sight() -> None:
    """An id that is looked at alone is as old as the last page that had it, though nothing of it changed."""
    schedule = a_schedule("a")
    schedule.learn(seen("a"), 1.0)
    due = schedule.next_due()
    page = sheet_of({"requests": [seen("a").as_dict()]}, schedule.entry)
    told = schedule.heard(page.records, 7.0)

    assert [listed.snapshot for listed in page.records] == [None]
    assert (told, schedule.unseen(9.0)) == ([], 2.0)
    assert schedule.next_due() == due


@pytest.mark.parametrize("sweep", ["auto", "never"])
def test_an_id_that_is_forgotten_by_the_service_is_the_oldest(sweep: Literal["auto", "never"]) -> None:
    """In a fleet read by pages or by looks, it is told for how long an id whose looks all fail was not seen."""
    follower = Follower(Queue(Random(1), Oddities()), Pace(sweep=sweep, longest=20))
    for number in range(60):
        follower.submit(f"r-{number}", "Veo3", 1e6)
    follower.run(100.0)
    before = follower.schedule.unseen(follower.now)
    follower.queue.odd.failing = 1.0
    follower.run(200.0)
    after = follower.schedule.unseen(follower.now)

    assert before is not None
    assert before <= 21
    assert after is not None
    assert 100 <= after <= 121
