"""Who waits for a call: queues by kind, in each of them lanes, and in each lane models that take turns."""

from collections import deque
from typing import Literal

from attrs import define

Kind = Literal["submit", "poll", "reconcile", "metadata"]
Lane = Literal["interactive", "bulk"]

SHARES: dict[Kind, int] = {"submit": 50, "poll": 35, "reconcile": 10, "metadata": 5}
"""Of each hundred calls, where all kinds have some waiting."""
LANES: dict[Lane, int] = {"interactive": 4, "bulk": 1}


@define(eq=False)
class Turn:
    """One call that waits for its turn, or has it since `granted`."""

    kind: Kind
    lane: Lane
    model: str
    granted: float | None = None
    gone: bool = False


class Queue:
    """Those of one kind, by lane and model. Lanes share four to one, models take turns."""

    def __init__(self, share: int) -> None:
        self.share = share
        self.passed = 0.0
        self.lanes: dict[Lane, dict[str, deque[Turn]]] = {lane: {} for lane in LANES}
        self._passed = dict.fromkeys(LANES, 0.0)
        self._now = 0.0
        self.waiting = 0

    def put(self, turn: Turn) -> None:
        """One more waits."""
        models = self.lanes[turn.lane]
        if not models:
            self._passed[turn.lane] = max(self._passed[turn.lane], self._now)
        models.setdefault(turn.model, deque()).append(turn)
        self.waiting += 1

    def left(self, turn: Turn) -> None:
        """One waits no longer, or has been taken."""
        models = self.lanes[turn.lane]
        line = models[turn.model]
        line.remove(turn)
        del models[turn.model]
        if line:
            models[turn.model] = line  # behind the other models
        self.waiting -= 1

    def heads(self) -> list[Turn]:
        """The first of each model, in the order in which they should go."""
        lanes = sorted((lane for lane in LANES if self.lanes[lane]), key=lambda lane: self._passed[lane])
        return [line[0] for lane in lanes for line in self.lanes[lane].values()]

    def charge(self, lane: Lane) -> None:
        """One of a lane goes."""
        self._now = self._passed[lane]
        self._passed[lane] += 1 / LANES[lane]
        self.passed += 1 / self.share
