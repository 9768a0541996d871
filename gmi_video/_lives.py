"""When ids were seen, and what their lives teach of their models. Pure."""

from collections import deque
from collections.abc import Callable, Iterable

from gmi_video._cadence import Cadence
from gmi_video._entry import Entry, Step
from gmi_video._servertime import ServerTime
from gmi_video._sweep import Listed
from gmi_video.records import Snapshot

STEP = 1.0
"""Seconds that are one when it is asked which id was not seen for the longest time."""


class Lives:
    """The ids of one schedule: their ages, their ends, and how long ago each was seen."""

    def __init__(self, cadence: Cadence, clock: ServerTime) -> None:
        self._cadence = cadence
        self._clock = clock
        self._now = Step(float("-inf"))
        self._steps: deque[Step] = deque()

    def age(self, entry: Entry, now: float) -> float:
        """Seconds since an id was created, as far as is known."""
        if entry.created is not None:
            return max(0.0, self._clock.at(now) - entry.created)
        return max(0.0, now - (entry.accepted if entry.accepted is not None else entry.changed))

    def seen(self, entry: Entry, now: float) -> None:
        """An id was seen, and had not ended: it lived so far, which its model's cadence learns from."""
        age = self.age(entry, now)
        lived = entry.lived
        if lived is None:
            lived = 0.0 if entry.accepted is not None else age
        if age > lived:
            form, block = entry.form, entry.block
            if (block is None or block.flock is None) and form is not None and form.model:
                self._cadence.of(form.model).lived(lived, age)
            lived = age
        entry.lived, entry.at = lived, now
        if entry.block is None:
            if now - self._now.at > STEP:
                self.oldest()
                self._now = Step(now)
                self._steps.append(self._now)
            self._move(entry, self._now)

    def listed(self, records: Iterable[Listed], followed: Callable[[str], Entry | None], now: float) -> None:
        """A page showed some as they were that are looked at alone: so they were seen."""
        for listed in records:
            if listed.alone and (entry := followed(listed.request_id)) is not None:
                self.seen(entry, now)

    def ended(self, entry: Entry, snapshot: Snapshot, now: float) -> None:
        """An id ended: how long it took, by the service's own times where they can be believed."""
        if not snapshot.model:
            return
        took = self.age(entry, now)
        begun, moved = snapshot.created_at, snapshot.updated_at
        if begun is not None and moved is not None and moved >= begun:
            took = (moved - begun).total_seconds()
        since = entry.lived or 0.0
        if entry.block is not None and entry.block.swept > entry.at:
            since += entry.block.swept - entry.at
        self._cadence.of(snapshot.model).ended(min(since, took), took)

    def alone(self, entry: Entry) -> None:
        """An id is looked at alone from now on: it counts from when it was last seen."""
        if entry.step is not None:
            return
        steps, passed = self._steps, 0
        while passed < len(steps) and steps[-1 - passed].at > entry.at:
            passed += 1
        place = len(steps) - passed
        if not place or (place == len(steps) and entry.at - steps[-1].at > STEP):
            steps.insert(place, Step(entry.at))
            place += 1
        self._move(entry, steps[place - 1])

    def leave(self, entry: Entry) -> None:
        """An id is read with others from now on, or nobody follows it any more."""
        self._move(entry, None)

    def oldest(self) -> float | None:
        """When that id was seen, to a second, which of those that are looked at alone was not seen for longest."""
        steps = self._steps
        while len(steps) > 1 and not steps[0].count:
            steps.popleft()
        return steps[0].at if steps and steps[0].count else None

    @staticmethod
    def _move(entry: Entry, step: Step | None) -> None:
        before = entry.step
        if before is not step:
            if before is not None:
                before.count -= 1
            if step is not None:
                step.count += 1
            entry.step = step
