"""`MediaStream`: the bytes of a remote file as they come, without a disk."""

import asyncio
from typing import Self

import anyio

from gmi_video._container import LOOKED, is_text
from gmi_video._pulse import SLOWEST, STALL, Pulse
from gmi_video._range import Edition, Head
from gmi_video.errors import Incomplete, IntegrityError, TransportError
from gmi_video.records import Media
from gmi_video.wire import Stream


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
        ends = [
            end
            for end in (stop, None if head.length is None else head.start + head.length)
            if end is not None
        ]
        self._end = min(ends) if ends else None
        self._skip = start - head.start
        self._begun = False
        self._chunks = stream.chunks()
        self._pulse = Pulse()
        self._clock = asyncio.get_running_loop().time

    @property
    def length(self) -> int | None:
        """Bytes that this stream brings in all; None where the host does not tell."""
        return None if self._end is None else max(0, self._end - self.start)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._begun or self.start:
            piece = await self._piece()
        else:
            piece = await self._first()
        self._begun = True
        self.position += len(piece)
        return piece

    async def _first(self) -> bytes:
        """The first piece, long enough to tell media from a page; raises `IntegrityError` for a page."""
        gathered = await self._piece()
        while len(gathered) < LOOKED:
            self.position = len(gathered)
            try:
                gathered += await self._piece()
            except StopAsyncIteration:
                break
        self.position = 0
        if is_text(gathered):
            gathered = b""  # a traceback with locals must not show a page that quotes its own presigned link
            message = f"{self.media!r} leads to a page or a message, and to no media"
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
            broken = f"then the connection broke ({error.cause or type(error).__name__})"
        else:
            if waiting.cancelled_caught:
                broken = f"then less than {SLOWEST} bytes a second for {STALL:g} s"
        if broken is None and piece is not None:
            self._pulse.beat(self._clock() - begun, len(piece))
            return piece
        if broken is None and self._end is None:
            raise StopAsyncIteration
        of = "" if self._end is None else f" of {self._end - self.start:,}"
        came = f"{self.media!r}: {self.position - self.start:,} bytes came{of}"
        raise Incomplete(f"{came}, {broken}" if broken else f"{came}, then the host ended the answer")

    def _cut(self, piece: bytes) -> bytes:
        """Without what stands before `start` and after `stop`, where the host ignored the range."""
        if self._skip:
            skipped = min(self._skip, len(piece))
            self._skip -= skipped
            piece = piece[skipped:]
        if self._end is not None and len(piece) > self._end - self.position:
            piece = piece[: self._end - self.position]
        return piece

    async def _drained(self) -> None:
        """Takes the end of the answer where it is there already, so that its connection can be used again."""
        with anyio.move_on_after(0):
            await anext(self._chunks, None)
