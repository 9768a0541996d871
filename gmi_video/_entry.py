"""One watched id: who follows it, how fast, and what was last seen of it."""

from collections.abc import Iterator
from typing import Any, Literal

from attrs import define, frozen

from gmi_video._flock import Block
from gmi_video.estimate import Estimate
from gmi_video.events import Cancelled, Event, Failed, Stalled, Succeeded
from gmi_video.records import Snapshot, Status
from gmi_video.settings import Pace

Reader = Any

EMPTY_FOR = 30.0
"""Seconds for which a success without links is asked again before it is believed."""
SLOW = 10
"""Times the p95 of its model after which a request that does not move is taken to be stuck."""

_ENDS: dict[Status, type[Succeeded | Failed | Cancelled]] = {
    Status.SUCCESS: Succeeded,
    Status.FAILED: Failed,
    Status.CANCELLED: Cancelled,
}


@frozen
class Told:
    """What readers are to be told."""

    readers: tuple[Reader, ...] = ()
    events: tuple[Event, ...] = ()


@frozen
class Known:
    """What was last seen of a request, when, and since when it is known to be accepted."""

    snapshot: Snapshot
    at: float
    accepted: float | None = None


@define(eq=False)
class Entry:
    """The state of one id. Times are the loop's seconds, `created` the service's, `lived` an age.

    `due` is None while it is looked at, and while it belongs to a `block`, which is due instead.
    """

    request_id: str
    readers: tuple[tuple[Reader, Pace], ...]
    pace: Pace
    interval: float
    changed: float
    snapshot: Snapshot | None = None
    accepted: float | None = None
    due: float | None = None
    misses: int = 0
    unknown: int = 0
    empty_since: float | None = None
    stalled: bool = False
    block: Block | None = None
    word: str | None = None
    created: float | None = None
    lived: float | None = None
    at: float = 0.0
    absent: int = 0


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


def is_older(snapshot: Snapshot, before: Snapshot) -> bool:
    """Whether a lagging copy of the service answered: what it says was true before what is known."""
    if before.final and not snapshot.final:
        return True
    return bool(
        snapshot.updated_at
        and before.updated_at
        and snapshot.updated_at < before.updated_at
        and not snapshot.final
    )


def end_of(snapshot: Snapshot) -> Event:
    """The final event of a final snapshot."""
    return _ENDS[snapshot.status](request_id=snapshot.request_id, snapshot=snapshot)


def waits_for_links(entry: Entry, snapshot: Snapshot, now: float) -> bool:
    """Whether a success that names no file is asked again before it is believed."""
    if not is_empty(snapshot):
        return False
    if entry.empty_since is None:
        entry.empty_since = now
    entry.interval = entry.pace.first
    return now - entry.empty_since < EMPTY_FOR


def stalled(entry: Entry, snapshot: Snapshot, now: float, estimate: Estimate | None) -> Stalled | None:
    """The event that a request seems stuck, once, where it has not moved for longer than its model ever takes."""
    longest = max(entry.pace.stalled_after, SLOW * estimate.quantiles[11] if estimate else 0.0)
    if entry.stalled or snapshot.final or now - entry.changed < longest:
        return None
    entry.stalled = True
    reason: Literal["frozen", "unknown status"] = "frozen"
    if snapshot.status is Status.UNKNOWN:
        reason = "unknown status"
    return Stalled(request_id=entry.request_id, snapshot=snapshot, reason=reason)
