"""When what is due: a heap of times, in which what was planned anew or is gone is left behind and skipped."""

from heapq import heappop, heappush

from gmi_video._entry import Entry
from gmi_video._flock import Block

SLACK = 1000
"""Forgotten times that may lie in the heap, besides as many as are waited for."""


STEP = 4
"""Times that are looked through whenever one is forgotten, once there are too many."""

Time = tuple[float, int, Entry | Block]


class Due:
    """Entries and blocks by the time at which they are due.

    Where too many times are forgotten a new heap is begun, and the old one is looked through from its end, a few
    times at once: taken from its end it stays a heap, and a million times cost no pause.
    """

    def __init__(self) -> None:
        self._heap: list[Time] = []
        self._old: list[Time] = []
        self._turn = 0
        self._held = 0.0

    def __len__(self) -> int:
        return len(self._heap) + len(self._old)

    def plan(self, item: Entry | Block, due: float) -> None:
        """Something is due then, and at no other time."""
        if item.due == due:
            return
        item.due = due
        self._turn += 1
        heappush(self._heap, (due, self._turn, item))

    def next(self) -> float | None:
        """When the next is due, or None where nothing waits."""
        heap = self._front()
        return max(heap[0][0], self._held) if heap else None

    def top(self, now: float) -> Entry | Block | None:
        """What is due now, the longest overdue first."""
        heap = self._front()
        return heap[0][2] if heap and heap[0][0] <= now and self._held <= now else None

    def pop(self) -> None:
        """Takes away what `top` showed: it is not due any more."""
        heappop(self._front())[2].due = None

    def hold(self, until: float) -> float:
        """Nothing is due before `until`, nor before what was said of an earlier hold; returns when that is over."""
        self._held = max(self._held, until)
        return self._held

    def tidy(self, live: int) -> None:
        """To be called where something was forgotten: drops a few times where they have become many."""
        if self._old:
            for time in [self._old.pop() for _ in range(min(STEP, len(self._old)))]:
                if time[2].due == time[0]:
                    heappush(self._heap, time)
        elif len(self._heap) > 2 * live + SLACK:
            self._old, self._heap = self._heap, []

    def clear(self) -> None:
        """Nothing is due."""
        self._heap.clear()
        self._old.clear()

    def _front(self) -> list[Time]:
        """The heap with the earliest time, which is one that counts; an empty one where there is none."""
        heap = self._heap
        while heap and heap[0][2].due != heap[0][0]:
            heappop(heap)
        old = self._old
        while old and old[0][2].due != old[0][0]:
            heappop(old)
        return old if old and (not heap or old[0] < heap[0]) else heap
