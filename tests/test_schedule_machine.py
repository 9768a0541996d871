"""Random walks through the schedule, against what must always be true."""

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from looking import BROKEN, LOST
from scene import seen
from searching import search

from gmi_video import errors
from gmi_video._entry import Told
from gmi_video._schedule import (
    Schedule,
)
from gmi_video.errors import GmiVideoError
from gmi_video.events import Event, Missed
from gmi_video.settings import Pace

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
            taken = self.schedule.take(self.now)
            assert taken is not None
            self.hear(self.schedule.observe(taken, seen(taken, "success"), self.now))
        assert all(self.finals[pair] == before.get(pair, 0) + 1 for pair in waiting)


TestSchedule = ScheduleMachine.TestCase


TestSchedule.settings = search(60, of=150, stateful_step_count=40)


@pytest.mark.soak
class TestScheduleLong(ScheduleMachine.TestCase):  # type: ignore[misc, valid-type]  # hypothesis makes the base at runtime
    """The same for two thousand walks."""

    settings = settings(max_examples=2000, stateful_step_count=40, deadline=None)
