"""Pieces of a body on their way to disk: gathered into blocks, written in a thread while the next ones come."""

import asyncio

from gmi_video._offload import begin, ended, off_loop
from gmi_video._part import Part

BLOCK = 2 << 20
"""Bytes that are gathered before they go to disk: one trip off the loop for many small reads."""
FLUSH_EVERY = 1.0
"""Seconds after which less goes to disk as well: so much is lost where the process is killed."""


class Blocks:
    """What is between a stream and its part: at most two blocks, one of them being written."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._pieces: list[bytes] = []
        self._size = 0
        self._job: asyncio.Future[None] | None = None
        self._clock = asyncio.get_running_loop().time
        self._since = self._clock()

    async def add(self, piece: bytes) -> None:
        """The next bytes; raises what writing the ones before has raised."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size >= BLOCK or self._clock() - self._since >= FLUSH_EVERY:
            await self._written()
            pieces, self._pieces, self._size, self._since = self._pieces, [], 0, self._clock()
            self._job = begin(self._part.write, pieces)

    async def flush(self) -> None:
        """Returns once all of it is written. Also what came before an error is worth keeping."""
        await self._written()
        pieces, self._pieces = self._pieces, []
        if pieces:
            await off_loop(self._part.write, pieces)

    async def _written(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            await ended(job)
