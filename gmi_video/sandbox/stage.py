"""Where calls come off the socket and answers go on it: the course of one call, faults included.

An origin is a routing function and a handler; the stage reads the call, keeps the log, dates and sends the
answer. A fault of the call strikes at its head, or when the answer is there.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from email.utils import formatdate
from functools import lru_cache
from typing import Self

from aiohttp import web
from attrs import define, evolve, field, frozen
from multidict import CIMultiDict

from gmi_video.sandbox.answers import Answer, Bytes
from gmi_video.sandbox.behaviour import SILENT, Behaviour
from gmi_video.sandbox.bodies import LARGE, Flow, read
from gmi_video.sandbox.calls import CallLog, Operation, Origin
from gmi_video.sandbox.connection import Chance, Connection, Server
from gmi_video.sandbox.disguise import dressed
from gmi_video.sandbox.faults import (
    Bomb,
    Early,
    Edge,
    Fault,
    HangUp,
    HeaderFlood,
    Late,
    Postponed,
    Redirect,
    Refuse,
)
from gmi_video.sandbox.listener import Listener
from gmi_video.sandbox.sockets import Closing, Gone, Reply, Said, cut_request, play

_GRACE = 0.05
"""Seconds that calls under way are given at the end before they are cancelled."""


@frozen
class HttpCall:
    """One HTTP call as plain values."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """Case-insensitive."""
    body: Bytes
    operation: Operation
    subject: str
    behaviour: Behaviour = SILENT

    def header(self, name: str) -> str:
        """A header's value, "" where it was not sent."""
        return self.headers.get(name, "")


Route = Callable[[str, str], tuple[Operation, str] | Answer]
Handler = Callable[[HttpCall], Awaitable[Answer]]


def _healthy(_: Operation) -> Behaviour:
    return SILENT


def _unhurt() -> None:
    return None


