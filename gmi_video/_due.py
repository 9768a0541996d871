"""When what is due: a heap of times, in which what was planned anew or is gone is left behind and skipped."""

import heapq

from gmi_video._entry import Entry
from gmi_video._flock import Block

SLACK = 1000
"""Forgotten times that may lie in the heap, besides as many as are waited for."""


class Due:
    """Entries and blocks by the time at which they are due."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Entry | Block]] = []
        self._turn = 0
        self._held = 0.0

    def __len__(self) -> int:
        return len(self._heap)

    def plan(self, item: Entry | Block, due: float) -> None:
        """Something is due then, and at no other time."""
        if item.due == due:
            return
        item.due = due
        self._turn += 1
        heapq.heappush(self._heap, (due, self._turn, item))

    def next(self) -> float | None:
        """When the next is due, or None where nothing waits."""
        heap = self._heap
        while heap and heap[0][2].due != heap[0][0]:
            heapq.heappop(heap)
        return max(heap[0][0], self._held) if heap else None

    def unseen(self, now: float) -> float | None:
        """How many seconds ago what is due next was seen, or None where nothing is."""
        if self.next() is None:
            return None
        item = self._heap[0][2]
        return now - (item.at if isinstance(item, Entry) else max(item.swept, 0.0))

    def top(self, now: float) -> Entry | Block | None:
        """What is due now, the longest overdue first."""
        due = self.next()
        return None if due is None or due > now else self._heap[0][2]

    def pop(self) -> None:
        """Takes away what `top` showed: it is not due any more."""
        heapq.heappop(self._heap)[2].due = None

    def hold(self, until: float) -> None:
        """Nothing is due before `until`."""
        self._held = max(self._held, until)

    def tidy(self, live: int) -> None:
        """Drops forgotten times where they have become many."""
        if len(self._heap) > 2 * live + SLACK:
            self._heap = [item for item in self._heap if item[2].due == item[0]]
            heapq.heapify(self._heap)

    def clear(self) -> None:
        """Nothing is due."""
        self._heap.clear()
