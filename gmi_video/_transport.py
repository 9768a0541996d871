"""The aiohttp transport. Foreign errors are mapped here (`_foreign`) and nowhere else; none leaves, for their
texts hold keys and presigned links.

Three connections. Submissions get a fresh one each time: on a stale keep-alive connection an unsent POST
looks sent, and a handshake costs nothing against a job. Short calls keep alive. The storage connection
carries no credentials and refuses private addresses at the socket. aiohttp's hidden second send of GET and
PUT is switched off by a middleware, so that our count of calls is the server's.
"""  # noqa: D205  # one thought

import contextlib
import functools
import importlib
import socket
import ssl
import weakref
from collections.abc import AsyncIterator, Mapping
from types import SimpleNamespace
from typing import Any

import aiohttp
import anyio
from yarl import URL

from gmi_video._bodies import AiohttpStream, Headers, read
from gmi_video._foreign import FOREIGN, Broken, PrivateAddressError, mapped
from gmi_video._links import may_be_reached
from gmi_video._proxy import proxies, proxy_for
from gmi_video.errors import TransportError, Unreachable
from gmi_video.wire import Call, Reply

_IDLE = 15.0  # seconds that an unused connection is kept: an edge has likely closed an older one
_AHEAD = (
    1 << 19
)  # bytes of a file that are read ahead, twice: fewer cost a third of the speed, more gain nothing
LARGE = 16 << 20
"""Bytes left of a body from which on it is read past the HTTP parser: its connection ends with it, and a new one costs a
TLS handshake, as much as the parser costs for two or three MiB."""
_NEVER_ROUND = 1e12  # aiohttp rounds time-outs above this many seconds up to whole ones


