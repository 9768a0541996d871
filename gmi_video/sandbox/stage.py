"""Where calls come off the socket and answers go on it: the one room that speaks aiohttp.

An origin is a routing function and a handler; the stage reads the call, keeps the log, dates and sends the
answer. Faults of the transport belong here, between `_answer` and the socket.
"""

from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate
from functools import lru_cache
from typing import Self

from aiohttp import web
from attrs import define, field, frozen
from multidict import CIMultiDict

from gmi_video.sandbox.answers import Answer
from gmi_video.sandbox.calls import CallLog, Operation, Origin

_CAP = 64 * 1024 * 1024
"""The largest body that is read; data URIs of 10 MB images are legitimate."""
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
    body: bytes
    operation: Operation
    subject: str

    def header(self, name: str) -> str:
        """A header's value, "" where it was not sent."""
        return self.headers.get(name, "")


Route = Callable[[str, str], tuple[Operation, str] | Answer]
Handler = Callable[[HttpCall], Awaitable[Answer]]


@define(eq=False)
class Stage:
    """One origin on one port of the running loop."""

    origin: Origin
    route: Route
    handler: Handler
    log: CallLog
    now: Callable[[], float]
    _runner: web.ServerRunner | None = field(init=False, default=None)
    _date: tuple[int, str] = field(init=False, default=(0, ""))
    url: str = field(init=False, default="")

    async def open(self, host: str, port: int) -> Self:
        """Listens; `url` is known from then on. Raises `OSError` where the port is taken."""
        server = web.Server(self._serve, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=_GRACE)
        await runner.setup()
        await web.TCPSite(runner, host, port).start()
        self._runner = runner
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
        self.url = f"http://{shown}:{runner.addresses[0][1]}"
        return self

    async def close(self) -> None:
        """Ends every call under way, and the listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

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
        status = None
        try:
            if isinstance(routed, Answer):
                answer = routed
            else:
                answer = await self._answer(request, path, query, operation, subject)
            status = answer.status
            return self._reply(answer)
        finally:
            self.log.end(began, status=status, now=self.now())

    async def _answer(
        self, request: web.BaseRequest, path: str, query: str, operation: Operation, subject: str
    ) -> Answer:
        body = await _body(request) if request.body_exists else b""
        if body is None:
            return Answer.refusal(413, "request body too large")
        return await self.handler(
            HttpCall(request.method, path, query, request.headers, body, operation, subject)
        )

    def _reply(self, answer: Answer) -> web.Response:
        headers: CIMultiDict[str] = CIMultiDict(answer.headers)
        headers["Content-Type"] = answer.content_type
        headers["Date"] = self._dated()
        headers["Server"] = "gmi-video-sandbox"
        return web.Response(status=answer.status, body=answer.body, headers=headers)

    def _dated(self) -> str:
        second = int(self.now())
        if self._date[0] != second:
            self._date = (second, formatdate(second, usegmt=True))
        return self._date[1]


@lru_cache(maxsize=256)
def _names(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)


async def _body(request: web.BaseRequest) -> bytes | None:
    parts: list[bytes] = []
    size = 0
    async for part in request.content.iter_any():
        size += len(part)
        if size > _CAP:
            return None
        parts.append(part)
    return b"".join(parts)
