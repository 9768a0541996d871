"""The rest of a large body, read from its connection straight into the reader's memory.

An HTTP parser copies what it passes on, and hands it over in small pieces: that is half of what a large file costs.
Where the length of a body is known, what is left of it needs no parser.
"""

import asyncio
from typing import Protocol

from gmi_video.errors import Interrupted

_NOWHERE = memoryview(bytearray())
_SOME = 1 << 16
"""Bytes that are taken where nobody says how many there are."""
_RECORD = 1 << 14
"""Bytes that a TLS connection may have beyond those that it says: a record of which a part was read (RFC 8446, 5.1)."""


class Tap(asyncio.BufferedProtocol):
    """Takes a connection over for the `left` bytes of a body that are still to come. Reading rests while nobody fills.

    The connection carries nothing else after that: whoever opened it closes it. `about` is what errors speak of.

    A connection that has more than the room takes is given memory of ours, for what it cannot put there it may lose (a TLS
    connection whose peer has closed it, a Windows pipe). What came for one who was cancelled is kept as well.
    """

    def __init__(self, transport: asyncio.Transport, left: int, about: str) -> None:
        self._coming = left
        self._transport = transport
        self._before = transport.get_protocol()
        self._about = about
        self._room = _NOWHERE
        self._came = 0
        self._spare: memoryview | None = None
        self._kept = bytearray()
        self._woken: asyncio.Future[None] | None = None
        self._lost: str | None = None
        transport.pause_reading()
        transport.set_protocol(self)

    @property
    def left(self) -> int:
        """Bytes of the body that nobody was given yet."""
        return self._coming + len(self._kept)

    async def fill(self, room: memoryview, within: float) -> int:
        """How many bytes came: as many as there is room for, the rest of the body, or what came in so many seconds.

        Raises `Interrupted` where the connection broke and nothing more had come, `RuntimeError` for a second filler.
        """
        if self._woken is not None:
            raise RuntimeError("two tasks read one stream; only one can have its next bytes")
        room = room[: self.left]
        if not room:
            return 0
        if self._kept:
            came = min(len(room), len(self._kept))
            room[:came] = self._kept[:came]
            del self._kept[:came]
            return came
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
        except BaseException:
            self._kept[:0] = room[: self._came]
            self._came = 0
            raise
        finally:
            alarm.cancel()
            self._transport.pause_reading()
            self._room, self._woken = _NOWHERE, None

    def _wake(self) -> None:
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next bytes go: into the room, unless there are more of them."""
        free = self._room[self._came :]
        there = sizehint + _RECORD if sizehint >= 0 else 0
        if free and len(free) >= min(there, self._coming):
            self._spare = None
            return free
        size = min(there or _SOME, self._coming) or _SOME  # what is behind the body is dropped
        self._spare = memoryview(bytearray(size))
        return self._spare

    def buffer_updated(self, nbytes: int) -> None:
        """So many bytes went there."""
        nbytes = min(nbytes, self._coming)
        self._coming -= nbytes
        into = nbytes
        if self._spare is not None:
            into = min(nbytes, len(self._room) - self._came)
            self._room[self._came : self._came + into] = self._spare[:into]
            self._kept += self._spare[into:nbytes]
            self._spare = None
        self._came += into
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
