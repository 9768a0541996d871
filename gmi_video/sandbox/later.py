"""Submissions that the queue will carry out at a moment to come: postponed ones, and those of other processes."""

import heapq
from collections.abc import Mapping

from attrs import define, field, frozen

from gmi_video.sandbox.behaviour import Behaviour


@frozen(order=True)
class Due:
    """One submission to come; those of one moment in the order in which they were planned."""

    at: float
    number: int
    model: str = field(order=False)
    payload: Mapping[str, object] = field(order=False)
    behaviour: Behaviour = field(order=False)
    foreign: bool = field(order=False)


@define
class Later:
    """What is to come, soonest first. It needs no timer: whoever looks at the queue first lets it happen."""

    _heap: list[Due] = field(init=False, factory=list)
    _planned: int = field(init=False, default=0)

    def add(
        self,
        at: float,
        model: str,
        payload: Mapping[str, object],
        behaviour: Behaviour,
        *,
        foreign: bool = False,
    ) -> None:
        """Plans a submission for the moment `at`."""
        self._planned += 1
        heapq.heappush(self._heap, Due(at, self._planned, model, payload, behaviour, foreign))

    def next(self, now: float) -> Due | None:
        """The soonest that is due by `now`, taken out; None: there is none."""
        return heapq.heappop(self._heap) if self._heap and self._heap[0].at <= now else None

    def clear(self) -> None:
        """Nothing is to come any more."""
        self._heap.clear()
