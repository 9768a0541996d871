"""The governor at work: calls stand at the gate until it is their turn, and tell what became of them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from gmi_video._decode import decode
from gmi_video._governor import NEVER, OK, UNSAID, Governor, Heard
from gmi_video._lag import Lag
from gmi_video._queue import Kind, Lane, Turn
from gmi_video._refusal import rate_limit, retry_after
from gmi_video._servertime import ServerTime
from gmi_video.errors import MalformedResponse, RateLimited, ResponseError, TimedOut, TransportError
from gmi_video.records import Snapshot, Status
from gmi_video.wire import Reply

_STANDING = frozenset({Status.CREATED, Status.QUEUED, Status.DISPATCHED})
"""What a request may be called before anything runs; the vendor's oldest page answers "dispatched" at once."""


class Gate:
    """All calls to the API of one open session pass here. Who waits holds nothing but its place."""

    def __init__(self, governor: Governor) -> None:
        self.governor = governor
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[Turn, asyncio.Future[None]] = {}
        self._posts: dict[int, tuple[Turn, Heard]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._lag = Lag(lambda: governor.flying)
        self.crowded: Callable[[Iterable[str]], Callable[[], None]] | None = None
        self._looking: dict[str, Callable[[], None]] = {}

    def accepted(self, snapshot: Snapshot) -> None:
        """A submission became a request."""
        if self.governor.unproven is not None:
            self.governor.accepted(snapshot.request_id, snapshot.model)
            self.moved(snapshot)

    def moved(self, snapshot: Snapshot) -> None:
        """A record was seen. Once one has left the queue, its model is known to run things."""
        model = snapshot.model
        if (
            self.governor.unproven is None
            or snapshot.status in _STANDING
            or self.governor.quota(model).proven
        ):
            return
        self.governor.proven(model)
        if (leave := self._looking.pop(model, None)) is not None:
            leave()
        self.pump()

    def failed(self, snapshot: Snapshot, clock: ServerTime) -> None:
        """A record was seen. One that ended with the words of a rate limit is a 429 that came late."""
        if snapshot.failure is None or snapshot.failure.kind != "rate":
            return
        now, moved = self._loop.time(), snapshot.updated_at
        ago = clock.at(now) - moved.timestamp() if moved else 0.0
        self.governor.ended_by_rate(snapshot.model, now - max(0.0, ago))

    def refused(self, model: str, error: ResponseError) -> None:
        """A submission was refused for good. A synchronous model tells its rate limit so."""
        if error.kind == "rate":
            self.governor.ended_by_rate(model, self._loop.time())

    def _look_after(self, model: str) -> None:
        """While submissions of a model wait for one to move, those that run are looked at."""
        quota = self.governor.quota(model)
        if self.crowded is not None and quota.crowded(self.governor.unproven) and quota.outstanding:
            if (leave := self._looking.pop(model, None)) is not None:
                leave()
            self._looking[model] = self.crowded(tuple(quota.outstanding))

    async def call(self, kind: Kind, lane: Lane, send: Callable[[], Awaitable[Reply]]) -> Reply:
        """A short call in its turn. What it raises, and what it was answered, teaches the governor.

        One that ran out of time while the loop stood still is made again: its answer may have been there.
        """
        governor = self.governor
        turn = governor.at_once(kind, lane, self._loop.time()) or await self.stand(kind, lane)
        self._lag.begin()
        heard = UNSAID
        try:
            try:
                reply = await send()
            except TimedOut:
                if not self._late(turn):
                    raise
                reply = await send()
            heard = OK if reply.status < 400 else heard_of(reply, kind)
        except TransportError:
            heard = Heard(result="trouble")
            raise
        finally:
            governor.done(turn, heard, self._loop.time(), lagging=self._late(turn))
            if self._waiting:
                self.pump()
        return reply

    def _late(self, turn: Turn) -> bool:
        """Whether the loop stood still while a call was under way."""
        return turn.granted is not None and self._lag.since(turn.granted)

    async def stand(self, kind: Kind, lane: Lane, model: str = "", wait: float | None = None) -> Turn:
        """A turn, once it is ours; raises `RateLimited` where that takes longer than `wait` seconds."""
        turn = self.governor.enter(kind, lane, model)
        future = self._waiting[turn] = self._loop.create_future()
        self.pump()
        if model and not future.done():
            self._look_after(model)
        timer = None if wait is None else self._loop.call_later(wait, _settle, future)
        try:
            await future
        except asyncio.CancelledError:
            self._withdraw(turn)
            raise
        finally:
            if timer is not None:
                timer.cancel()
            self._waiting.pop(turn, None)
        if turn.granted is None:
            now = self._loop.time()
            ready = self.governor.next_at(now) - now
            self._withdraw(turn)
            later = f"; try again in {ready:.0f} s" if 0 < ready < NEVER else ""
            message = f"{model or kind}: the limits of this account left no room for {wait:g} s; nothing was sent{later}"
            raise RateLimited(message, retry_after=ready if 0 < ready < NEVER else None)
        return turn

    def begin(self, call: object, turn: Turn) -> None:
        """A submission has its turn; `answered` and `end` speak of it by its call."""
        self._posts[id(call)] = (turn, UNSAID)
        self._lag.begin()

    def answered(self, call: object, outcome: Reply | TransportError) -> None:
        """What a submission was answered, or how it failed."""
        found = self._posts.get(id(call))
        if found is not None:
            heard = heard_of(outcome, "submit") if isinstance(outcome, Reply) else Heard(result="trouble")
            self._posts[id(call)] = (found[0], heard)
            if isinstance(outcome, Reply) and outcome.ok:
                self.governor.promised(found[0].model)

    def end(self, call: object) -> None:
        """A submission gives its turn back."""
        turn, heard = self._posts.pop(id(call))
        self.governor.done(turn, heard, self._loop.time(), lagging=self._late(turn))
        self.pump()
        if any(waiting.model == turn.model for waiting in self._waiting):
            self._look_after(turn.model)

    def pump(self) -> None:
        """Lets go whoever may, and sets the alarm for who may later."""
        now = self._loop.time()
        while (turn := self.governor.next(now)) is not None:
            _settle(self._waiting[turn])
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        at = self.governor.next_at(now)
        if at < NEVER:
            self._timer = self._loop.call_at(max(at, now + 1e-4), self.pump)

    def close(self) -> None:
        """No alarm is left behind, and nobody looked after."""
        self._looking.clear()
        self._lag.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _withdraw(self, turn: Turn) -> None:
        if turn.granted is None:
            self.governor.leave(turn)
        else:
            self.governor.done(turn, UNSAID, self._loop.time())
        self.pump()


def _settle(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


def heard_of(reply: Reply, kind: Kind) -> Heard:
    """What an answer says of the load: a backend's own 500 says nothing, a 503 to a submission speaks of its model."""
    if reply.status == 429 or (reply.status == 503 and kind == "submit"):
        try:
            data = decode(reply.body)
        except MalformedResponse:
            data = None
        limit, interval = rate_limit(data)
        asked = retry_after(data, reply.headers)
        return Heard(result="throttled", retry_after=asked, limit=limit, interval=interval)
    if reply.status > 500 or (reply.status == 500 and kind != "submit"):
        return Heard(result="trouble")
    return OK
