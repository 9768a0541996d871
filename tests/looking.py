"""One reader, one schedule, and looks at its ids in pure virtual time."""

from random import Random
from typing import Any

from scene import seen

from gmi_video import errors
from gmi_video._entry import Told
from gmi_video._schedule import (
    Schedule,
)
from gmi_video.errors import GmiVideoError
from gmi_video.events import Event
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
