"""GMI Cloud in little: a transport that is the service itself, in memory, whose every answer can be chosen.

It knows which submission made which record, which the real service never tells: the oracle of who owns what.
"""

import asyncio
import json
import math
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from email.utils import formatdate
from functools import partial
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from attrs import define, field

from gmi_video.errors import Interrupted, Unreachable
from gmi_video.wire import Call, Reply, Stream

Fate = str
"""What becomes of one submission: "accepted", "dropped", "gateway" (a 502), "truncated", all of which are charged;
"never" (lost on its way), "late" (and carried out `late` seconds later), "unreached", "hung", "backend" (refused, with a hidden failed record), "fails" (a 502, with a failed record, whose id is said if the
service `names` it), "capacity", "limit".
"""
Echo = Literal["payload", "empty", "more", "altered"]
LOOP_BEGINS = 1000
"""Where the clock of a virtual loop begins."""


@define(eq=False)
class Made:
    """A record, and whose it is: the idempotency key of its submission, or "" for a stranger's.

    `created` is by the service's clock, which may be set; `listed` is by the loop's.
    """

    request_id: str
    model: str
    payload: dict[str, Any]
    owner: str
    created: float
    listed: float
    status: str = "queued"
    charged: bool = True


@define(eq=False)
class SmallService:
    """Every attribute may be changed while it runs. Seconds are the loop's; `ahead` is what its clock is ahead of
    this machine's by. What is not chosen in `fates` is `otherwise`.
    """  # noqa: D205  # one thought

    fates: deque[Fate] = field(factory=deque)
    otherwise: Fate = "accepted"
    echo: Echo = "payload"
    takes: float = 0.0
    lag: float = 0.0
    late: float = 0.0
    ahead: float = 0.0
    dated: bool = True
    names: bool = False
    page: int = 100
    order: Callable[[list[Made]], list[Made]] = field(default=lambda made: made[::-1])
    total: Callable[[int], int | None] = field(default=lambda count: count)
    more: Callable[[bool], bool | None] = field(default=lambda more: more)
    lists: deque[Reply | Exception] = field(factory=deque)
    made: list[Made] = field(factory=list)
    calls: "Counter[str]" = field(factory=Counter)
    read_at: list[float] = field(factory=list)
    _begun: float = field(factory=lambda: math.floor(time.time()) - LOOP_BEGINS)
    _held: list[asyncio.TimerHandle] = field(factory=list)

    def now(self) -> float:
        """The service's Unix time."""
        return self._begun + self.ahead + asyncio.get_running_loop().time()

    def make(
        self,
        model: str,
        payload: dict[str, Any],
        owner: str = "",
        *,
        status: str = "queued",
        charged: bool = True,
    ) -> Made:
        """Takes a request in, now."""
        now = self.now()
        name = f"r{len(self.made):04}"
        listed = asyncio.get_running_loop().time() + self.lag
        made = Made(name, model, dict(payload), owner, now, listed, status, charged)
        self.made.append(made)
        return made

    def charges(self, owner: str) -> int:
        """How often a submission was charged."""
        return sum(made.charged and made.owner == owner for made in self.made)

    def owner(self, request_id: str) -> Made:
        """The record of an id."""
        return next(made for made in self.made if made.request_id == request_id)

    async def send(self, call: Call) -> Reply:
        """Answers a call as the service, or the way to it, does."""
        self.calls[call.operation] += 1
        if call.operation == "submit":
            return await self._submitted(call)
        path, _, query = call.url.partition("?")
        if call.operation == "requests":
            self.read_at.append(asyncio.get_running_loop().time())
            return self._listed({name: value[-1] for name, value in parse_qs(query).items()})
        if call.operation == "snapshot":
            return self._looked(urlsplit(path).path.rpartition("/")[2])
        return self._json({"error": "not found"}, 404)

    async def _submitted(self, call: Call) -> Reply:
        fate = self.fates.popleft() if self.fates else self.otherwise
        body = json.loads(call.body or b"")
        owner = call.headers["Idempotency-Key"]
        if fate == "unreached":
            message = "connection refused"
            raise Unreachable(message)
        if fate == "hung":
            await asyncio.Event().wait()
        if fate == "never":
            await asyncio.sleep(self.takes)
            raise Interrupted("no answer", cause="ServerDisconnectedError")
        if fate == "backend":
            self.make(body["model"], body["payload"], owner, status="failed", charged=False)
            return self._json({"error": "Backend error (400). Please try again."}, 500)
        if fate == "capacity":
            return self._json({"error": "Upstream capacity temporarily exhausted"}, 503)
        if fate == "limit":
            return self._json({"error": "Rate limit exceeded"}, 429)
        if fate == "late":
            make = partial(self.make, body["model"], body["payload"], owner)
            self._held.append(asyncio.get_running_loop().call_later(self.late, make))
            raise Interrupted("no answer", cause="ServerDisconnectedError")
        status = "failed" if fate == "fails" else "queued"
        made = self.make(body["model"], body["payload"], owner, status=status, charged=fate != "fails")
        await asyncio.sleep(self.takes)
        if fate == "dropped":
            raise Interrupted("no answer", cause="ServerDisconnectedError")
        if fate == "fails":
            page = b'{"error": "bad gateway", "request_id": "%s"}' % made.request_id.encode()
            return Reply(status=502, headers=self._headers(), body=page if self.names else b"<html>")
        if fate == "gateway":
            return Reply(status=502, headers=self._headers(), body=b"<html><title>502</title></html>")
        reply = self._json(
            {name: self._record(made)[name] for name in ("request_id", "model", "status", "created_at")}
        )
        if fate == "truncated":
            broken = Interrupted("half an answer", cause="ClientPayloadError")
            broken.partial = reply.body[:-9]
            raise broken
        return reply

    def _looked(self, request_id: str) -> Reply:
        for made in self.made:
            if made.request_id == request_id:
                return self._json(self._record(made))
        return self._json({"error": "Request not found"}, 404)

    def _listed(self, query: dict[str, str]) -> Reply:
        if self.lists:
            answer = self.lists.popleft()
            if isinstance(answer, Exception):
                raise answer
            return answer
        at = asyncio.get_running_loop().time()
        rows = self.order([one for one in self.made if one.model == query["model_id"] and one.listed <= at])
        first = int(query["offset"])
        shown = rows[first : first + self.page]
        page = {"requests": [self._record(made) for made in shown], "total": self.total(len(rows))}
        page["has_more"] = self.more(first + len(shown) < len(rows))
        return self._json(page)

    def _record(self, made: Made) -> dict[str, Any]:
        echoes: dict[Echo, dict[str, Any]] = {
            "payload": made.payload,
            "empty": {},
            "more": {**made.payload, "added": "by the service"},
            "altered": {**made.payload, "prompt": f"re-written: {made.payload.get('prompt')}"},
        }
        return {
            "request_id": made.request_id,
            "model": made.model,
            "status": made.status,
            "payload": echoes[self.echo],
            "created_at": int(made.created),
            "updated_at": int(made.created),
            "outcome": {"error": "prompt is too long"} if made.status == "failed" else None,
        }

    def _headers(self) -> dict[str, str]:
        return {"date": formatdate(self.now(), usegmt=True)} if self.dated else {}

    def _json(self, value: object, status: int = 200) -> Reply:
        return Reply(status=status, headers=self._headers(), body=json.dumps(value).encode())

    def stream(self, call: Call) -> AbstractAsyncContextManager[Stream]:
        """No file is ever asked for here."""
        raise AssertionError(call)

    async def aclose(self) -> None:
        """Forgets what was to be carried out later."""
        for handle in self._held:
            handle.cancel()


def fates(*chosen: Fate) -> deque[Fate]:
    """The fates of the next submissions."""
    return deque(chosen)


def unordered(made: Iterable[Made]) -> list[Made]:
    """An order that has nothing to do with time."""
    return sorted(made, key=lambda one: one.request_id[::-1])
