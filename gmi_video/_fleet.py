"""Ids that are followed together: which are read by the list, which alone, and what their lives teach. Pure.

It decides for the schedule: of a bare id nothing is known, so an unfiltered page is read before it is looked at
alone; an id whose model and creation are known belongs to the block of its neighbours.
"""

from collections import Counter
from collections.abc import Callable

from gmi_video._backoff import verdict
from gmi_video._cadence import Cadence
from gmi_video._entry import Entry, eager
from gmi_video._flock import PER_CALL, Block, Flock
from gmi_video._forms import Forms, stamp
from gmi_video._lives import Lives
from gmi_video._roster import Roster
from gmi_video._servertime import ServerTime
from gmi_video._strangers import Strangers
from gmi_video._sweep import Sweep
from gmi_video.errors import GmiVideoError
from gmi_video.records import Snapshot
from gmi_video.settings import Pace

ABSENT = 2
"""How often an id may be missing in its place of the list before it is looked at alone for good."""
LAG = 30.0
"""Seconds for which a new request may be missing in the list without being looked at."""
CHECK = 60.0
"""Seconds between two searches of a block for requests that are stuck."""

Plan = Callable[[Entry | Block, float], None]
Wait = Callable[[Entry, float], float]


class Fleet:
    """The flocks of one schedule, and the ids of which nothing is known yet."""

    def __init__(
        self,
        entries: Roster,
        cadence: Cadence,
        clock: ServerTime,
        plan: Plan,
        *,
        sweeps: bool = True,
    ) -> None:
        self._wanted = sweeps
        self._entries = entries
        self._cadence = cadence
        self._clock = clock
        self.lives = Lives(cadence, clock)
        self._plan = plan
        self._flocks: dict[str, Flock] = {}
        self.strangers = Strangers()
        self._forms = Forms()
        self._sweeps: dict[Sweep, Block] = {}
        self._pace: Pace | None = None
        self.sweeps = 0
        self.gathering = False
        self._look = 0.0
        self.statuses: Counter[str] = Counter()

    def looked(self, seconds: float) -> None:
        """A look took so long: what pages are compared with."""
        self._look += 0.1 * (seconds - self._look)

    def meet(self, request_id: str, pace: Pace, now: float) -> Block:
        """Nothing is known of an id: it waits for a page with others like it, or for its look."""
        alone = not self._wanted or pace.sweep == "never"
        block = self.strangers.meet(request_id, alone=alone)
        if block.due is None and not block.flying and (alone or not self.gathering):
            self._plan(block, now)
        return block

    def gathered(self, now: float) -> None:
        """No more ids are coming for the moment: those that nothing is known of are due."""
        self.gathering = False
        block = self.strangers.new
        if block.ids and block.due is None:
            self._plan(block, now)

    def sighted(self, entry: Entry, snapshot: Snapshot, moved: float | None) -> None:
        """A record of an id was seen: what it says is remembered, and its place in the list is known."""
        form = entry.form
        if form is None or form.word != snapshot.word or form.model != snapshot.model:
            self._count(entry, -1)
            entry.form = self._forms.of(snapshot)
            self._count(entry, 1)
        if entry.created is None and snapshot.created_at is not None and snapshot.model:
            entry.created = stamp(snapshot.created_at)
            entry.queued = stamp(snapshot.queued_at)
            self._flock(snapshot.model).count += 1
        if entry.moved != moved:
            entry.moved = entry.created if moved == entry.created else moved

    def plan(self, entry: Entry, due: float, now: float) -> None:
        """Where its neighbours are read together an id is due with them, else alone."""
        if not self._place(entry, due, now):
            self.lives.alone(entry)
            self._plan(entry, due)

    def _place(self, entry: Entry, due: float, now: float) -> bool:
        """Puts an id into the block of its neighbours; False where it is to be looked at alone."""
        if entry.block is not None:
            self._part(entry)
        form = entry.form
        if not self._wanted or entry.created is None or form is None or entry.pace.sweep == "never":
            return False
        flock = self._flocks.get(form.model)
        if flock is None or not flock.usable(now) or entry.absent >= ABSENT or entry.empty_since is not None:
            return False
        block = entry.block = flock.join(entry.request_id, entry.created)
        entry.due = None
        block.since = min(block.since, entry.at)
        self.lives.leave(entry)
        if entry.pace is not self._pace:
            self._pace = eager(iter((entry.pace, self._pace or entry.pace)))
        if not block.flying and (block.due is None or due < block.due):
            self._plan(block, due)
        return True

    def keeps(self, entry: Entry) -> bool:
        """Whether an id stays due with its neighbours; one whose links are awaited is looked at alone."""
        return entry.block is not None and entry.block.flock is not None and entry.empty_since is None

    def leave(self, entry: Entry) -> None:
        """Nobody follows an id any more."""
        if entry.block is not None:
            self._part(entry)
        self.lives.leave(entry)
        self._count(entry, -1)
        if entry.created is not None and entry.form is not None:
            self._flock(entry.form.model).count -= 1

    def clear(self) -> None:
        """Nobody follows anything."""
        self._flocks.clear()
        self._sweeps.clear()
        self.statuses.clear()
        self.strangers = Strangers()

    def begin(self, block: Block, now: float, wait: Wait) -> Sweep | None:
        """The walk for a block that is due; None where its ids are due alone instead."""
        flock = block.flock
        if flock is None:
            sweep = self.strangers.begin(block)
        elif flock.usable(now) and flock.pays(block):
            for request_id in flock.absorb(block):
                self._entries[request_id].block = block
            sweep = flock.sweep(block)
        else:
            self._release(list(block.ids), block, now, wait)
            return None
        block.flying, block.begun = True, now
        self._sweeps[sweep] = block
        self.sweeps += 1
        return sweep

    def alone(self, block: Block, now: float, wait: Wait) -> str | None:
        """An unknown id that is looked at alone, from a block that was due; others are due alone from now on."""
        if block.flock is not None:
            self._release(list(block.ids), block, now, wait)
            return None
        request_id = self.strangers.first(block)
        if request_id is None:
            return None
        entry = self._entries[request_id]
        self._part(entry)
        self.lives.alone(entry)
        if (following := self.strangers.first(block)) is not None:
            self._plan(block, min(now, self._entries.since(following)))
        return request_id

    def end(self, sweep: Sweep, now: float, error: GmiVideoError | None, wait: Wait) -> list[Entry]:
        """A walk is over, or broke down; returns ids that may be stuck."""
        block = self._sweeps.pop(sweep, None)
        if block is None:
            return []
        block.flying = False
        flock = block.flock
        if error is None and not sweep.done:  # it was broken off by us
            self._plan(block, now)
        elif flock is None:
            self._learnt(block, sweep, now, error)
        elif error is not None:
            self._broken(flock, block, now, error, wait)
        else:
            return self._went_well(flock, block, sweep, now, wait)
        return []

    def _went_well(self, flock: Flock, block: Block, sweep: Sweep, now: float, wait: Wait) -> list[Entry]:
        absent = {name: self._last_seen(block, name) for name in block.ids if name not in sweep.seen}
        worth = PER_CALL * (self._pace or Pace()).first
        young = sweep.oldest > self._clock.at(now) - LAG
        good = flock.learn(block, sweep, now, look=self._look, worth=worth, young=young)
        missing = [name for name, seen in absent.items() if self._is_missing(name, seen, now)]
        self._release(missing, block, now, wait, absent=good)
        block.late = {name: seen for name, seen in absent.items() if name in block.ids}
        model, begun = str(flock.model), block.begun
        if block.ids:
            flock.lived(block, self._cadence.of(model), self._clock.at(begun), begun)
        block.swept, block.misses = begun, 0
        block.since = min([begun, *block.late.values()])
        if not good:
            self._release(list(block.ids), block, now, wait)
        if not block.ids:
            return []
        law, pace = self._cadence.law(model), self._pace or Pace()
        due = now + flock.wait(block, pace, law, self._clock.at(now))
        self._plan(block, max(now, min(due, block.since + pace.longest)))
        if now - block.checked < CHECK:
            return []
        block.checked = now
        return [self._entries[request_id] for request_id in block.ids]

    def _learnt(self, block: Block, sweep: Sweep, now: float, error: GmiVideoError | None) -> None:
        """Unfiltered pages were read: those unknown ids that they did not show are looked at alone."""
        if error is not None and verdict(error) == "fatal" and self.strangers.shrink():
            self._plan(block, now)
            return
        self.strangers.walked(block, sweep, now, error)
        if block.ids:
            self._plan(block, now)

    def _broken(self, flock: Flock, block: Block, now: float, error: GmiVideoError, wait: Wait) -> None:
        if verdict(error) == "fatal" and flock.shrink():
            self._plan(block, now)
            return
        block.misses += 1
        if verdict(error) == "again" and block.misses < 2:
            self._plan(block, now + max(block.interval, 2.0))
            return
        flock.worth.refuse(now)
        self._release(list(block.ids), block, now, wait)

    def _last_seen(self, block: Block, request_id: str) -> float:
        """When an id of a block was seen: by a look, or by the last page that showed it."""
        return max(self._entries[request_id].at, block.late.get(request_id, block.swept))

    def _is_missing(self, request_id: str, seen: float, now: float) -> bool:
        """Whether the list should have shown an id; a new one may come late."""
        return (
            self.lives.age(entry := self._entries[request_id], now) > LAG
            or now - seen > entry.pace.longest / 2
        )

    def _release(self, ids: list[str], block: Block, now: float, wait: Wait, *, absent: bool = False) -> None:
        """Ids leave their block and are due alone, counted from when they were last seen."""
        for request_id in ids:
            entry = self._entries[request_id]
            seen = self._last_seen(block, request_id)
            if entry.lived is not None and seen > entry.at:
                entry.lived += seen - entry.at
            entry.at = seen
            entry.absent += absent
            self._part(entry)
            self.lives.alone(entry)
            self._plan(entry, max(now, seen + wait(entry, seen)))

    def _count(self, entry: Entry, step: int) -> None:
        if entry.form is not None:
            self.statuses[entry.form.word] += step

    def oldest(self) -> float | None:
        """When that id was seen, or came, which was not seen for the longest time; None where nothing is followed."""
        firsts = (self.strangers.first(crowd) for crowd in self.strangers.crowds())
        found = [self._entries.since(first) for first in firsts if first is not None]
        found += [block.since for flock in self._flocks.values() for block in flock.blocks]
        if (alone := self.lives.oldest()) is not None:
            found.append(alone)
        return min(found, default=None)

    def peers(self, model: str) -> int:
        """How many requests of a model are followed."""
        flock = self._flocks.get(model)
        return 1 if flock is None else flock.count

    def models(self) -> dict[str, int]:
        """Followed ids by model, as far as their models are known."""
        return {str(flock.model): flock.count for flock in self._flocks.values() if flock.count}

    def _part(self, entry: Entry) -> None:
        block, entry.block = entry.block, None
        assert block is not None
        if block.flock is not None:
            block.flock.leave(block, entry.request_id)
        else:
            block.ids.pop(entry.request_id, None)
            block.due = block.due if block.ids else None

    def _flock(self, model: str) -> Flock:
        return self._flocks.get(model) or self._flocks.setdefault(model, Flock(model))
