"""Whose call goes next, and when: rate, windows and shares of one account. Pure: `now` and `rng` are handed in.

The service's answer times are its work, not its load, so only refusals and failures slow us down: a 429 that
states a model's limit gates that model alone, any other slows the account, and failures in a row close
everything but one probe. Those who wait stand in queues, not on timers: there is no herd when a gate opens.
"""

from collections import deque
from random import Random
from typing import Literal

from attrs import frozen

from gmi_video._queue import SHARES, Kind, Lane, Queue, Turn
from gmi_video._quota import LONGEST, Quota
from gmi_video._rate import Rate, Window

Result = Literal["ok", "throttled", "trouble", "unsaid"]

FIRST = 4
"""Calls at once before anything is known of the service; doubled by success."""
YOUNG = 2.0
"""Seconds for which a bulk submission counts against the window while it doubles: a synchronous one takes minutes."""
FAILURES = 3
"""Failures in a row after which the service is taken to be away."""
PROBES = (1.0, 8.0)
"""Seconds between probes of a service that is away: at first, and at most."""
NEVER = float("inf")


@frozen(kw_only=True)
class Heard:
    """What became of a call. `limit` per `interval` seconds is what a 429 stated of its model."""

    result: Result
    retry_after: float | None = None
    limit: int | None = None
    interval: float | None = None


OK = Heard(result="ok")
UNSAID = Heard(result="unsaid")


