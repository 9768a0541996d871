"""The aiohttp transport. Foreign errors are mapped here and nowhere else; none leaves this file, for their
texts hold keys and presigned links.

Three connections. Submissions get a fresh one each time: on a stale keep-alive connection an unsent POST
looks sent, and a handshake costs nothing against a job. Short calls keep alive. The storage connection
carries no credentials and refuses private addresses at the socket. aiohttp's hidden second send of GET and
PUT is switched off by a middleware, so that our count of calls is the server's.
"""  # noqa: D205  # one thought

import contextlib
import errno
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from types import SimpleNamespace
from typing import Any

import aiohttp
import anyio
from yarl import URL

from gmi_video import errors
from gmi_video._links import may_be_reached
from gmi_video._proxy import proxies, proxy_for
from gmi_video._words import excerpt
from gmi_video.errors import (
    GmiVideoError,
    Interrupted,
    MalformedResponse,
    TimedOut,
    TransportError,
    Unreachable,
)
from gmi_video.wire import Call, Reply

_IDLE = 15.0  # seconds that an unused connection is kept: an edge has likely closed an older one
_NEVER_ROUND = 1e12  # aiohttp rounds time-outs above this many seconds up to whole ones


class _Broken(Exception):  # not an error of ours: it carries aiohttp's past its hidden repeat
    def __init__(self, foreign: BaseException) -> None:
        super().__init__()
        self.foreign = foreign


async def _send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Aiohttp repeats a GET or PUT whose connection broke; an exception it does not know ends that."""
    try:
        return await handler(request)
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
        broken = error
    raise _Broken(broken)


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
            raise _PrivateAddressError
        made = socket.socket(info[0], info[1], info[2])
        made.setblocking(False)  # noqa: FBT003  # socket's own signature
        return made

    return make


class _PrivateAddressError(OSError):
    """The link leads to an address that is not public."""


class AiohttpTransport:
    """Sends calls over three connections. Made inside a running loop; `aclose` ends them."""

    def __init__(self, *, context: ssl.SSLContext, loopback: bool, known: Mapping[str, str]) -> None:
        self._proxies = known
        kept: dict[str, Any] = {"ssl": context, "limit": 0, "ttl_dns_cache": 60, "keepalive_timeout": _IDLE}
        self._short = self._session(_QuietConnector(**kept))
        fresh = _QuietConnector(ssl=context, limit=0, ttl_dns_cache=60, force_close=True)
        self._paid = self._session(fresh, traces=[_sent_hook()])
        guard = (
            None if known else _guarded(loopback=loopback)
        )  # a proxy's address may be private, and connects for us
        guarded = _QuietConnector(**kept, socket_factory=guard)
        self._storage = self._session(guarded, decompress=False)

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
            skip_auto_headers=("User-Agent",),
        )

    async def send(self, call: Call) -> Reply:
        """The whole reply; raises `TransportError` leaves, and `MalformedResponse` where it is over its cap."""
        sent = SimpleNamespace(headers=False)
        pieces: list[bytes] = []
        try:
            async with await self._request(call, sent) as response:
                await _read(response, pieces, call)
                return Reply(status=response.status, headers=_headers(response), body=b"".join(pieces))
        except _FOREIGN as error:
            mapped = _mapped(error, call, sent=sent.headers)
        if call.operation == "submit" and isinstance(mapped, TransportError):
            mapped.partial = b"".join(pieces)  # the id of a paid request may stand in it
        raise mapped

    @contextlib.asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator["AiohttpStream"]:
        """A reply whose body is read piece by piece; raises `TransportError` leaves and `UnsafeURL`."""
        mapped: GmiVideoError | None = None
        try:
            response = await self._request(call, SimpleNamespace(headers=False))
        except _FOREIGN as error:
            mapped = _mapped(error, call, sent=True)
        if mapped is not None:
            raise mapped
        try:
            yield AiohttpStream(response, call)
        finally:
            response.close()

    async def _request(self, call: Call, sent: SimpleNamespace) -> aiohttp.ClientResponse:
        session = {"submit": self._paid, "media": self._storage}.get(call.operation, self._short)
        return await session.request(
            call.method,
            URL(call.url, encoded=True),
            data=call.body,
            headers=call.headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=call.timeout, ceil_threshold=_NEVER_ROUND),
            trace_request_ctx=sent,
            proxy=proxy_for(call.url, self._proxies) if self._proxies else None,
        )

    async def aclose(self) -> None:
        """Closes every connection, without waiting for anybody."""
        with anyio.CancelScope(shield=True):
            for session in (self._short, self._paid, self._storage):
                await session.close()

    def abandon(self) -> None:
        """What a finaliser can do without a loop: lets go of everything, silently."""
        for session in (self._short, self._paid, self._storage):
            session.detach()


class AiohttpStream:
    """The body of a streamed reply."""

    def __init__(self, response: aiohttp.ClientResponse, call: Call) -> None:
        self._response = response
        self._call = call
        self.status = response.status
        self.headers = _headers(response)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes; raises `TransportError` leaves."""
        mapped: GmiVideoError | None = None
        while mapped is None:
            try:
                chunk = await self._response.content.readany()
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                mapped = _mapped(error, self._call, sent=True)
            else:
                if not chunk:
                    return
                yield chunk
        raise mapped


