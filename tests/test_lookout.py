"""A look that brings, byte for byte, what the look before brought is not read again."""

import json
from random import Random
from typing import Any

from gmi_video._door import door_of
from gmi_video._lookout import Lookout
from gmi_video._observe import Observers
from gmi_video._schedule import Schedule
from gmi_video.events import Progressed, Stalled
from gmi_video.records import Snapshot
from gmi_video.settings import Pace, Settings
from gmi_video.testing import run
from gmi_video.wire import Call, Reply

PACE = Pace(first=5, growth=2, longest=60, jitter=0)


class Looked:
    """One watched id, and a service that says what the test lets it say."""

    def __init__(self) -> None:
        self.schedule = Schedule(Random(0))
        self.read: list[Snapshot] = []
        self.lookout = Lookout(
            self._answer,
            lambda snapshot, _: self.read.append(snapshot),
            Observers(()),
            door_of(Settings(api_key="a-key-for-tests")),
            lambda snapshot: snapshot,
        )
        self.lookout.known = self.schedule.entry
        self.schedule.add("a", "reader", PACE, 0.0)
        self.says: dict[str, Any] = {
            "request_id": "a",
            "model": "Veo3",
            "status": "processing",
            "updated_at": 100,
        }

    async def _answer(self, _: Call) -> Reply:
        return Reply(status=200, body=json.dumps(self.says).encode())

    def look(self, now: float, **says: Any) -> list[object]:
        """The events of one look."""
        self.says |= says
        self.schedule.take(now)
        return list(self.schedule.observe("a", run(self.lookout.look("a")), now).events)


def test_the_same_bytes_are_read_once() -> None:
    """An unchanged record is a look all the same: it was seen then, and the next look is further away."""
    world = Looked()
    (progressed,) = world.look(0.0)
    nothing = world.look(5.0)
    entry = world.schedule.entry("a")

    assert isinstance(progressed, Progressed)
    assert nothing == []
    assert len(world.read) == 1
    assert entry is not None
    assert (entry.at, entry.due, world.lookout.looks) == (5.0, 15.0, 2)


def test_other_bytes_are_read() -> None:
    """Whatever differs in a body makes it worth reading, be it only its time."""
    world = Looked()
    world.look(0.0)
    world.look(5.0, updated_at=101)
    (ended,) = world.look(10.0, status="success", outcome={"video_url": "https://example.com/a.mp4"})

    assert len(world.read) == 3
    assert ended.final  # type: ignore[attr-defined]  # an end, whatever else it is


def test_bytes_of_before_are_read_where_more_was_learnt_since() -> None:
    """What came by another way unmakes the mark: the old bytes are then those of a copy that lags."""
    world = Looked()
    world.look(0.0)
    newer = world.read[0].as_dict() | {"updated_at": 120}
    world.schedule.learn(Snapshot.from_dict(newer), 2.0)
    world.look(5.0)
    world.look(10.0)

    assert len(world.read) == 3
    assert world.schedule.regressions == 2


def test_unchanged_looks_notice_that_a_request_is_stuck() -> None:
    """A record that never changes is told to be frozen once, though nobody reads it any more."""
    world = Looked()
    world.look(0.0)
    early = world.look(PACE.stalled_after - 1)
    (stalled,) = world.look(PACE.stalled_after)
    again = world.look(PACE.stalled_after + 60)

    assert isinstance(stalled, Stalled)
    assert (early, again, len(world.read)) == ([], [], 1)


def test_an_unchanged_look_ends_a_row_of_misses() -> None:
    """It is an answer: misses in a row are counted from nought again."""
    world = Looked()
    world.look(0.0)
    entry = world.schedule.entry("a")
    assert entry is not None
    entry.misses = 2
    world.look(5.0)

    assert entry.misses == 0