class Governor:
    """All calls of one session to the API."""

    def __init__(
        self,
        rng: Random,
        *,
        submissions: int = 32,
        calls: int = 64,
        ceiling: float | None = None,
        unproven: int | None = None,
    ) -> None:
        self._rng = rng
        self.rate = Rate(ceiling)
        self.submits = Window(FIRST, submissions)
        self.calls = Window(FIRST, calls)
        self.unproven = unproven
        self.throttled = 0
        self._queues = {kind: Queue(share) for kind, share in SHARES.items()}
        self._quotas: dict[str, Quota] = {}
        self._young: deque[float] = deque()
        self._failures = 0
        self._probes = 0
        self._back = float("-inf")
        self._probe_at: float | None = None
        self._held: dict[Kind, float] = dict.fromkeys(SHARES, 0.0)
        self._good = 0.0
        self._now = 0.0

    @property
    def away(self) -> bool:
        """Whether the service is taken to be away, so that only probes go."""
        return self._probe_at is not None

    @property
    def flying(self) -> int:
        """How many calls are under way."""
        return self.submits.flying + self.calls.flying

    @property
    def waiting(self) -> int:
        """How many calls wait for their turn."""
        queues = self._queues
        return (
            queues["submit"].waiting
            + queues["poll"].waiting
            + queues["reconcile"].waiting
            + queues["metadata"].waiting
        )

    def quota(self, model: str) -> Quota:
        """What is known of a model's submissions."""
        found = self._quotas.get(model)
        if found is None:
            found = self._quotas[model] = Quota(self._rng)
        return found

    def enter(self, kind: Kind, lane: Lane = "interactive", model: str = "") -> Turn:
        """A call takes its place in the queue; `next` gives it its turn."""
        turn = Turn(kind, lane, model if kind == "submit" else "")
        queue = self._queues[kind]
        if not queue.waiting:
            queue.passed = max(queue.passed, self._now)
        queue.put(turn)
        return turn

    def at_once(self, kind: Kind, lane: Lane, now: float) -> Turn | None:
        """A turn for a short call where nobody waits and nothing is in the way: the usual case, made cheap."""
        if (
            self._probe_at is not None
            or self.waiting
            or not self.calls.has_room()
            or self._held[kind] > now
            or self.rate.ready_at(now) > now
        ):
            return None
        turn = Turn(kind, lane, "", now)
        self.calls.enter()
        self.rate.spend(now)
        return turn

    def next(self, now: float) -> Turn | None:
        """Who goes now, or None."""
        if self.rate.ready_at(now) > now:
            return None
        if self._probe_at is not None and (self._probe_at > now or self.flying):
            return None
        for kind in self._order():
            for turn in self._queues[kind].heads():
                if self._ready_at(turn, now) <= now:
                    self._grant(turn, now)
                    return turn
        return None

    def next_at(self, now: float) -> float:
        """When `next` is worth asking again, if nothing ends before; infinite where only an end can help."""
        if not self.waiting:
            return NEVER
        gate = self.rate.ready_at(now)
        if self._probe_at is not None:
            if self.flying:
                return NEVER
            gate = max(gate, self._probe_at)
        heads = [turn for queue in self._queues.values() if queue.waiting for turn in queue.heads()]
        return max(gate, min(self._ready_at(turn, now) for turn in heads))

    def leave(self, turn: Turn) -> None:
        """A call that waited is not wanted any more."""
        if turn.granted is None and not turn.gone:
            turn.gone = True
            self._queues[turn.kind].left(turn)

    def done(self, turn: Turn, heard: Heard, now: float, *, lagging: bool = False) -> None:
        """A call came to an end. What was `unsaid` (broken off by us) or measured while we lag moves nothing."""
        if turn.granted is None or turn.gone:
            return
        turn.gone = True
        window = self.submits if turn.kind == "submit" else self.calls
        window.flying -= 1
        quota = self.quota(turn.model) if turn.kind == "submit" else None
        if quota is not None:
            quota.flying -= 1
        self.rate.quiet(now, waiting=self.waiting > 0)
        match heard.result:
            case "ok":
                self._well(window, now)
                if quota is not None:
                    quota.accepted()
            case "throttled":
                self._throttled(turn, quota, heard, now)
            case "trouble" if not lagging:
                self._trouble(turn, window, now)
            case _:
                self._again(now)

    def promised(self, model: str) -> None:
        """A submission was answered well: it counts as outstanding, though its id is still to be read."""
        if self.unproven is not None and not self.quota(model).proven:
            self.quota(model).promised += 1

    def accepted(self, request_id: str, model: str) -> None:
        """A submission became a request that was not yet seen to run."""
        if self.unproven is not None and not self.quota(model).proven:
            quota = self.quota(model)
            quota.promised = max(0, quota.promised - 1)
            quota.outstanding[request_id] = None

    def ended_by_rate(self, model: str, moment: float) -> None:
        """A request of a model ended at `moment` with the words of a rate limit: a 429 that came late."""
        self.quota(model).ended_by_rate(moment)

    def proven(self, model: str) -> None:
        """A request of a model was seen to leave the queue: it runs things."""
        if self.unproven is not None:
            quota = self.quota(model)
            quota.proven = True
            quota.outstanding.clear()
            quota.promised = 0

    def _order(self) -> list[Kind]:
        waiting = [kind for kind, queue in self._queues.items() if queue.waiting]
        order = sorted(waiting, key=lambda kind: self._queues[kind].passed)
        if self._probe_at is not None:
            order.sort(key=lambda kind: kind == "submit")  # what costs nothing goes ahead
        return order

    def _ready_at(self, turn: Turn, now: float) -> float:
        if turn.kind != "submit":
            return max(now, self._held[turn.kind]) if self.calls.has_room() else NEVER
        window = self.submits
        if window.flying >= window.most or (window.touched and not window.has_room()):
            return NEVER
        quota = self.quota(turn.model)
        if quota.crowded(self.unproven):
            return NEVER
        ready = max(now, quota.ready_at())
        if turn.lane == "bulk" and not window.touched and not window.has_room():
            while self._young and self._young[0] <= now - YOUNG:
                self._young.popleft()
            if len(self._young) >= int(window.size):
                ready = max(ready, self._young[0] + YOUNG)
        return ready

    def _grant(self, turn: Turn, now: float) -> None:
        queue = self._queues[turn.kind]
        self._now = queue.passed
        queue.charge(turn.lane)
        queue.left(turn)
        turn.granted = now
        self.rate.spend(now)
        if turn.kind == "submit":
            self.submits.enter()
            self.quota(turn.model).sent(now)
            self._young.append(now)
            while len(self._young) > self.submits.most:
                self._young.popleft()
        else:
            self.calls.enter()

    def _well(self, window: Window, now: float) -> None:
        self._failures = 0
        if self._probe_at is not None:
            self._probe_at, self._probes, self._back = None, 0, now
            self.rate.recover(now, self._good)
            self.submits.reopen(FIRST)
            self.calls.reopen(FIRST)
        window.grow()

    def _throttled(self, turn: Turn, quota: Quota | None, heard: Heard, now: float) -> None:
        self.throttled += 1
        self._failures = 0
        assert turn.granted is not None
        if quota is not None:
            quota.refused(turn.granted, now, heard.retry_after, heard.limit, heard.interval)
            if heard.limit and heard.interval:
                self._again(now)
                return
        window = self.submits if quota is not None else self.calls
        if window.cut(turn.granted, now, 0.7) and quota is None:
            self.rate.throttled(turn.granted, now)
        if heard.retry_after and quota is None:
            wait = min(heard.retry_after, LONGEST) * self._rng.uniform(1.0, 1.1)
            self._held[turn.kind] = max(self._held[turn.kind], now + wait)
        self._again(now)

    def _trouble(self, turn: Turn, window: Window, now: float) -> None:
        assert turn.granted is not None
        self._failures += turn.granted >= self._back  # a call from before it came back tells nothing new
        if self._failures >= FAILURES and self._probe_at is None:
            self._good = self.rate.was_good(now)
            self.submits.narrow(now)
            self.calls.narrow(now)
            self._probe_at = now
            self._probes = 0
        elif self._failures > 1:  # one alone says something of its own request only
            window.cut(turn.granted, now, 0.5)
        self._again(now)

    def _again(self, now: float) -> None:
        """While the service is away: when the next probe goes. Spread over the whole wait, so that no two meet."""
        if self._probe_at is not None and not self.flying:
            first, most = PROBES
            self._probe_at = now + min(most, first * 2**self._probes) * self._rng.uniform(0.1, 1.0)
            self._probes = min(self._probes + 1, 10)