async def _send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Aiohttp repeats a GET or PUT whose connection broke; an exception it does not know ends that."""
    try:
        return await handler(request)
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
        broken = Broken(error)
    try:
        raise broken
    finally:
        del broken  # a frame that keeps its own error keeps all that was being sent


class _QuietConnector(aiohttp.TCPConnector):
    """A connector that closes what is left without a word: the session has warned already."""

    def __del__(self, _warnings: Any = None) -> None:
        if not self._closed and not self._loop.is_closed():
            with contextlib.suppress(Exception):
                for connections in self._conns.values():
                    for protocol, _ in connections:
                        protocol.close()
        self._closed = True


def _guarded(*, loopback: bool) -> Any:
    """A socket factory that sees every resolved address, redirects and odd spellings included."""

    def make(info: tuple[Any, ...]) -> socket.socket:
        if not may_be_reached(str(info[4][0]), loopback=loopback):
            raise PrivateAddressError
        made = socket.socket(info[0], info[1], info[2])
        made.setblocking(False)  # noqa: FBT003  # socket's own signature
        return made

    return make


class AiohttpTransport:
    """Sends calls over three connections. Made inside a running loop; `aclose` ends them."""

    def __init__(
        self, *, context: ssl.SSLContext, loopback: bool, known: Mapping[str, str], large: int = LARGE
    ) -> None:
        self._proxies = known
        self._large = large
        self._streams: weakref.WeakSet[AiohttpStream] = weakref.WeakSet()
        kept: dict[str, Any] = {"ssl": context, "limit": 0, "ttl_dns_cache": 60, "keepalive_timeout": _IDLE}
        self._short = self._session(_QuietConnector(**kept))
        fresh = _QuietConnector(ssl=context, limit=0, ttl_dns_cache=60, force_close=True)
        self._paid = self._session(fresh, traces=[_sent_hook()])
        guarded = _QuietConnector(**kept, socket_factory=_guarded(loopback=loopback))
        self._storage = self._session(guarded, decompress=False)
        self._relayed = self._session(
            _QuietConnector(**kept), decompress=False
        )  # a proxy may be at a private address

    @staticmethod
    def _session(
        connector: aiohttp.TCPConnector,
        *,
        traces: list[aiohttp.TraceConfig] | None = None,
        decompress: bool = True,
    ) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            middlewares=(_send_once,),
            trace_configs=traces,
            auto_decompress=decompress,
            timeout=aiohttp.ClientTimeout(total=None),
        )

    async def send(self, call: Call) -> Reply:
        """The whole reply; raises `TransportError` leaves, and `MalformedResponse` where it is over its cap."""
        sent = SimpleNamespace(headers=False)
        pieces: list[bytes] = []
        try:
            async with await self._request(call, sent) as response:
                await read(response, pieces, call)
                headers = Headers(response.headers)
                return Reply(status=response.status, headers=headers, body=b"".join(pieces))
        except FOREIGN as error:
            ours = mapped(error, call, sent=sent.headers)
        if call.operation == "submit" and isinstance(ours, TransportError):
            ours.partial = b"".join(pieces)  # the id of a paid request may stand in it
        pieces.clear()  # a traceback with locals must not show a prompt
        try:
            raise ours
        finally:
            del ours  # see `_send_once`

    @contextlib.asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[AiohttpStream]:
        """A reply whose body is read piece by piece; raises `TransportError` leaves and `UnsafeURL`."""
        response, ours = None, None
        try:
            response = await self._request(call, SimpleNamespace(headers=False))
        except FOREIGN as error:
            ours = mapped(error, call, sent=True)
        if response is None:
            assert ours is not None
            try:
                raise ours
            finally:
                del ours
        stream = AiohttpStream(response, call, large=self._large)
        self._streams.add(stream)
        try:
            yield stream
        finally:
            response.close()

    async def _request(self, call: Call, sent: SimpleNamespace) -> aiohttp.ClientResponse:
        proxy = proxy_for(call.url, self._proxies) if self._proxies else None
        storage = self._relayed if proxy else self._storage
        session = {"submit": self._paid, "media": storage, "put": storage}.get(call.operation, self._short)
        if session.closed:
            message = f"{call.operation} {call.subject}: the session was closed; nothing was sent"
            raise Unreachable(message, retryable=False)
        return await session.request(
            call.method,
            URL(call.url, encoded=True),
            data=call.body if call.chunks is None else call.chunks(),
            headers=call.headers,
            skip_auto_headers=None if "User-Agent" in call.headers else ("User-Agent",),  # skipping is slow
            allow_redirects=False,
            timeout=_within(call.timeout),
            read_bufsize=_AHEAD if call.operation == "media" else None,
            trace_request_ctx=sent,
            proxy=proxy,
        )

    async def aclose(self) -> None:
        """Closes every connection, without waiting for anybody."""
        with anyio.CancelScope(shield=True):
            for session in (self._short, self._paid, self._storage, self._relayed):
                try:
                    await session.close()
                except Exception:  # noqa: BLE001  # aiohttp's, over a connection that the loop has closed already
                    session.detach()
            for stream in tuple(self._streams):
                stream.end()

    def abandon(self) -> None:
        """What a finaliser can do without a loop: lets go of everything, silently."""
        for session in (self._short, self._paid, self._storage, self._relayed):
            session.detach()


def _sent_hook() -> aiohttp.TraceConfig:
    """The oracle of "provably unsent": it fires before the first byte of a request is handed to the socket."""

    async def sent(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
        context.trace_request_ctx.headers = True

    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(sent)
    return trace


@functools.lru_cache(maxsize=32)
def _within(seconds: float | None) -> aiohttp.ClientTimeout:
    """One timer for a whole exchange."""
    return aiohttp.ClientTimeout(total=seconds, ceil_threshold=_NEVER_ROUND)


def make(*, loopback: bool, large: int = LARGE) -> AiohttpTransport:
    """A transport with the system's certificates; to be called in the running loop, see `prepare`."""
    return AiohttpTransport(context=prepare(), loopback=loopback, known=proxies(), large=large)


@functools.cache
def prepare() -> ssl.SSLContext:
    """The TLS context, made once: reading the certificates takes tens of milliseconds, so do it off the loop.

    So does the half of anyio that it leaves to its first use, which would be on the loop.
    """
    with contextlib.suppress(ImportError):  # it is anyio's own name, and may change: then nothing is gained
        importlib.import_module("anyio._backends._asyncio")
    return ssl.create_default_context()