@define(eq=False)
class Stage:
    """One origin on one port of the running loop.

    `plan` says of each call, when its head is read, how it departs from a healthy one; `chance` of each
    connection, when it is accepted, what happens to it.
    """

    origin: Origin
    route: Route
    handler: Handler
    log: CallLog
    now: Callable[[], float]
    plan: Callable[[Operation], Behaviour] = _healthy
    chance: Chance = _unhurt
    elsewhere: Callable[[], str] = str
    """The origin to which a redirect leads away."""
    spools: bool = False
    """Bodies of any size are taken, large ones into a file; else the cap is 64 MiB."""
    _server: Server | None = field(init=False, default=None)
    _listener: Listener | None = field(init=False, default=None)
    _serving: set["asyncio.Task[object]"] = field(init=False, factory=set)
    _date: tuple[int, str] = field(init=False, default=(0, ""))
    url: str = field(init=False, default="")

    async def open(self, host: str, port: int) -> Self:
        """Listens; `url` is known from then on. Raises `OSError` where the port is taken."""
        server = Server(self._serve, self._met, self.refuse)
        listener = await Listener(server).open(host, port)
        self._server, self._listener = server, listener
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
        self.url = f"http://{shown}:{listener.port}"
        return self

    async def close(self) -> None:
        """Ends every call under way, and the listening."""
        server, self._server = self._server, None
        if server is None or self._listener is None:
            return
        await self._listener.close()
        await asyncio.sleep(0)  # calls that came in before have begun then
        server.pre_shutdown()
        await server.shutdown(_GRACE)
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def refuse(self, seconds: float, after: float = 0.0) -> None:
        """Refuses connects for `seconds`, from `after` on."""
        assert self._listener is not None
        self._listener.refuse(seconds, after)

    @asynccontextmanager
    async def refusing(self) -> AsyncIterator[None]:
        """Refuses connects for as long as the block lasts."""
        assert self._listener is not None
        self._listener.shut()
        try:
            yield
        finally:
            await self._listener.reopen()

    def _met(self) -> Fault | None:
        fault = self.chance()
        if fault is not None:
            self.log.faults["connect", fault] += 1
        return fault

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        routed = self.route(request.method, path)
        unknown: tuple[Operation, str] = ("unknown", "")
        operation, subject = unknown if isinstance(routed, Answer) else routed
        began = self.log.begin(
            origin=self.origin,
            operation=operation,
            method=request.method,
            path=path,
            query=query,
            headers=_names(tuple(request.headers)),
            now=self.now(),
        )
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        status: int | None = None
        reply: web.StreamResponse
        try:
            if isinstance(routed, Answer):
                status, reply = routed.status, self._reply(request, routed)
            else:
                call = HttpCall(
                    request.method,
                    path,
                    query,
                    request.headers,
                    b"",
                    operation,
                    subject,
                    self.plan(operation),
                )
                status, reply = await self._play(request, call, began)
        except ConnectionError:  # the client left within its body
            reply = Gone()
        finally:
            self._serving.discard(task)
            self.log.end(began, status=status, now=self.now())
        return reply

    async def _play(
        self, request: web.BaseRequest, call: HttpCall, began: tuple[int, Operation]
    ) -> tuple[int | None, web.StreamResponse]:
        """The call's whole course: what stops it at its head, the answer, and what becomes of the answer."""
        fault = call.behaviour.fault
        if fault is not None:
            self.log.meets(began, fault)
            early = await self._stopped(request, fault)
            if early is not None:
                return early
        answer = await self._answer(request, call)
        if answer.fault is not None and answer.fault != fault:
            fault = answer.fault
            self.log.meets(began, fault)
        if fault is None:
            return answer.status, self._reply(request, answer)
        return await self._distort(request, answer, fault)

    async def _stopped(
        self, request: web.BaseRequest, fault: Fault
    ) -> tuple[int | None, web.StreamResponse] | None:
        """What a fault makes of the call before the body is read; None: it goes on."""
        match fault:
            case HangUp(of="request", how="half_close"):
                _connection(request).half_close()
            case HangUp(of="request"):
                await cut_request(_connection(request), request, fault)
                return None, Gone()
            case Refuse() | Early():
                return await self._distort(request, Answer(200, b""), fault)
            case _:
                pass
        return None

    async def _distort(
        self, request: web.BaseRequest, answer: Answer, fault: Fault
    ) -> tuple[int | None, web.StreamResponse]:
        """The status that the client was told, None where no reply came whole, and what is left to say."""
        if isinstance(fault, Late):
            await asyncio.sleep(fault.seconds)
            return answer.status, self._reply(request, answer)
        if isinstance(fault, Bomb | Early | Edge | HeaderFlood | Redirect):
            here, away = self.url + request.raw_path, self.elsewhere() + request.raw_path
            answer = dressed(answer, fault, elsewhere=away, here=here)
            if not isinstance(fault, Early) or fault.lingers:
                return answer.status, self._reply(request, answer)
        body = b"" if request.method == "HEAD" else answer.body
        reply = Reply(answer.status, tuple(self._headers(answer).items()), body)
        left = await play(_connection(request), reply, HangUp() if isinstance(fault, Postponed) else fault)
        whole = isinstance(left, Said | Closing)
        return answer.status if whole else None, left

    async def _answer(self, request: web.BaseRequest, call: HttpCall) -> Answer:
        body = await read(request, spools=self.spools) if request.body_exists else b""
        if body is None:
            return Answer.refusal(413, "request body too large")
        return await self.handler(evolve(call, body=body))

    def _reply(self, request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
        headers = self._headers(answer)
        if len(answer.body) > LARGE and request.method != "HEAD":
            return Flow(answer.body, status=answer.status, headers=headers)
        return web.Response(status=answer.status, body=bytes(answer.body), headers=headers)

    def _headers(self, answer: Answer) -> CIMultiDict[str]:
        headers: CIMultiDict[str] = CIMultiDict(answer.headers)
        headers["Content-Type"] = answer.content_type
        headers["Date"] = self._dated()
        headers["Server"] = "gmi-video-sandbox"
        return headers

    def _dated(self) -> str:
        second = int(self.now())
        if self._date[0] != second:
            self._date = (second, formatdate(second, usegmt=True))
        return self._date[1]


def _connection(request: web.BaseRequest) -> Connection:
    connection = request.protocol
    assert isinstance(connection, Connection)
    return connection


@lru_cache(maxsize=256)
def _names(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)
