"""Who is looked at, and when: snapshots in, events out. No clock and no network: `now` is handed in.

One small entry per id, however many readers follow it. An entry is in the heap of due times, or in a block of
neighbours that is, or being looked at: there is at most one look per id under way.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from random import Random

from gmi_video._backoff import verdict
from gmi_video._cadence import KNOWN_FROM, Cadence
from gmi_video._due import Due
from gmi_video._entry import Entry, Known, Reader, Told, eager, end_of, is_empty
from gmi_video._fleet import Fleet
from gmi_video._flock import Block
from gmi_video._forms import stamp
from gmi_video._past import Past
from gmi_video._rhythm import Rhythm
from gmi_video._roster import Roster
from gmi_video._servertime import ServerTime
from gmi_video._sweep import Listed, Sweep
from gmi_video.errors import GmiVideoError, RateLimited
from gmi_video.events import Event, GaveUp, Missed, Progressed
from gmi_video.records import Snapshot
from gmi_video.settings import Pace

LONGEST_HOLD = 3600.0
"""Seconds that a service may ask for before looks are made again all the same."""
KNOWN = 10_000  # requests that nobody watches now, of which the last snapshot is remembered

_NOBODY = Told()


class Schedule:
    """The ids that anybody watches, each with its next due time."""

    def __init__(
        self,
        rng: Random,
        *,
        cadence: Cadence | None = None,
        clock: ServerTime | None = None,
        sweeps: bool = True,
    ) -> None:
        self.cadence = Cadence() if cadence is None else cadence
        self.regressions = 0
        self._entries = Roster()
        self._heap = Due()
        self._flying: set[str] = set()
        self._known = Past(KNOWN)
        self._novel = float("-inf")  # until then looks are due that were planned before their model was known
        self.fleet = Fleet(
            self._entries, self.cadence, clock or ServerTime(0.0, 0.0), self._heap.plan, sweeps=sweeps
        )
        self._rhythm = Rhythm(rng, self.cadence, self.fleet.lives.age, self.fleet.peers)

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def flying(self) -> int:
        """How many looks are under way."""
        return len(self._flying)

    @property
    def entry(self) -> Callable[[str], Entry | None]:
        """Tells of a watched id what is known, to be read only; from any thread."""
        return self._entries.glance

    def learn(self, snapshot: Snapshot, now: float, *, accepted: bool = False) -> Told:
        """Takes a snapshot that came by another way than a look: a submission, a verb, the caller."""
        entry = self._entries.get(snapshot.request_id)
        final = snapshot.final
        if entry is not None and not accepted and not final:
            return self._seen(entry, snapshot, now, final=False)
        if not self._known.keep(snapshot, now, now if accepted else None):
            self.regressions += 1
        if entry is None:
            return _NOBODY
        entry.accepted = now if accepted else entry.accepted
        return self._seen(entry, snapshot, now, final=final)

    def known(self, request_id: str, now: float, pace: Pace) -> Known | None:
        """What is remembered of an id; an end is believed for `pace.remember` seconds."""
        return self._known.of(request_id, now, pace)

    def add(
        self, request_id: str, reader: Reader, pace: Pace, now: float, given: Snapshot | None = None
    ) -> tuple[Event, ...]:
        """Adds a reader of an id; returns what that reader is told at once. A given end costs no look."""
        found = self._known.of(request_id, now, pace)
        if given is not None and (found is None or given.final):
            found = Known(given, now if given.final else now - pace.first, found.accepted if found else None)
        if found and found.snapshot.final and not is_empty(found.snapshot):
            return (end_of(found.snapshot),)
        entry = self._entries.get(request_id)
        if entry is not None:
            entry.readers += ((reader, pace),)
            entry.pace = eager(pace for _, pace in entry.readers)
            owner = entry.block or entry
            if owner.due is not None:
                self._heap.plan(owner, min(owner.due, now + entry.pace.longest))
            return self._first_word(entry, entry.snapshot)
        readers = self._entries.readers(reader, pace)
        if found is None and request_id not in self._flying:
            block = self.fleet.meet(request_id, pace, now)
            self._entries.meet(request_id, readers, pace, now, block)
            return ()
        entry = Entry(request_id, readers, pace, pace.first, now, now)
        self._entries.put(entry)
        if found is None:
            self.fleet.lives.alone(entry)
            return ()
        entry.accepted, entry.at = found.accepted, found.at
        self.fleet.sighted(entry, found.snapshot, stamp(found.snapshot.updated_at))
        self.fleet.lives.seen(entry, now)
        if request_id not in self._flying:
            self.fleet.plan(entry, max(now, found.at + self._rhythm.wait(entry, found.at)), now)
        return self._first_word(entry, found.snapshot)

    def _first_word(self, entry: Entry, snapshot: Snapshot | None) -> tuple[Event, ...]:
        if snapshot is None or snapshot.final:
            return ()
        entry.told = snapshot.status
        estimate = self.cadence.typical(snapshot.model)
        return (Progressed(request_id=snapshot.request_id, snapshot=snapshot, estimate=estimate),)

    def drop(self, request_id: str, reader: Reader) -> None:
        """Takes a reader away; the last one takes the id out."""
        entry = self._entries.get(request_id)
        if entry is None:
            return
        entry.readers = tuple(pair for pair in entry.readers if pair[0] is not reader)
        if entry.readers:
            entry.pace = eager(pace for _, pace in entry.readers)
            return
        self._forget(entry)
        if entry.form is not None:
            self._known.leave(entry)

    def sweep(self, now: float) -> Sweep | None:
        """The list to read now, if that is what is due: to be asked before `take`."""
        while (item := self._heap.top(now)) is not None and isinstance(item, Block):
            if item.flock is None and not self.fleet.strangers.worth_a_page(item, now):
                return None
            self._heap.take(now)
            found = self.fleet.begin(item, now, self._rhythm.wait)
            if found is not None:
                return found
        return None

    def take(self, now: float) -> str | None:
        """The id to look at now, if one is due; it is not due again before the look has ended."""
        while (item := self._heap.take(now)) is not None:
            if isinstance(item, Entry):
                if now < self._novel and (later := self._rhythm.too_early(item, now)):
                    self._heap.plan(item, later)
                    continue
                self._flying.add(item.request_id)
                return item.request_id
            request_id = self.fleet.alone(item, now, self._rhythm.wait)
            if request_id is not None:
                self._flying.add(request_id)
                return request_id
        return None

    def next_due(self) -> float | None:
        """When the next look is due, or None where nothing waits."""
        return self._heap.next()

    def unseen(self, now: float) -> float | None:
        """How many seconds ago the id was seen, or came, that was not seen for the longest; None where there is none."""
        return None if (oldest := self.fleet.oldest()) is None else now - oldest

    def hold(self, until: float = 0.0) -> float:
        """No call before `until`: the service asked for it; returns when the last hold is over."""
        return self._heap.hold(until)

    def observe(self, request_id: str, snapshot: Snapshot | None, now: float) -> Told:
        """A look came back; without a snapshot it says what the look before had said."""
        self._flying.discard(request_id)
        if snapshot is not None:
            return self.learn(snapshot, now)
        entry = self._entries.get(request_id)
        if entry is None:
            return _NOBODY
        self._goes_on(entry, now, changed=False)
        return self._perhaps_stalled(entry, None, now)

    def heard(self, records: Sequence[Listed], now: float) -> list[Told]:
        """Some records of a page that a sweep has read: whatever it says of watched ids counts as a look."""
        self.fleet.lives.listed(records, self._entries.get, now)
        news = (listed.snapshot for listed in records if listed.snapshot is not None)
        told = [self.learn(snapshot, now) for snapshot in news if snapshot.request_id in self._entries]
        return [said for said in told if said.events]

    def swept(self, sweep: Sweep, now: float, error: GmiVideoError | None = None) -> list[Told]:
        """A sweep is over: its ids are due again, those it did not mention alone."""
        if isinstance(error, RateLimited) and error.retry_after:
            self.hold(now + min(error.retry_after, LONGEST_HOLD))
        stuck = self.fleet.end(sweep, now, error, self._rhythm.wait)
        told = (self._perhaps_stalled(entry, None, now) for entry in stuck)
        return [said for said in told if said.events]

    def miss(self, request_id: str, error: GmiVideoError, now: float) -> Told:
        """A look failed: the id slips to its next slot, and nothing is repeated at once."""
        self._flying.discard(request_id)
        asked = min(getattr(error, "retry_after", None) or 0.0, LONGEST_HOLD)
        if isinstance(error, RateLimited) and asked:
            self.hold(now + asked)
        entry = self._entries.get(request_id)
        if entry is None:
            return _NOBODY
        entry.misses += 1
        if verdict(error) == "lost" and entry.is_gone(now):
            gone = GaveUp(request_id=request_id, snapshot=entry.snapshot, reason="not found")
            return self._ended(entry, gone)
        wait = max(self._rhythm.slower(entry), asked)
        if entry.block is None:
            self._heap.plan(entry, now + wait)
        again = Missed(request_id=request_id, error=error, look_again_in=wait, misses=entry.misses)
        return entry.tell(again)

    def landed(self, request_id: str, now: float) -> bool:
        """A look ended without an answer because it was broken off; whether the id is due again now."""
        if request_id not in self._flying:
            return False
        self._flying.discard(request_id)
        entry = self._entries.get(request_id)
        if entry is not None and entry.block is None:
            self._heap.plan(entry, now)
        return entry is not None

    def clear(self, most: int | None = None) -> bool:
        """Nobody watches anything any more: lets go of up to `most` ids. Whether there are more; what was seen stays."""
        for request_id in list(islice(self._entries, most)):
            self._forget(self._entries[request_id])
        if not self._entries:
            self._heap.clear()
            self.fleet.clear()
        return bool(self._entries)

    def _seen(self, entry: Entry, snapshot: Snapshot, now: float, *, final: bool) -> Told:
        form, moved_at, fleet = entry.form, stamp(snapshot.updated_at), self.fleet
        fresh = changed = behind = False
        if not final and entry.is_behind(moved_at):
            behind = True
            self.regressions += 1
        elif final and not entry.waits_for_links(snapshot, now):
            fleet.lives.ended(entry, snapshot, now)
            told = self._ended(entry, end_of(snapshot))
            if self.cadence.of(snapshot.model).total == KNOWN_FROM:
                self._novel = now + entry.pace.longest
            for other, due in self._rhythm.sooner(self._entries, snapshot.model, now):
                self._heap.plan(other, due)
            return told
        else:
            fresh = form is None or form.word != snapshot.word
            changed = fresh or entry.moved != moved_at
        if changed or (entry.created is None and not behind):
            fleet.sighted(entry, snapshot, moved_at)
        if changed:
            entry.changed, entry.stalled, entry.interval = now, False, entry.pace.first
        self._goes_on(entry, now, changed=changed)
        if fresh and not final:
            previous, entry.told = entry.told, snapshot.status
            progressed = Progressed(
                request_id=entry.request_id,
                previous=previous,
                snapshot=snapshot,
                estimate=self.cadence.typical(snapshot.model),
            )
            return entry.tell(progressed)
        return self._perhaps_stalled(entry, None if behind else snapshot, now)

    def _goes_on(self, entry: Entry, now: float, *, changed: bool) -> None:
        entry.misses = entry.unknown = 0
        self.fleet.lives.seen(entry, now)
        if entry.request_id not in self._flying and not self.fleet.keeps(entry):
            self.fleet.plan(entry, now + self._rhythm.wait(entry, now, slower=not changed), now)

    def _perhaps_stalled(self, entry: Entry, snapshot: Snapshot | None, now: float) -> Told:
        if entry.stalled or now - entry.changed < entry.pace.stalled_after or entry.form is None:
            return _NOBODY
        event = entry.stuck(snapshot, now, self.cadence.typical(entry.form.model))
        return entry.tell(event) if event else _NOBODY

    def _ended(self, entry: Entry, event: Event) -> Told:
        told = entry.tell(event)
        self._forget(entry)
        return told

    def _forget(self, entry: Entry) -> None:
        entry.due = None
        self._entries.leave(entry.request_id)
        self.fleet.leave(entry)
        self._heap.tidy(len(self._entries))
