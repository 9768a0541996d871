"""Who is looked at, and when: snapshots in, events out. No clock and no network: `now` is handed in.

One small entry per id, however many readers follow it. An entry is either in the heap of due times or being
looked at, never both, so there is at most one look per id under way.
"""

import heapq
from collections import OrderedDict
from random import Random

from gmi_video._backoff import verdict
from gmi_video._entry import Entry, Known, Reader, Told, eager, end_of, is_empty, is_older
from gmi_video.errors import GmiVideoError, RateLimited
from gmi_video.events import Event, GaveUp, Missed, Progressed, Stalled
from gmi_video.records import Snapshot, Status
from gmi_video.settings import Pace

GRACE = 120.0
"""Seconds after its submission during which a request may be unknown to the service: its copies lag."""
CONFIRMATIONS = 3
"""How many 404 in a row, a pace apart, mean that nobody knows an id."""
EMPTY_FOR = 30.0
"""Seconds for which a success without links is asked again before it is believed."""
LONGEST_HOLD = 3600.0
"""Seconds that a service may ask for before looks are made again all the same."""
KNOWN = 10_000
"""How many requests that nobody watches now are remembered."""

_NOBODY = Told()


class Schedule:
    """The ids that anybody watches, each with its next due time."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._entries: dict[str, Entry] = {}
        self._heap: list[tuple[float, int, Entry]] = []
        self._turn = 0
        self._flying: set[str] = set()
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._held = 0.0
        self.regressions = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def flying(self) -> int:
        """How many looks are under way."""
        return len(self._flying)

    def last(self, request_id: str) -> Snapshot | None:
        """What was last seen of a watched id."""
        entry = self._entries.get(request_id)
        return entry.snapshot if entry else None

    def learn(self, snapshot: Snapshot, now: float, *, accepted: bool = False) -> Told:
        """Takes a snapshot that came by another way than a look: a submission, a verb, the caller."""
        request_id = snapshot.request_id
        before = self._known.pop(request_id, None)
        since = now if accepted else before.accepted if before else None
        if before and is_older(snapshot, before.snapshot):
            self._known[request_id] = before
        else:
            self._known[request_id] = Known(snapshot, now, since)
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)
        entry = self._entries.get(request_id)
        return self._seen(entry, snapshot, now) if entry else _NOBODY

    def known(self, request_id: str, now: float, pace: Pace) -> Known | None:
        """What is remembered of an id; an end is believed for `pace.remember` seconds."""
        found = self._known.get(request_id)
        if found and found.snapshot.final and now - found.at > pace.remember:
            del self._known[request_id]
            return None
        return found

    def add(
        self, request_id: str, reader: Reader, pace: Pace, now: float, given: Snapshot | None = None
    ) -> tuple[Event, ...]:
        """Adds a reader of an id; returns what that reader is told at once. A given end costs no look."""
        found = self.known(request_id, now, pace)
        if given is not None and (found is None or given.final):
            found = Known(given, now if given.final else now - pace.first, found.accepted if found else None)
        if found and found.snapshot.final and not is_empty(found.snapshot):
            return (end_of(found.snapshot),)
        entry = self._entries.get(request_id)
        if entry is not None:
            entry.readers += ((reader, pace),)
            entry.pace = eager(pace for _, pace in entry.readers)
            if entry.due is not None:
                self._plan(entry, min(entry.due, now + entry.pace.longest))
            return self._first_word(entry.snapshot)
        entry = Entry(request_id, ((reader, pace),), pace, pace.first, now)
        self._entries[request_id] = entry
        due = now
        if found:
            entry.snapshot, entry.accepted = found.snapshot, found.accepted
            due = max(now, found.at + self._jittered(entry))
        if request_id not in self._flying:
            self._plan(entry, due)
        return self._first_word(entry.snapshot)

    @staticmethod
    def _first_word(snapshot: Snapshot | None) -> tuple[Event, ...]:
        if snapshot is None or snapshot.final:
            return ()
        return (Progressed(request_id=snapshot.request_id, snapshot=snapshot),)

    def drop(self, request_id: str, reader: Reader) -> None:
        """Takes a reader away; the last one takes the id out."""
        entry = self._entries.get(request_id)
        if entry is None:
            return
        entry.readers = tuple(pair for pair in entry.readers if pair[0] is not reader)
        if entry.readers:
            entry.pace = eager(pace for _, pace in entry.readers)
        else:
            self._forget(entry)

    def take(self, now: float) -> str | None:
        """The id to look at now, if one is due; it is not due again before the look has ended."""
        due = self.next_due()
        if due is None or due > now:
            return None
        entry = heapq.heappop(self._heap)[2]
        entry.due = None
        self._flying.add(entry.request_id)
        return entry.request_id

    def next_due(self) -> float | None:
        """When the next look is due, or None where nothing waits."""
        while self._heap and self._heap[0][2].due != self._heap[0][0]:
            heapq.heappop(self._heap)
        return max(self._heap[0][0], self._held) if self._heap else None

    def hold(self, until: float) -> None:
        """No look before `until`: the service asked for it."""
        self._held = max(self._held, until)

    def observe(self, request_id: str, snapshot: Snapshot, now: float) -> Told:
        """A look came back."""
        self._flying.discard(request_id)
        return self.learn(snapshot, now)

    def miss(self, request_id: str, error: GmiVideoError, now: float) -> Told:
        """A look failed: the id slips to its next slot, and nothing is repeated at once."""
        self._flying.discard(request_id)
        entry = self._entries.get(request_id)
        if entry is None:
            return _NOBODY
        entry.misses += 1
        if verdict(error) == "lost" and not (entry.accepted is not None and now - entry.accepted < GRACE):
            entry.unknown += 1
            if entry.unknown >= CONFIRMATIONS:
                gone = GaveUp(request_id=request_id, snapshot=entry.snapshot, reason="not found")
                return self._ended(entry, gone)
        asked = min(getattr(error, "retry_after", None) or 0.0, LONGEST_HOLD)
        if isinstance(error, RateLimited) and asked:
            self.hold(now + asked)
        wait = max(self._slower(entry), asked)
        self._plan(entry, now + wait)
        return self._tell(
            entry, Missed(request_id=request_id, error=error, look_again_in=wait, misses=entry.misses)
        )

    def landed(self, request_id: str, now: float) -> bool:
        """A look ended without an answer because it was broken off; whether the id is due again now."""
        if request_id not in self._flying:
            return False
        self._flying.discard(request_id)
        entry = self._entries.get(request_id)
        if entry is not None:
            self._plan(entry, now)
        return entry is not None

    def clear(self) -> None:
        """Nobody watches anything any more; what was seen stays known."""
        self._entries.clear()
        self._heap.clear()

    def _seen(self, entry: Entry, snapshot: Snapshot, now: float) -> Told:
        entry.misses = entry.unknown = 0
        before = entry.snapshot
        if before and is_older(snapshot, before):
            self.regressions += 1
            snapshot = before
        if snapshot.final and not self._wait_for_links(entry, snapshot, now):
            return self._ended(entry, end_of(snapshot))
        moved = before is None or before.word != snapshot.word
        entry.snapshot = snapshot
        if moved or (before and before.updated_at != snapshot.updated_at):
            entry.changed, entry.stalled, entry.interval = now, False, entry.pace.first
            wait = self._jittered(entry)
        else:
            wait = self._slower(entry)
        if entry.request_id not in self._flying:
            self._plan(entry, now + wait)
        if moved and not snapshot.final:
            previous = before.status if before else None
            return self._tell(
                entry, Progressed(request_id=entry.request_id, previous=previous, snapshot=snapshot)
            )
        return self._perhaps_stalled(entry, snapshot, now)

    def _perhaps_stalled(self, entry: Entry, snapshot: Snapshot, now: float) -> Told:
        if entry.stalled or snapshot.final or now - entry.changed < entry.pace.stalled_after:
            return _NOBODY
        entry.stalled = True
        if snapshot.status is Status.UNKNOWN:
            return self._tell(
                entry, Stalled(request_id=entry.request_id, snapshot=snapshot, reason="unknown status")
            )
        return self._tell(entry, Stalled(request_id=entry.request_id, snapshot=snapshot, reason="frozen"))

    def _wait_for_links(self, entry: Entry, snapshot: Snapshot, now: float) -> bool:
        if not is_empty(snapshot):
            return False
        if entry.empty_since is None:
            entry.empty_since = now
        entry.interval = entry.pace.first
        return now - entry.empty_since < EMPTY_FOR

    def _tell(self, entry: Entry, event: Event) -> Told:
        return Told(tuple(reader for reader, _ in entry.readers), (event,))

    def _ended(self, entry: Entry, event: Event) -> Told:
        told = self._tell(entry, event)
        self._forget(entry)
        return told

    def _forget(self, entry: Entry) -> None:
        entry.due = None
        self._entries.pop(entry.request_id, None)
        if len(self._heap) > 2 * len(self._entries) + 1000:
            self._heap = [item for item in self._heap if item[2].due == item[0]]
            heapq.heapify(self._heap)

    def _plan(self, entry: Entry, due: float) -> None:
        if entry.due == due:
            return
        entry.due = due
        self._turn += 1
        heapq.heappush(self._heap, (due, self._turn, entry))

    def _slower(self, entry: Entry) -> float:
        entry.interval = min(entry.interval * entry.pace.growth, entry.pace.longest)
        return self._jittered(entry)

    def _jittered(self, entry: Entry) -> float:
        wait = entry.interval * (1 + entry.pace.jitter * (2 * self._rng.random() - 1))
        return min(wait, entry.pace.longest)
