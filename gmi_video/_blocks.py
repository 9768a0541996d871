"""A body on its way to disk: gathered into blocks, written and hashed in threads while the next bytes come."""

import asyncio

from gmi_video._offload import begin, ended
from gmi_video._part import Part
from gmi_video._pool import memory

BLOCK = 2 << 20
"""Bytes that go to disk together: one trip off the loop for many small reads."""
FLUSH_EVERY = 1.0
"""Seconds after which less goes to disk as well: so much is lost where the process is killed."""


class Blocks:
    """What is between a stream and its part: two blocks, one being filled while the other is written.

    They are filled where they are: `room`, and `took` once something is there. Keeping pieces is slower: freed by the
    megabyte, their memory goes back to the system, which then hands out each page of the next ones anew.
    """

    def __init__(self, part: Part) -> None:
        self._part = part
        self._filling, self._spare = memory(0), memory(0)  # made when bytes come
        self._size = 0
        self._jobs: list[asyncio.Future[None]] = []
        self._clock = asyncio.get_running_loop().time
        self._since = self._clock()

    @property
    def room(self) -> memoryview:
        """Where the next bytes go: never empty."""
        if not self._filling:
            self._filling = memory(BLOCK)
        return self._filling[self._size :]

    async def took(self, size: int) -> None:
        """So many bytes are in the room now; raises what writing the ones before has raised."""
        self._size += size
        if self._size == BLOCK or self._clock() - self._since >= FLUSH_EVERY:
            await self._turn()

    async def flush(self) -> None:
        """Returns once all of it is written. Also what came before an error is worth keeping."""
        await self._turn()
        await self._done()

    async def _turn(self) -> None:
        """What was filled goes to disk, once what went before it is there."""
        await self._done()
        full, size = self._filling, self._size
        self._filling, self._spare = self._spare, full
        self._size, self._since = 0, self._clock()
        if size:
            block = full[:size]
            self._jobs = [begin(step, block) for step in self._part.steps()]

    async def _done(self) -> None:
        """Waits for every thread that reads the spare block. Where one failed, what was to follow its bytes is dropped."""
        jobs, self._jobs = self._jobs, []
        if not jobs:
            return
        failed: BaseException | None = None
        try:
            await ended(asyncio.gather(*jobs, return_exceptions=True))
        finally:
            failed = next((error for job in jobs if not job.cancelled() and (error := job.exception())), None)
            if failed is not None:
                self._size = 0
        if failed is not None:
            raise failed
