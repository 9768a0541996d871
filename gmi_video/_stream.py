"""`MediaStream`: the bytes of a remote file as they come, without a disk."""

import asyncio
import contextlib
from typing import Any, NoReturn, Self, cast

import anyio

from gmi_video._container import LOOKED, is_text
from gmi_video._pulse import SLOWEST, STALL, Pulse
from gmi_video._range import Edition, Head
from gmi_video._tap import Tap, Tappable
from gmi_video.errors import Incomplete, IntegrityError, TransportError
from gmi_video.records import Media, quoted
from gmi_video.wire import Stream

_PIECE = 1 << 18
"""Bytes of a piece where they come by a tap."""
_MOMENT = 0.1
"""Seconds for which bytes that came wait for more, so that a block is filled at one go; nobody sees them pass."""
_ENDED = "then the host ended the answer"
_STALLED = f"then less than {SLOWEST} bytes a second for {STALL:g} s"


class MediaStream:
    """An async iterator of `bytes`: `async with session.stream(what) as stream: async for piece in stream`.

    `size` is the whole file's, None where the host does not tell it; `length` is how many bytes this stream
    brings, `content_type` and `etag` are what the host says. It ends only where all has come, else it raises
    `Incomplete`; `session.stream(what, start=stream.position)` goes on from there.
    """

    def __init__(
        self, stream: Stream, media: Media, head: Head, *, start: int = 0, stop: int | None = None
    ) -> None:
        self.media = media
        self.edition: Edition = head.edition
        """What tells this file from another of the same name."""
        self.size = head.edition.size
        self.content_type = head.content_type
        self.etag = head.edition.etag
        self.start = self.position = start
        """The first byte that comes, and the next one: places in the whole file."""
        came = None if head.length is None else head.start + head.length
        told = self.size if self.size is not None or stop is not None else came
        ends = [end for end in (stop, told) if end is not None]
        self._end = min(ends) if ends else None  # a host may send less of a range than was asked for
        self._skip = start - head.start
        self._begun = False
        self._chunks = stream.chunks()
        self._rest = memoryview(b"")
        self._untapped: Tappable | None = cast("Tappable", stream) if hasattr(stream, "tap") else None
        self._tap: Tap | None = None
        self._pulse = Pulse()
        self._clock = asyncio.get_running_loop().time

    @property
    def length(self) -> int | None:
        """Bytes that this stream brings in all; None where the host does not tell."""
        return None if self._end is None else max(0, self._end - self.start)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._rest or self._tap is not None:
            room = bytearray(len(self._rest) or _PIECE)
            return bytes(room[: await self.readinto(room)]) or _no_more()
        piece = await self._untapped_piece()
        self.position += len(piece)
        return piece

    async def readinto(self, buffer: bytearray | memoryview) -> int:
        """Puts the next bytes into `buffer` and returns how many: at least one, as many as fit, none at the end.

        It raises what iterating raises, and `TypeError` for what cannot be written to. The cheapest way for a large file:
        its bytes go from the connection to where they are wanted.
        """
        room = memoryview(buffer)
        if room.readonly or not room.c_contiguous:
            raise TypeError(
                "readinto() takes memory in one piece that can be written to, such as a bytearray"
            )
        room = room.cast("B")
        if not room:
            raise ValueError("readinto() was given a buffer of no bytes")
        if not self._rest and self._tap is None:
            await self._reach()
        if self._rest:
            came = min(len(room), len(self._rest))
            room[:came], self._rest = self._rest[:came], self._rest[came:]
        else:
            came = await self._filled(room)
        self.position += came
        return came

    async def _reach(self) -> None:
        """Gets bytes to hand out, or a tap that brings them. The first bytes must show that they are no page."""
        if self._untapped is not None and self._end is not None and not self._skip and self._begun:
            tappable, self._untapped = self._untapped, None
            found = tappable.tap()
            if found is not None:
                early, self._tap = found
                await self._let_go()
                self._rest = memoryview(self._cut(early))
                return
        with contextlib.suppress(StopAsyncIteration):
            self._rest = memoryview(await self._untapped_piece())

    async def _filled(self, room: memoryview) -> int:
        """As many bytes as fit, or came in a moment, by the tap; 0 at the end of what is wanted."""
        if self._tap is None:
            return 0
        assert self._end is not None, "a body of unknown length is not tapped"
        room, came = room[: self._end - self.position], 0
        if room and not self._pulse.patience:  # what came at last was handed out
            raise self._incomplete(_STALLED)
        while room and not came:
            begun, broken = self._clock(), None
            try:
                came = await self._tap.fill(room, _MOMENT)
            except TransportError as error:
                broken = _broke(error)
            self._pulse.beat(self._clock() - begun, came)
            if not came and not broken:
                broken = _STALLED if not self._pulse.patience else None if self._tap.left else _ENDED
            if broken:
                raise self._incomplete(broken)
        return came

    async def _untapped_piece(self) -> bytes:
        """The next bytes by way of the parser; raises `StopAsyncIteration`."""
        if self._begun or self.start:
            piece = await self._piece()
        else:
            piece = await self._first()
        self._begun = True
        return piece

    async def _first(self) -> bytes:
        """The first piece, long enough to tell media from a page; raises `IntegrityError` for a page."""
        gathered = await self._piece()
        try:
            while len(gathered) < LOOKED:
                self.position = len(gathered)
                gathered += await self._piece()
        except StopAsyncIteration:
            pass
        finally:
            self.position = 0  # nothing was handed out yet
        if is_text(gathered):
            gathered = b""  # a traceback with locals must not show a page that quotes its own presigned link
            message = f"{quoted(self.media)} leads to a page or a message, and to no media"
            raise IntegrityError(message)
        return gathered

    async def _piece(self) -> bytes:
        """The next bytes that are wanted."""
        piece = b""
        while not piece:
            if self._end is not None and self.position >= self._end:
                await self._drained()
                raise StopAsyncIteration
            piece = self._cut(await self._next())
        return piece

    async def _next(self) -> bytes:
        """The next bytes as they come; raises `Incomplete`, and `StopAsyncIteration` at an end that is right."""
        begun = self._clock()
        piece: bytes | None = None
        broken: str | None = None
        try:
            with anyio.move_on_after(self._pulse.patience) as waiting:
                piece = await anext(self._chunks, None)
        except TransportError as error:
            broken = _broke(error)
        else:
            if waiting.cancelled_caught:
                broken = _STALLED
        if broken is None and piece is not None:
            self._pulse.beat(self._clock() - begun, len(piece))
            return piece
        if broken is None and self._end is None:
            raise StopAsyncIteration
        raise self._incomplete(broken or _ENDED)

    def _incomplete(self, why: str) -> Incomplete:
        of = "" if self._end is None else f" of {self._end - self.start:,}"
        return Incomplete(f"{quoted(self.media)}: {self.position - self.start:,} bytes came{of}, {why}")

    def _cut(self, piece: bytes) -> bytes:
        """Without what stands before `start` and after `stop`, where the host ignored the range."""
        if self._skip:
            skipped = min(self._skip, len(piece))
            self._skip -= skipped
            piece = piece[skipped:]
        if self._end is not None and len(piece) > self._end - self.position:
            piece = piece[: self._end - self.position]
        return piece

    async def _let_go(self) -> None:
        """Ends the reading piece by piece, where that has an end of its own."""
        closing: Any = getattr(self._chunks, "aclose", None)
        if closing is not None:
            await closing()

    async def _drained(self) -> None:
        """Takes the end of the answer where it is there already, so that its connection can be used again."""
        with anyio.move_on_after(0):
            await anext(self._chunks, None)


def _broke(error: TransportError) -> str:
    return f"then the connection broke ({error.cause or type(error).__name__})"


def _no_more() -> NoReturn:
    raise StopAsyncIteration
