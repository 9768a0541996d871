"""The request queue as a state machine that is told the time: no clock, no timers, no network.

Where a request stands is computed when somebody looks, from the moments that were fixed when it came in.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from sys import intern
from typing import Literal
from uuid import UUID

from attrs import define, field, frozen

from gmi_video.sandbox.behaviour import Behaviour

End = Literal["success", "failed", "cancelled"]


@frozen
class Life:
    """What will become of a request: (seconds after creation, status word), the first at 0, and the end."""

    changes: tuple[tuple[float, str], ...]
    end: End | None
    told: float = 0.0
    """Seconds after creation from which the outcome is shown; 0: from the end on."""
    unknown_for: float = 0.0
    unlisted_for: float = 0.0

    @property
    def ends_after(self) -> float:
        """Seconds from creation to the end; of what never ends: to its last change."""
        return self.changes[-1][0]


@frozen(eq=False)
class Request:
    """One request of the queue, immutable: only the time asked about changes what it says."""

    number: int
    request_id: str
    model: str
    payload: Mapping[str, object]
    created: float
    life: Life
    behaviour: Behaviour

    def standing(self, now: float) -> tuple[str, float, bool]:
        """Status word, the moment of the last change, and whether the end has come, at `now`."""
        changes = self.life.changes
        place = len(changes) - 1
        while place and self.created + changes[place][0] > now:
            place -= 1
        after, word = changes[place]
        ended = self.life.end is not None and place == len(changes) - 1
        if ended and after < self.life.told and self.created + self.life.told <= now:
            after = self.life.told
        return word, self.created + after, ended

    def outcome_shown(self, now: float) -> bool:
        """True once the outcome is no longer null."""
        return self.life.end is not None and now >= self.created + max(self.life.ends_after, self.life.told)

    def working(self, now: float) -> bool:
        """True between the last step before the end and the end."""
        changes = self.life.changes
        return len(changes) > 1 and self.created + changes[-2][0] <= now < self.created + changes[-1][0]


@frozen
class Page:
    """One page of the list, newest first."""

    requests: tuple[Request, ...]
    total: int
    has_more: bool


def sorted_keys(value: object) -> object:
    """`value` with the keys of every object in order, as a Go service writes a map back."""
    if isinstance(value, dict):
        return {intern(key): sorted_keys(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [sorted_keys(item) for item in value]
    return value


Publish = Callable[[Request, float], tuple[object, Mapping[str, object]]]
"""Gives a request's outcome, and further top-level keys of its record, once they are to be shown; and when."""


@define
class Queue:
    """All requests of one account. Adding, looking and turning to a page cost the same at any size."""

    rng: Random
    publish: Publish
    org_id: str = field(init=False)
    user_id: str = field(init=False)
    _known: dict[str, Request] = field(init=False, factory=dict)
    _listed: dict[str, list[Request]] = field(init=False, factory=lambda: {"": []})
    _unlisted: list[tuple[float, int, Request]] = field(init=False, factory=list)

    def __attrs_post_init__(self) -> None:
        self.org_id = self.new_id()
        self.user_id = self.new_id()

    def __len__(self) -> int:
        return len(self._known)

    def __iter__(self) -> Iterator[Request]:
        return iter(self._known.values())

    def new_id(self) -> str:
        """A fresh id, of the form of a version 4 UUID, from the seed."""
        return str(UUID(int=self.rng.getrandbits(128), version=4))

    def add(
        self,
        *,
        now: float,
        model: str,
        payload: Mapping[str, object],
        life: Life,
        behaviour: Behaviour,
    ) -> Request:
        """Takes a request in at `now`, which must not lie before that of an earlier one."""
        request = Request(len(self._known), self.new_id(), model, payload, now, life, behaviour)
        self._known[request.request_id] = request
        if life.unlisted_for > 0:
            heapq.heappush(self._unlisted, (now + life.unlisted_for, request.number, request))
        else:
            self._list(request)
        return request

    def find(self, request_id: str, now: float) -> Request | None:
        """The request, or None where this id is unknown (yet)."""
        request = self._known.get(request_id)
        if request is None or now < request.created + request.life.unknown_for:
            return None
        return request

    def rows(self, now: float, model: str = "") -> Sequence[Request]:
        """What the list holds of `model` ("": of all), in the order of creation; not to be changed."""
        while self._unlisted and self._unlisted[0][0] <= now:
            self._list(heapq.heappop(self._unlisted)[2])
        return self._listed.get(model, [])

    def page(self, now: float, *, model: str = "", limit: int, offset: int = 0) -> Page:
        """Requests of `model` ("": of all), newest first, `offset` of them skipped."""
        rows = self.rows(now, model)
        total = len(rows)
        last = max(0, total - offset)
        first = max(0, last - limit)
        return Page(tuple(reversed(rows[first:last])), total, has_more=first > 0)

    def _list(self, request: Request) -> None:
        for name in ("", request.model):
            rows = self._listed.setdefault(name, [])
            place = len(rows)
            while place and rows[place - 1].number > request.number:
                place -= 1
            rows.insert(place, request)

    def accepted(self, request: Request, now: float) -> dict[str, object]:
        """What a submission is answered: exactly these six, times in whole Unix seconds."""
        word, changed, _ = request.standing(now)
        created = int(request.created)
        return {
            "request_id": request.request_id,
            "model": request.model,
            "status": word,
            "created_at": created,
            "updated_at": int(changed),
            "queued_at": created,
        }

    def record(self, request: Request, now: float) -> dict[str, object]:
        """What a look is answered, keys in the order seen in production; `outcome` is null until the end."""
        word, changed, _ = request.standing(now)
        created = int(request.created)
        outcome, more = self.publish(request, now) if request.outcome_shown(now) else (None, {})
        return {
            "request_id": request.request_id,
            "org_id": self.org_id,
            "user_id": self.user_id,
            "model": request.model,
            "status": word,
            "is_public": False,
            "payload": {} if request.behaviour.echo == "empty" else request.payload,
            "outcome": outcome,
            "created_at": created,
            "updated_at": int(changed),
            "queued_at": created,
            **more,
        }
