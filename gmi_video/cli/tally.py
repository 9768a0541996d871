"""How a fleet stands: per model how many are queued, at work, done and failed, and how fast they end. Pure.

Of each request is kept where it stands and nothing else, so a million of them cost one entry each.
"""

from collections import Counter, deque

from attrs import define, field, frozen

from gmi_video.cli.board import remark
from gmi_video.cli.plain import printable
from gmi_video.events import Cancelled, Event, Failed, GaveUp, Missed, Progressed, Stalled, Succeeded
from gmi_video.records import Status

WINDOW = 60.0
"""Seconds over which a rate is taken."""
STEP = 5.0
"""Seconds that are counted together."""

QUEUED, PROCESSING, DONE, FAILED, OVERDUE = "queued", "processing", "done", "failed", "overdue"
_WAITING = frozenset({Status.CREATED, Status.QUEUED, Status.DISPATCHED})


@frozen
class Place:
    """Where a request stands; one value serves all that stand there."""

    model: str
    column: str


@define
class Rate:
    """Ends per second, lately."""

    begun: float
    _steps: deque[list[float]] = field(factory=deque)

    def add(self, now: float) -> None:
        """One more has ended."""
        if not self._steps or now - self._steps[-1][0] >= STEP:
            self._steps.append([now, 0.0])
        self._steps[-1][1] += 1
        while self._steps[0][0] < now - WINDOW:
            self._steps.popleft()

    def value(self, now: float) -> float:
        """Ends per second over the last minute, or since the beginning."""
        ended = sum(count for at, count in tuple(self._steps) if at >= now - WINDOW)
        return ended / max(1.0, min(WINDOW, now - self.begun))


@define
class Group:
    """One model's requests, by where they stand."""

    model: str
    rate: Rate
    columns: Counter[str] = field(factory=Counter)
    stuck: int = 0

    @property
    def left(self) -> int:
        """Those that go on."""
        return self.columns[QUEUED] + self.columns[PROCESSING]

    @property
    def total(self) -> int:
        """All that were seen."""
        return sum(self.columns.values())


class Tally:
    """Counts what events tell. `ids` are those that go on at the service, in the order they were taken."""

    def __init__(self, now: float) -> None:
        self.ids: dict[str, Place | None] = {}
        self.taken = 0
        self.ended = 0
        self.moves = 0
        self.misses = 0
        self.trouble = ""
        self.rate = Rate(now)
        self.ends: Counter[str] = Counter()
        self._groups: dict[str, Group] = {}
        self._places: dict[tuple[str, str], Place] = {}
        self._stuck: set[str] = set()

    def take(self, request_ids: list[str]) -> list[str]:
        """These are followed from now on; returns those that are new."""
        new = [name for name in dict.fromkeys(request_ids) if name not in self.ids]
        self.ids.update(dict.fromkeys(new))
        self.taken += len(new)
        return new

    @property
    def good(self) -> bool:
        """Whether all that ended succeeded."""
        return self.ends[DONE] == self.ended

    @property
    def left(self) -> int:
        """How many have not ended."""
        return self.taken - self.ended

    @property
    def unseen(self) -> int:
        """How many nobody has seen yet."""
        return self.left - sum(group.left for group in self.groups())

    def groups(self) -> list[Group]:
        """All models, those with the most requests left first."""
        return sorted(self._groups.values(), key=lambda group: (-group.left, group.model))

    def tell(self, event: Event, now: float) -> None:
        """What became of a request."""
        if isinstance(event, Missed):
            self.misses += 1
            self.trouble = remark(event)
            return
        self.moves += 1
        name, snapshot = event.request_id, getattr(event, "snapshot", None)
        before = self.ids.get(name)
        model = printable(snapshot.model) if snapshot is not None else before.model if before else ""
        self._stick(name, model, stuck=isinstance(event, Stalled))
        place = self._place(model, _column(event))
        self._count(before, -1)
        self._count(place, 1)
        self.ids[name] = place
        if not event.final:
            return
        self.ended += 1
        self.ends[place.column] += 1
        if before is not None:  # what had ended before it was seen says nothing of today's rate
            self.rate.add(now)
            self._group(model).rate.add(now)
        if place.column != OVERDUE:
            del self.ids[name]

    def _stick(self, name: str, model: str, *, stuck: bool) -> None:
        if stuck is not (name in self._stuck):
            (self._stuck.add if stuck else self._stuck.discard)(name)
            self._group(model).stuck += 1 if stuck else -1

    def _place(self, model: str, column: str) -> Place:
        return self._places.setdefault((model, column), Place(model, column))

    def _count(self, place: Place | None, step: int) -> None:
        if place is not None:
            self._group(place.model).columns[place.column] += step

    def _group(self, model: str) -> Group:
        found = self._groups.get(model)
        if found is None:
            found = self._groups[model] = Group(model, Rate(self.rate.begun))
        return found


def _column(event: Event) -> str:
    match event:
        case Succeeded():
            return DONE
        case GaveUp(reason="deadline"):
            return OVERDUE
        case Failed() | Cancelled() | GaveUp():
            return FAILED
        case Progressed(snapshot=snapshot) | Stalled(snapshot=snapshot) if snapshot.status in _WAITING:
            return QUEUED
    return PROCESSING
