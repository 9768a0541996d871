"""Media to disk: streamed, whole or not at all, without credentials, under a limit of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import anyio
from attrs import evolve

from gmi_video import _files, errors
from gmi_video._backoff import delay
from gmi_video._links import hop, vetted
from gmi_video._offload import off_loop
from gmi_video.errors import GmiVideoError, Incomplete, TimedOut, TransferError, TransportError
from gmi_video.records import Media, Saved
from gmi_video.settings import Patience
from gmi_video.wire import Stream, Transport, media_call

STALL = 30.0
"""Seconds without an answer, or without a byte of it, after which a download is broken off and begun again."""
HOPS = 5
"""Redirects that are followed, each vetted."""
BLOCK = 1 << 20
"""Bytes that are gathered before they go to disk: one trip off the loop for many small reads."""

_GONE = frozenset({401, 403, 404, 410})
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


class Downloads:
    """All downloads of a session."""

    def __init__(self, transport: Transport, *, most: int, loopback: bool, rng: Random) -> None:
        self._transport = transport
        self._limit = anyio.CapacityLimiter(most)
        self._loopback = loopback
        self._rng = rng

    async def save(self, media: Media, target: Path, *, overwrite: bool, patience: Patience) -> Saved:
        """The file at `target`; raises `TransferError` leaves and `TransportError` after its patience."""
        vetted(media.url, loopback=self._loopback)
        async with self._limit:
            part = _files.Part(target)
            try:
                await off_loop(part.open)
                await self._patiently(media, part, patience)
                sha256 = await off_loop(lambda: part.finish(overwrite=overwrite))
                return Saved(path=target, size=part.size, sha256=sha256, media=media)
            finally:
                part.close()

    async def _patiently(self, media: Media, part: _files.Part, patience: Patience) -> None:
        for attempt in range(1, patience.attempts + 1):
            try:
                return await self._once(media, part)
            except (TransportError, TransferError) as error:
                if not error.retryable or attempt == patience.attempts:
                    error.attempts = attempt
                    raise
            await off_loop(part.restart)
            await asyncio.sleep(delay(attempt, patience, self._rng))
        return None

    async def _once(self, media: Media, part: _files.Part) -> None:
        async with self._followed(media) as stream:
            promised = stream.headers.get("content-length", "")
            pieces: list[bytes] = []
            gathered = 0
            async for piece in _steadily(stream, media):
                pieces.append(piece)
                gathered += len(piece)
                if gathered >= BLOCK:
                    await off_loop(part.write, pieces)
                    pieces, gathered = [], 0
            await off_loop(part.write, pieces)
            if promised.isdigit() and int(promised) != part.size:
                raise Incomplete(f"{media!r}: {part.size:,} bytes came of {int(promised):,}")

    @asynccontextmanager
    async def _followed(self, media: Media) -> AsyncIterator[Stream]:
        """The stream behind a link, after its redirects; raises for any status that is not the file."""
        url = vetted(media.url, loopback=self._loopback)
        for _ in range(HOPS + 1):
            call = evolve(media_call(media), url=url)
            async with AsyncExitStack() as closing:
                with anyio.move_on_after(STALL) as waiting:
                    stream = await closing.enter_async_context(self._transport.stream(call))
                if waiting.cancelled_caught:
                    raise TimedOut(f"{media!r}: no answer for {STALL:g} s")
                if stream.status == 200:
                    yield stream
                    return
                if not 300 <= stream.status < 400:
                    raise _no_file(media, stream.status)
                url = hop(url, stream.headers.get("location", ""), loopback=self._loopback)
        message = f"{media!r} was redirected more than {HOPS} times"
        raise errors.UnsafeURL(message)


def _no_file(media: Media, status: int) -> GmiVideoError:
    if status in _GONE:
        message = f"the storage host does not hand out {media!r} any more ({status})"
        return errors.LinkExpired(message)
    message = f"the storage host answered {status} for {media!r}"
    return TransferError(message, retryable=status in _AGAIN)


async def _steadily(stream: Stream, media: Media) -> AsyncIterator[bytes]:
    """The pieces of a body, broken off where none comes for `STALL` seconds."""
    chunks: Any = stream.chunks()
    while True:
        with anyio.move_on_after(STALL) as waiting:
            piece = await anext(chunks, None)
        if waiting.cancelled_caught:
            raise TimedOut(f"{media!r}: not a byte for {STALL:g} s")
        if piece is None:
            return
        yield piece
