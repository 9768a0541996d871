"""What a watch tells: the difference between two snapshots of a request, or its end."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from attrs import field, frozen

from gmi_video.errors import GmiVideoError, MalformedResponse
from gmi_video.estimate import Estimate
from gmi_video.records import Record, Snapshot, Status


@frozen(kw_only=True)
class Event(Record):
    """Something that happened to a watched request.

    `key` is the caller's own name for it, `elapsed` the seconds since the watch took the id. `final` says
    whether anything can follow: each watched id ends in exactly one final event.
    """

    final: ClassVar[bool] = False

    request_id: str
    key: Any = None
    elapsed: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """The event as JSON-able data; `event` names its class in lower case."""
        return {"event": type(self).__name__.lower(), **super().as_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The event that `as_dict` wrote, as the class it names; raises `MalformedResponse`."""
        kinds = {kind.__name__.lower(): kind for kind in (cls, *cls.__subclasses__())}
        leaf = kinds.get(str(data.get("event")))
        if leaf is None:
            what = f"none of {', '.join(sorted(kinds))}"
            raise MalformedResponse(f"{what} @ event", what=what, path="event")
        return super().from_dict(data) if leaf is cls else leaf.from_dict(data)


@frozen(kw_only=True)
class Progressed(Event):
    """The request was accepted, seen for the first time, or changed its state.

    `estimate` says how long requests of its model take, once that is known.
    """

    previous: Status | None = None
    snapshot: Snapshot
    estimate: Estimate | None = None


@frozen(kw_only=True)
class Missed(Event):
    """A look failed, `misses` times in a row by now; the next one follows in `look_again_in` seconds."""

    error: GmiVideoError = field(eq=False)
    look_again_in: float
    misses: int = 1


@frozen(kw_only=True)
class Stalled(Event):
    """Nothing has moved for long: the request may never run. It is watched on; nothing is sent again."""

    snapshot: Snapshot
    reason: Literal["frozen", "unknown status"]


@frozen(kw_only=True)
class Succeeded(Event):
    """The request is done; `snapshot.outcome` has the links."""

    final: ClassVar[bool] = True
    snapshot: Snapshot


@frozen(kw_only=True)
class Failed(Event):
    """The request failed at the service; `snapshot.failure` says why."""

    final: ClassVar[bool] = True
    snapshot: Snapshot


@frozen(kw_only=True)
class Cancelled(Event):
    """The request was cancelled at the service."""

    final: ClassVar[bool] = True
    snapshot: Snapshot


@frozen(kw_only=True)
class GaveUp(Event):
    """The watch ends for this id, the request perhaps not: its deadline passed, or nobody knows the id."""

    final: ClassVar[bool] = True
    snapshot: Snapshot | None = None
    reason: Literal["deadline", "not found"]
