"""Bytes that a caller's factory makes as they go out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from inspect import iscoroutine
from typing import Any

from gmi_video._file_type import HEAD
from gmi_video._local import Chunks
from gmi_video._offload import begin, ended
from gmi_video.errors import ConfigurationError

Digest = Callable[[bytes | memoryview], None]
"""Is told of the bytes of a source, in their order."""


class ChunkBlocks:
    """What a factory gives: bytes-like pieces of any size. What it raises is the caller's own, and passes through.

    A piece is digested while it is being sent.
    """

    def __init__(self, chunks: Chunks, digest: Digest | None = None) -> None:
        self._told = chunks
        self._digest = digest
        self._digesting: asyncio.Future[None] | None = None
        self._pieces: AsyncIterator[bytes] | None = None
        self._reading = asyncio.Lock()

    async def read(self) -> bytes:
        """The next piece, none at the end."""
        async with self._reading:
            await self._digested()
            if self._pieces is None:
                self._pieces = _pieces(self._told.read())
            with suppress(StopAsyncIteration):
                while not (piece := _piece(await anext(self._pieces))):
                    continue
                if self._digest is not None:
                    self._digesting = begin(self._digest, piece)
                return piece
        return b""

    async def _digested(self) -> None:
        """Waits for the thread that digests, and lets it be where this is cancelled."""
        if self._digesting is not None:
            await asyncio.wait((self._digesting,))

    async def close(self) -> None:
        """Lets go of the source."""
        async with self._reading:
            await self._digested()
            closing: Any = getattr(self._pieces, "aclose", None)
            if closing is not None:
                await closing()


def _pieces(given: Any) -> AsyncIterator[bytes]:
    if hasattr(given, "__aiter__"):
        return aiter(given)
    if iscoroutine(given):
        given.close()
    message = (
        f"Chunks.read gives an async iterable of bytes, as an async generator is, not {type(given).__name__}"
    )
    raise ConfigurationError(message)


def _piece(piece: object) -> bytes:
    if isinstance(piece, bytes | bytearray | memoryview):
        return bytes(piece)
    message = f"Chunks.read gives pieces of bytes, not {type(piece).__name__}"
    raise ConfigurationError(message)


async def head_of(chunks: Chunks) -> bytes:
    """The first bytes of a source that begins anew for each reading."""
    head, blocks = b"", ChunkBlocks(chunks)
    try:
        while len(head) < HEAD and (block := await blocks.read()):
            head += block
    finally:
        await ended(asyncio.ensure_future(blocks.close()))
    return head[:HEAD]