def _sent_hook() -> aiohttp.TraceConfig:
    """The oracle of "provably unsent": it fires before the first byte of a request is handed to the socket."""

    async def sent(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
        context.trace_request_ctx.headers = True

    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(sent)
    return trace


def _headers(response: aiohttp.ClientResponse) -> Mapping[str, str]:
    return {name.lower(): value for name, value in reversed(tuple(response.headers.items()))}


async def _read(response: aiohttp.ClientResponse, pieces: list[bytes], call: Call) -> None:
    """At most `call.cap` bytes, in bounded pieces; a larger body is refused without being held."""
    length = response.content_length
    content = response.content
    size = 0
    while length is None or length <= call.cap:
        piece = await content.readany()
        if not piece:
            return
        size += len(piece)
        if size > call.cap:
            break
        pieces.append(piece)
    response.close()
    what = f"larger than {call.cap:,} bytes"
    message = f"GMI's answer about {call.subject} is {what}, and was refused"
    raise MalformedResponse(message, what=what, path="$", excerpt=excerpt(b"".join(pieces[:1])))


_FOREIGN = (aiohttp.ClientError, OSError, TimeoutError, _Broken, ValueError)
_NEVER_CONNECTED = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)


def _mapped(error: BaseException, call: Call, *, sent: bool) -> GmiVideoError:
    """Our error for a foreign one, whose text is not taken over: it may hold the key or a presigned link."""
    foreign = error.foreign if isinstance(error, _Broken) else error
    cause = type(foreign).__name__
    about = f"{call.operation} {call.subject}"
    if isinstance(foreign, _PrivateAddressError) or isinstance(
        getattr(foreign, "os_error", None), _PrivateAddressError
    ):
        return errors.UnsafeURL(f"{call.subject} leads to a private address, which is not followed")
    if isinstance(foreign, ValueError) and call.operation == "media":
        return errors.UnsafeURL(f"{call.subject} is not a link that can be followed")
    unsent = not sent if call.operation == "submit" else isinstance(foreign, _NEVER_CONNECTED)
    if unsent:
        where = "the storage host" if call.operation == "media" else "GMI"
        why = _reason(foreign)
        certificate = isinstance(foreign, aiohttp.ClientConnectorCertificateError)
        return Unreachable(
            f"{about}: {where} was not reached ({why}); nothing was sent",
            cause=cause,
            retryable=not certificate,
        )
    leaf: type[TransportError] = TimedOut if isinstance(foreign, TimeoutError) else Interrupted
    words = (
        f"no complete answer within {call.timeout:g} s"
        if leaf is TimedOut and call.timeout
        else "the connection broke before the answer was complete"
    )
    return leaf(f"{about}: {words}", cause=cause)


def _reason(foreign: BaseException) -> str:
    """Why a host was not reached, in words that hold no URL."""
    if isinstance(foreign, aiohttp.ClientConnectorDNSError):
        return "its name was not resolved"
    if isinstance(foreign, aiohttp.ClientConnectorCertificateError):
        return "its certificate was not accepted"
    if isinstance(foreign, aiohttp.ClientSSLError):
        return "TLS failed"
    if isinstance(foreign, aiohttp.ClientHttpProxyError):
        return f"the proxy answered {foreign.status}"
    if isinstance(foreign, TimeoutError):
        return "no connection in time"
    number = getattr(foreign, "errno", None)
    return (
        errno.errorcode.get(number, "connection failed") if isinstance(number, int) else "connection failed"
    )


def make(*, loopback: bool) -> AiohttpTransport:
    """A transport with the system's certificates; to be called in the running loop, see `prepare`."""
    return AiohttpTransport(context=prepare(), loopback=loopback, known=proxies())


_context: list[ssl.SSLContext] = []


def prepare() -> ssl.SSLContext:
    """The TLS context, made once: reading the certificates takes tens of milliseconds, so do it off the loop."""
    if not _context:
        _context.append(ssl.create_default_context())
    return _context[0]
