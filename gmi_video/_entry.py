"""One watched id: who follows it, how fast, and what was last seen of it."""

from collections.abc import Iterator
from typing import Any, Literal

from attrs import define, evolve, frozen

from gmi_video._flock import Block
from gmi_video._forms import moment_at
from gmi_video.estimate import Estimate
from gmi_video.events import Cancelled, Event, Failed, Stalled, Succeeded
from gmi_video.records import Snapshot, Status
from gmi_video.settings import Pace

Reader = Any

EMPTY_FOR = 30.0
"""Seconds for which a success without links is asked again before it is believed."""
GRACE = 120.0
"""Seconds after its submission during which a request may be unknown to the service: its copies lag."""
CONFIRMATIONS = 3
"""How many 404 in a row, a pace apart, mean that nobody knows an id."""
SLOW = 10
"""Times the p95 of its model after which a request that does not move is taken to be stuck."""

_ENDS: dict[Status, type[Succeeded | Failed | Cancelled]] = {
    Status.SUCCESS: Succeeded,
    Status.FAILED: Failed,
    Status.CANCELLED: Cancelled,
}


@frozen
class Told:
    """What readers are to be told, and the state in which they were told it was `before`."""

    readers: tuple[Reader, ...] = ()
    events: tuple[Event, ...] = ()
    before: Status | None = None


@frozen
class Known:
    """What was last seen of a request, when, and since when it is known to be accepted."""

    snapshot: Snapshot
    at: float
    accepted: float | None = None


@define(eq=False)
class Step:
    """A second in which `count` ids were seen last, the first of them at `at`."""

    at: float
    count: int = 0


@define(eq=False, weakref_slot=False)
class Entry:
    """The state of one id. Times are the loop's seconds; `created`, `moved` and `queued` the service's; `lived` an age.

    Of what was seen only its `form` is kept, and its times. `told` is the last state that readers were told. `due`
    is None while it is looked at, and while it belongs to a `block`, which is due instead; it counts in a `step` while
    it does not. `mark` is that of the last look's body, or of its bytes on the last page.
    """

    request_id: str
    readers: tuple[tuple[Reader, Pace], ...]
    pace: Pace
    interval: float
    changed: float
    at: float
    form: Snapshot | None = None
    told: Status | None = None
    created: float | None = None
    moved: float | None = None
    queued: float | None = None
    accepted: float | None = None
    due: float | None = None
    misses: int = 0
    unknown: int = 0
    empty_since: float | None = None
    stalled: bool = False
    block: Block | None = None
    lived: float | None = None
    absent: int = 0
    mark: int | None = None
    step: Step | None = None

    @property
    def snapshot(self) -> Snapshot | None:
        """What was last seen, without what is not kept: payload, outcome, and what we do not know."""
        if self.form is None:
            return None
        return evolve(
            self.form,
            request_id=self.request_id,
            created_at=moment_at(self.created),
            updated_at=moment_at(self.moved),
            queued_at=moment_at(self.queued),
        )

    def tell(self, event: Event) -> Told:
        """An event for all who follow it."""
        return Told(tuple(reader for reader, _ in self.readers), (event,), self.told)

    def says(self, body: bytes) -> bool:
        """Whether a body is that of the look before, and nothing else was learnt since."""
        return self.form is not None and self.mark == mark(body, self.form.word, self.moved)

    def is_behind(self, moved: float | None) -> bool:
        """Whether a lagging copy of the service says that it runs, and last moved then: that was true before."""
        known = self.moved
        if known is not None and moved is not None and moved < known:
            return True
        return self.empty_since is not None and self.form is not None and self.form.final

    def waits_for_links(self, snapshot: Snapshot, now: float) -> bool:
        """Whether a success that names no file is asked again before it is believed."""
        if not is_empty(snapshot):
            return False
        if self.empty_since is None:
            self.empty_since = now
        self.interval = self.pace.first
        return now - self.empty_since < EMPTY_FOR

    def is_gone(self, now: float) -> bool:
        """Whether nobody knows this id, after one more 404."""
        if self.accepted is None or now - self.accepted >= GRACE:
            self.unknown += 1
        return self.unknown >= CONFIRMATIONS

    def stuck(self, snapshot: Snapshot | None, now: float, estimate: Estimate | None) -> Stalled | None:
        """The event that it seems stuck, once, where it has not moved for longer than its model ever takes.

        It carries `snapshot` where that is at hand, else what is remembered.
        """
        longest = max(self.pace.stalled_after, SLOW * estimate.quantiles[11] if estimate else 0.0)
        if self.form is None or self.form.final or now - self.changed < longest:
            return None
        last = snapshot or self.snapshot
        assert last is not None
        self.stalled = True
        reason: Literal["frozen", "unknown status"] = "frozen"
        if last.status is Status.UNKNOWN:
            reason = "unknown status"
        return Stalled(request_id=self.request_id, snapshot=last, reason=reason)


def mark(body: bytes, word: str, moved: float | None) -> int:
    """What a body shows itself by when it comes again, while its status and its time are the last that were seen."""
    return hash((body, word, moved))


def eager(paces: Iterator[Pace]) -> Pace:
    """The pace that satisfies the most impatient of several readers."""
    first, *others = paces
    for pace in others:
        first = Pace(
            first=min(first.first, pace.first),
            growth=min(first.growth, pace.growth),
            longest=min(first.longest, pace.longest),
            jitter=min(first.jitter, pace.jitter),
            stalled_after=min(first.stalled_after, pace.stalled_after),
            remember=max(first.remember, pace.remember),
            sweep="auto" if "auto" in {first.sweep, pace.sweep} else "never",
        )
    return first


def is_empty(snapshot: Snapshot) -> bool:
    """Whether a success names no file (yet)."""
    return snapshot.status is Status.SUCCESS and not (snapshot.outcome and snapshot.outcome.media)


def end_of(snapshot: Snapshot) -> Event:
    """The final event of a final snapshot."""
    return _ENDS[snapshot.status](request_id=snapshot.request_id, snapshot=snapshot)
