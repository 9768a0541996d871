"""The rest of a large body, read from its connection straight into the reader's memory.

An HTTP parser copies what it passes on, and hands it over in small pieces: that is half of what a large file costs.
Where the length of a body is known, what is left of it needs no parser.
"""

import asyncio
from typing import Protocol

from gmi_video.errors import Interrupted


class Tap(asyncio.BufferedProtocol):
    """Takes a connection over for the `left` bytes of a body that are still to come. Reading rests while nobody fills.

    The connection carries nothing else after that: whoever opened it closes it. `about` is what errors speak of.
    """

    def __init__(self, transport: asyncio.Transport, left: int, about: str) -> None:
        self.left = left
        self._transport = transport
        self._before = transport.get_protocol()
        self._about = about
        self._room = memoryview(bytearray())
        self._came = 0
        self._woken: asyncio.Future[None] | None = None
        self._lost: str | None = None
        transport.pause_reading()
        transport.set_protocol(self)

    async def fill(self, room: memoryview, within: float) -> int:
        """How many bytes came: as many as there is room for, the rest of the body, or what came in so many seconds.

        Raises `Interrupted` where the connection broke and nothing more had come.
        """
        room = room[: self.left]
        if not room:
            return 0
        if self._lost is None:
            await self._receive(room, within)
        came, self._came = self._came, 0
        if not came and self._lost is not None:
            raise Interrupted(
                f"{self._about}: the connection broke before the answer was complete", cause=self._lost
            )
        return came

    async def _receive(self, room: memoryview, within: float) -> None:
        loop = asyncio.get_running_loop()
        self._room, self._woken = room, loop.create_future()
        alarm = loop.call_later(within, self._wake)
        self._transport.resume_reading()
        try:
            await self._woken
        finally:
            alarm.cancel()
            self._transport.pause_reading()
            self._room, self._woken = memoryview(bytearray()), None

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  # what fits into the room is wanted
        """Where the next bytes go."""
        return self._room[self._came :]

    def buffer_updated(self, nbytes: int) -> None:
        """So many bytes went there."""
        self._came += nbytes
        self.left -= nbytes
        if self._came == len(self._room):
            self._transport.pause_reading()
            self._wake()

    def eof_received(self) -> None:
        """The peer says no more; the transport closes itself, and `connection_lost` follows."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the wait, and lets the protocol before know."""
        self._lost = type(exc).__name__ if exc is not None else "ConnectionResetError"
        self._wake()
        self._before.connection_lost(exc)


class Tappable(Protocol):
    """A reply whose connection can be taken over."""

    def tap(self) -> tuple[bytes, Tap | None] | None:
        """What of the body is there already, and a tap for the rest; None where that is not worth it, or not possible."""
        ...
