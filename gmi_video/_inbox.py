"""What one watch has still to tell its reader: which ids it follows, and the events nobody took yet.

Memory is bounded by the ids: of the undelivered events of one id those that are not final are merged, a final
one is never dropped. Pure: the driver gives the time and rings the bell.
"""

from collections import Counter, deque
from itertools import islice

from attrs import evolve

from gmi_video._shards import Shards
from gmi_video.events import Event, Progressed
from gmi_video.records import Status


class Inbox:
    """The reader's side of a watch. `deadline` is in seconds from the moment that an id was taken in."""

    def __init__(self, deadline: float | None = None) -> None:
        self.deadline = deadline
        self.finished = 0
        self.ends: Counter[str] = Counter()
        self.statuses: Counter[Status] = Counter()
        self._terms: tuple[object, float] = (None, 0.0)
        self._open: Shards[tuple[object, float]] = Shards()
        self._order: deque[str] = deque()
        self._waiting: dict[str, list[Event]] = {}
        self._deadlines: deque[tuple[float, str]] = deque()

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, request_id: object) -> bool:
        return request_id in self._open

    @property
    def waiting(self) -> int:
        """How many ids have events that nobody took yet."""
        return len(self._waiting)

    def take_in(self, request_id: str, key: object, now: float) -> bool:
        """Begins to follow an id; False where it is followed already, whose key then stays."""
        if request_id in self._open:
            return False
        if self._terms[0] is not key or self._terms[1] != now:
            self._terms = (key, now)
        self._open[request_id] = self._terms
        if self.deadline is not None:
            self._deadlines.append((now + self.deadline, request_id))
        return True

    def leave(self, request_id: str, before: Status | None = None) -> None:
        """Follows an id no longer, which was last told to be in a state `before`; forgets what was not told of it."""
        if self._open.pop(request_id, None) is not None and before is not None:
            self.statuses[before] -= 1
        self._waiting.pop(request_id, None)

    def empty(self, most: int) -> list[str]:
        """Leaves up to so many ids, and says which."""
        self.statuses.clear()
        left = list(islice(self._open, most))
        for request_id in left:
            del self._open[request_id]
            self._waiting.pop(request_id, None)
        for _ in range(min(most, len(self._deadlines))):
            self._deadlines.popleft()
        return left

    def put(self, event: Event, now: float, before: Status | None = None) -> bool:
        """Takes an event of a followed id, in the reader's terms; False where nobody asked for it.

        `before` is the state that the reader was told last, where this is an end.
        """
        followed = self._open.get(event.request_id)
        if followed is None:
            return False
        key, since = followed
        event = evolve(event, key=key, elapsed=now - since)
        if isinstance(event, Progressed):
            self.statuses[event.snapshot.status] += 1
            before = event.previous
        if before is not None and (event.final or isinstance(event, Progressed)):
            self.statuses[before] -= 1
        if event.final:
            del self._open[event.request_id]
            self.finished += 1
            self.ends[type(event).__name__.lower()] += 1
        undelivered = self._waiting.get(event.request_id)
        if undelivered is None:
            self._waiting[event.request_id] = [event]
            self._order.append(event.request_id)
        else:
            _merge(undelivered, event)
        return True

    def pop(self) -> Event | None:
        """The next event for the reader, or None."""
        while self._order:
            request_id = self._order.popleft()
            undelivered = self._waiting.get(request_id)
            if not undelivered:
                continue  # it was dropped after it had rung
            event = undelivered.pop(0)
            if undelivered:
                self._order.append(request_id)
            else:
                del self._waiting[request_id]
            return event
        return None

    def next_deadline(self) -> float | None:
        """When the first followed id is overdue, or None."""
        while self._deadlines and not self._counts(*self._deadlines[0]):
            self._deadlines.popleft()
        return self._deadlines[0][0] if self._deadlines else None

    def overdue(self, now: float) -> list[str]:
        """The ids whose deadline has passed."""
        found = []
        while (due := self.next_deadline()) is not None and due <= now:
            found.append(self._deadlines.popleft()[1])
        return found

    def _counts(self, due: float, request_id: str) -> bool:
        """Whether a deadline is that of the id's present stay (it may have left and come again)."""
        followed = self._open.get(request_id)
        return followed is not None and self.deadline is not None and followed[1] + self.deadline == due


def _merge(undelivered: list[Event], event: Event) -> None:
    """Keeps at most one event of each class, in order; merged progress goes from the first to the last state."""
    for index, earlier in enumerate(undelivered):
        if type(earlier) is type(event) and not event.final:
            if isinstance(earlier, Progressed) and isinstance(event, Progressed):
                event = evolve(event, previous=earlier.previous)
            undelivered[index] = event
            return
    undelivered.append(event)
