"""Blocks of a source, read in a thread a few ahead of who takes them."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from gmi_video._offload import ended
from gmi_video._stint import Stint


class Ahead:
    """What `step` brings, in its order, an empty block being the end; at most `most` of them wait to be taken.

    What it raises is raised behind what it brought before.
    """

    def __init__(self, step: Callable[[], memoryview], most: int) -> None:
        self._step = step
        self._most = most
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[memoryview] = deque()
        self._brought = self._taken = 0  # the first is the thread's to count, the other the loop's
        self._stint = Stint(self._once, self._ended)
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
            if self._stint.job is not None:
                with suppress(Exception):  # nobody asks for that block any more
                    await ended(self._stint.job)
        finally:
            self._step = _nothing  # it may be a method of who holds this

    @property
    def _may(self) -> bool:
        """Whether one more is to be read."""
        return not self._over and self._brought - self._taken < self._most

    def _go_on(self) -> None:
        if self._may:
            self._stint.go_on()

    def _once(self) -> bool:
        """In a thread, which keeps no view of the block afterwards, for its memory is used again; whether to go on."""
        if not self._may:
            return False
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

    def _ended(self, failure: BaseException | None) -> None:
        """The thread was given back; where something waits to be read it goes on."""
        if failure is not None and not self._over:
            self._over, self._failed = True, failure
            self._news.set()
        self._go_on()


def _nothing() -> memoryview:
    return memoryview(b"")
