"""Faults that leave HTTP behind, played on a connection: bytes, pauses and hang-ups.

All waiting is done by asyncio's timers, so it costs nothing on a loop whose clock jumps, and every wait ends
when the client leaves.
"""

import asyncio
import sys
from http import HTTPStatus
from typing import TypeAlias, assert_never

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from attrs import frozen

from gmi_video.sandbox.answers import Bytes
from gmi_video.sandbox.connection import Connection
from gmi_video.sandbox.faults import (
    Drip,
    Early,
    Endless,
    Garbage,
    HangUp,
    Refuse,
    Silence,
    Unmeasured,
    WrongLength,
)
from gmi_video.sandbox.pages import pieces

Raw: TypeAlias = Drip | Early | Endless | Garbage | HangUp | Refuse | Silence | Unmeasured | WrongLength

_STATUSES = frozenset(HTTPStatus)
_TICK, _LONGEST_TICK = 0.001, 1.0
_TICKS = 60
"""How often to look whether the first bytes of a reply have left, before the connection is reset anyhow."""


class Gone(web.StreamResponse):
    """What a handler returns when the connection is over: to aiohttp the client has left."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:  # noqa: ARG002  # as inherited
        """Says so, whatever was called."""
        raise ConnectionResetError("the sandbox hung up")


class Closing(Gone):
    """What a handler returns when the whole reply is on the wire, and the connection is over."""


class Said(web.StreamResponse):
    """What a handler returns when the reply is on the wire already and the connection goes on."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:  # noqa: ARG002  # as inherited
        """Writes nothing more."""
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Writes nothing more."""

    @property
    def keep_alive(self) -> bool | None:
        """The next call may come."""
        return True


@frozen
class Reply:
    """A reply before it becomes bytes: status, headers but for those of length, and the body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: Bytes

    def head(self, *, length: int | None) -> bytes:
        """The first lines, with this `Content-Length`; None: an end by close instead."""
        framing = ("Connection", "close") if length is None else ("Content-Length", str(length))
        phrase = HTTPStatus(self.status).phrase if self.status in _STATUSES else ""
        told = (f"{name}: {value}" for name, value in (*self.headers, framing))
        return "\r\n".join((f"HTTP/1.1 {self.status} {phrase}", *told, "", "")).encode("latin-1")

    def whole(self) -> tuple[Bytes, Bytes]:
        """Head and body, as a healthy server would say them."""
        return self.head(length=len(self.body)), self.body

    def until(self, fault: HangUp) -> tuple[Bytes, ...]:
        """What is said before the hang-up."""
        head, body = self.whole()
        match fault.of:
            case "request":
                return ()
            case "body":
                return head, body[: fault.after]
            case "reply":
                end = fault.after if fault.after >= 0 else max(0, len(head) + len(body) + fault.after)
                return head[:end], body[: max(0, end - len(head))]
            case never:
                assert_never(never)


async def cut_request(connection: Connection, request: web.BaseRequest, fault: HangUp) -> None:
    """Reads so much of the request's body as the fault allows, then hangs up."""
    heard = 0
    while heard < fault.after:
        part = await request.content.read(fault.after - heard)
        if not part:
            break
        heard += len(part)
    await _end(connection, fault)


async def play(connection: Connection, reply: Reply, fault: Raw) -> web.StreamResponse:
    """Puts a reply on the wire as `fault` distorts it; the result says what is left of the connection."""
    try:
        return await _play(connection, reply, fault)
    except ConnectionError:
        return Gone()


async def _play(connection: Connection, reply: Reply, fault: Raw) -> web.StreamResponse:
    match fault:
        case HangUp():
            await _say(connection, *reply.until(fault))
            await _end(connection, fault)
        case Silence():
            await connection.gone.wait()
        case Garbage():
            await _say(connection, fault.body)
        case Refuse():
            connection.refuse(fault.seconds)
            connection.reset()
        case Early():
            await _say(connection, *reply.whole())
            return Closing()
        case Drip():
            await _drip(connection, b"".join(reply.whole()), fault)
            return Said()
        case WrongLength():
            head = reply.head(length=max(0, len(reply.body) + fault.by))
            await _say(connection, head, reply.body)
            if fault.by <= 0:
                return Said()
            await connection.gone.wait()
        case Unmeasured():
            await _say(connection, reply.head(length=None), reply.body[: fault.after])
            return Closing()
        case Endless():
            await _say(connection, reply.head(length=None))
            await _flood(connection, reply.body, fault)
        case never:
            assert_never(never)
    return Gone()


async def _say(connection: Connection, *told: Bytes) -> None:
    for part in told:
        for piece in pieces(part):
            await connection.writable()
            assert connection.transport is not None
            connection.transport.write(bytes(piece))


async def _drip(connection: Connection, told: bytes, fault: Drip) -> None:
    for start in range(0, len(told), fault.size):
        if start:
            await asyncio.sleep(fault.interval)
        await _say(connection, told[start : start + fault.size])


async def _flood(connection: Connection, body: Bytes, fault: Endless) -> None:
    piece = (bytes(body[: fault.size]) or b" ") * (fault.size // max(1, len(body)) + 1)
    while True:
        await _say(connection, piece[: fault.size])
        await asyncio.sleep(fault.interval)


async def _end(connection: Connection, fault: HangUp) -> None:
    match fault.how:
        case "reset":
            await _sent(connection)
            connection.reset()
        case "close":
            connection.hang_up()
        case "half_close":
            connection.half_close()
            await connection.gone.wait()
        case never:
            assert_never(never)


async def _sent(connection: Connection) -> None:
    """Waits until what was written has reached the client, since an RST throws away what has not."""
    tick = _TICK
    for _ in range(_TICKS):
        transport = connection.transport
        if transport is None or not (transport.get_write_buffer_size() or _unsent(transport)):
            return
        await asyncio.sleep(tick)
        tick = min(2 * tick, _LONGEST_TICK)


def _unsent(transport: asyncio.Transport) -> int:
    """Bytes that the kernel holds and the peer has not acknowledged; 0 where the kernel does not tell."""
    if sys.platform == "win32":
        return 0
    import fcntl  # noqa: PLC0415  # not on Windows
    import termios  # noqa: PLC0415  # not on Windows

    told = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
    return int.from_bytes(told, sys.byteorder)
