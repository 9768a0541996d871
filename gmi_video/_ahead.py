"""Blocks of a source, read in a thread a few ahead of who takes them."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from gmi_video._offload import TURN, begin, ended


class Ahead:
    """What `step` brings, in its order, an empty block being the end; at most `most` of them wait to be taken.

    What it raises is raised behind what it brought before. The thread goes on for as long as there is room, for to wake
    one for each block costs as much as to read a megabyte.
    """

    def __init__(self, step: Callable[[], memoryview], most: int) -> None:
        self._step = step
        self._most = most
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[memoryview] = deque()
        self._brought = self._taken = 0  # the first is the thread's to count, the other the loop's
        self._job: asyncio.Future[None] | None = None
        self._over = False
        self._failed: BaseException | None = None
        self._news = asyncio.Event()

    async def take(self) -> memoryview:
        """The next block; empty at the end, and once this is closed."""
        self._go_on()
        while not self._waiting and not self._over:
            self._news.clear()
            await self._news.wait()
        if self._waiting:
            self._taken += 1
            block = self._waiting.popleft()
            self._go_on()
            return block
        if self._failed is not None:
            raise self._failed
        return memoryview(b"")

    async def close(self) -> None:
        """Returns once no thread is at it any more. Nothing of the source is held from then on."""
        self._over = True
        self._waiting.clear()
        self._failed = None  # its traceback holds a block
        self._news.set()
        try:
            if self._job is not None:
                with suppress(Exception):  # nobody asks for that block any more
                    await ended(self._job)
        finally:
            self._step = _nothing  # it may be a method of who holds this

    def _go_on(self) -> None:
        if self._job is None and not self._over and self._brought - self._taken < self._most:
            try:
                self._job = begin(self._run)
            except RuntimeError as error:  # the system has no thread for us
                self._fail(error)
            else:
                self._job.add_done_callback(self._ran)

    def _run(self) -> None:
        """In a thread."""
        until = time.monotonic() + TURN
        while not self._over and self._brought - self._taken < self._most:
            if not self._bring() or time.monotonic() >= until:
                return

    def _bring(self) -> bool:
        """In the thread, which keeps no view of the block afterwards: its memory is used again. False at the end."""
        block = self._step()
        self._brought += 1
        self._loop.call_soon_threadsafe(self._came, block)
        return bool(block)

    def _came(self, block: memoryview) -> None:
        if not block:
            self._over = True
        elif not self._over:
            self._waiting.append(block)
        self._news.set()

    def _ran(self, job: "asyncio.Future[None]") -> None:
        self._job = None
        failed = asyncio.CancelledError() if job.cancelled() else job.exception()
        if failed is not None and not self._over:
            self._fail(failed)
        self._go_on()

    def _fail(self, error: BaseException) -> None:
        self._over, self._failed = True, error
        self._news.set()


def _nothing() -> memoryview:
    return memoryview(b"")
