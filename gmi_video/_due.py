"""When what is due: a calendar of times, in which what was planned anew or is gone is left behind and skipped."""

from heapq import heapify, heappop, heappush

from gmi_video._entry import Entry
from gmi_video._flock import Block

SLACK = 1000
"""Forgotten times that may be kept, besides as many as are waited for."""
STEP = 4
"""Times that are looked through whenever one is forgotten, once there are too many."""

WIDTH = 0.05
"""Seconds of a slot: of a million ids that are looked at every 30 s, 1,700 fall into one, and are put in order in less
than a millisecond."""

Time = tuple[float, int, Entry | Block]


class _Times:
    """Times by the slot that they fall into; those of the slots that have begun are one heap.

    That heap stays small: one of a million times is deeper than a processor's cache.
    """

    __slots__ = ("_heap", "_order", "_reach", "_slots", "count")

    def __init__(self) -> None:
        self.count = 0
        self._heap: list[Time] = []
        self._slots: dict[float, list[Time]] = {}
        self._order: list[float] = []
        self._reach = float("-inf")

    def put(self, time: Time) -> None:
        """One more."""
        self.count += 1
        number = time[0] // WIDTH
        if number <= self._reach:
            heappush(self._heap, time)
            return
        slot = self._slots.get(number)
        if slot is None:
            self._slots[number] = [time]
            heappush(self._order, number)
        else:
            slot.append(time)

    def first(self) -> Time | None:
        """The earliest that counts; those before it are dropped."""
        heap = self._heap
        while True:
            while heap:
                if heap[0][2].due == heap[0][0]:
                    return heap[0]
                heappop(heap)
                self.count -= 1
            if not self._order:
                return None
            self._reach = heappop(self._order)
            heap = self._heap = self._slots.pop(self._reach, [])
            heapify(heap)

    def pop(self) -> None:
        """Takes away what `first` showed."""
        self.count -= 1
        heappop(self._heap)

    def some(self, most: int) -> list[Time]:
        """Takes away a few, whichever."""
        found: list[Time] = []
        while len(found) < most and self._slots:
            number, slot = self._slots.popitem()
            found += [slot.pop() for _ in range(min(most - len(found), len(slot)))]
            if slot:
                self._slots[number] = slot
        while len(found) < most and self._heap:
            found.append(self._heap.pop())
        self.count -= len(found)
        return found


class Due:
    """Entries and blocks by the time at which they are due.

    Where too many times are forgotten others are begun, and the old ones are looked through, a few times at once: a
    million times cost no pause.
    """

    def __init__(self) -> None:
        self._new = _Times()
        self._old: _Times | None = None
        self._turn = 0
        self._held = 0.0

    def __len__(self) -> int:
        return self._new.count + (self._old.count if self._old else 0)

    def plan(self, item: Entry | Block, due: float) -> None:
        """Something is due then, and at no other time."""
        if item.due == due:
            return
        item.due = due
        self._turn += 1
        self._new.put((due, self._turn, item))

    def next(self) -> float | None:
        """When the next is due, or None where nothing waits."""
        first = (self._new if self._old is None else self._front()).first()
        return max(first[0], self._held) if first else None

    def top(self, now: float) -> Entry | Block | None:
        """What is due now, the longest overdue first."""
        first = self._front().first()
        return first[2] if first and first[0] <= now and self._held <= now else None

    def take(self, now: float) -> Entry | Block | None:
        """Takes away what `top` shows: it is not due any more."""
        times = self._new if self._old is None else self._front()
        first = times.first()
        if first is None or first[0] > now or self._held > now:
            return None
        times.pop()
        first[2].due = None
        return first[2]

    def hold(self, until: float) -> float:
        """Nothing is due before `until`, nor before what was said of an earlier hold; returns when that is over."""
        self._held = max(self._held, until)
        return self._held

    def tidy(self, live: int) -> None:
        """To be called where something was forgotten: drops a few times where they have become many."""
        if self._old is not None:
            for time in self._old.some(STEP):
                if time[2].due == time[0]:
                    self._new.put(time)
            if not self._old.count:
                self._old = None
        elif self._new.count > 2 * live + SLACK:
            self._old, self._new = self._new, _Times()

    def clear(self) -> None:
        """Nothing is due."""
        self._new, self._old = _Times(), None

    def _front(self) -> _Times:
        """Those that have the earliest time."""
        if self._old is None:
            return self._new
        new, old = self._new.first(), self._old.first()
        return self._old if old and (not new or old < new) else self._new
