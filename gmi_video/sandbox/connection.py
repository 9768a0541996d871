"""A connection of an origin: aiohttp's own, which may meet a fault before it reads and knows its client left."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import web

from gmi_video.sandbox.faults import Fault, Garbage, HangUp, Refuse, Silence

Handler: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Chance: TypeAlias = Callable[[], Fault | None]
"""Asked once per connection: what happens to it before anything is known of its calls."""


class Connection(web.RequestHandler):
    """One accepted connection. Under a fault of its own it never hands a byte on: nothing is heard of it."""

    def __init__(self, server: web.Server, chance: Chance, refuse: Callable[[float], None]) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), access_log=None)  # type: ignore[arg-type]  # as web.Server passes it on
        self.gone = asyncio.Event()
        """Set once the connection is lost, whoever ended it."""
        self.refuse = refuse
        """Stops the listening for so many seconds."""
        self._fault = chance()
        self._heard = 0
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The kernel accepted; a fault that wants no byte strikes now."""
        super().connection_made(transport)
        match self._fault:
            case Refuse(seconds=seconds):
                self.refuse(seconds)
                self.reset()
            case HangUp(after=0):
                self._strike()
            case Silence():
                self.keep_alive(val=True)  # no idle connection of aiohttp's, to be closed after an hour
            case _:
                pass

    def connection_lost(self, exc: BaseException | None) -> None:
        """Whoever waits for the client's end is woken."""
        super().connection_lost(exc)
        self._writable.set()
        self.gone.set()

    def data_received(self, data: bytes) -> None:
        """Bytes of the client, handed on unless this connection has a fault of its own."""
        if self._fault is None:
            super().data_received(data)
            return
        self._heard += len(data)
        if not isinstance(self._fault, HangUp) or self._heard >= self._fault.after:
            self._strike()

    def pause_writing(self) -> None:
        """The client reads slower than the sandbox writes."""
        super().pause_writing()
        self._writable.clear()

    def resume_writing(self) -> None:
        """The client has caught up."""
        super().resume_writing()
        self._writable.set()

    async def writable(self) -> None:
        """Waits until more may be written.

        Raises:
            ConnectionResetError: the client is gone.
        """
        await self._writable.wait()
        if self.gone.is_set():
            raise ConnectionResetError("the client is gone")

    def reset(self) -> None:
        """RST: with a linger time of zero the kernel throws away what is unsent and says so to the client."""
        transport = self.transport
        if transport is not None:
            peer = transport.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()

    def hang_up(self) -> None:
        """FIN, and no further interest in what the client says."""
        if self.transport is not None:
            self.transport.close()

    def half_close(self) -> None:
        """FIN of this side only; reading goes on."""
        if self.transport is not None and self.transport.can_write_eof():
            self.transport.write_eof()

    def _strike(self) -> None:
        match self._fault:
            case HangUp(how="reset"):
                self.reset()
            case HangUp(how="half_close"):
                self.half_close()
            case HangUp():
                self.hang_up()
            case Garbage(body=body) if self.transport is not None:
                self.transport.write(body)
                self.hang_up()
            case _:
                pass


class Server(web.Server):
    """aiohttp's low-level server, whose connections are ours."""

    def __init__(self, handler: Handler, chance: Chance, refuse: Callable[[float], None]) -> None:
        super().__init__(handler, access_log=None)
        self._chance, self._refuse = chance, refuse

    def __call__(self) -> Connection:
        """The protocol of the next connection."""
        return Connection(self, self._chance, self._refuse)
