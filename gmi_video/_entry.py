"""One watched id: who follows it, how fast, and what was last seen of it."""

from collections.abc import Iterator
from typing import Any

from attrs import define, frozen

from gmi_video.events import Cancelled, Event, Failed, Succeeded
from gmi_video.records import Snapshot, Status
from gmi_video.settings import Pace

Reader = Any

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
    """The state of one id; `due` is None while it is looked at. Times are the loop's seconds."""

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
