"""What becomes of one block after the other, in a thread, while the loop goes on."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from gmi_video._offload import TURN, begin


class Lane:
    """Hands blocks to `step`, in their order and never two at once. Where it raises, what follows is dropped.

    The thread goes on for as long as there are blocks: to wake one for each costs as much as to write a megabyte.
    `passed` is called on the loop behind each block, and once where the lane is `broken`.
    """

    def __init__(self, step: Callable[[memoryview], None], passed: Callable[[], None]) -> None:
        self._step = step
        self._passed = passed
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[memoryview] = deque()
        self._job: asyncio.Future[None] | None = None
        self._resting: asyncio.Future[None] = self._loop.create_future()
        self._resting.set_result(None)
        self.done = 0
        """Blocks that the step has taken."""
        self.broken = False
        self.failure: BaseException | None = None
        """What broke it; whoever takes it from here lets go of the blocks that its traceback holds."""

    @property
    def resting(self) -> "asyncio.Future[None]":
        """Done once no block waits and no thread is at one; `ended` waits for it."""
        return self._resting

    def put(self, block: memoryview) -> None:
        """One more block; nobody may write in it before it is done."""
        if self.broken:
            return
        self._waiting.append(block)
        if self._job is None:
            self._resting = self._loop.create_future()
            self._go_on()

    def _go_on(self) -> None:
        try:
            self._job = begin(self._run)
        except RuntimeError as error:  # the system has no thread for us
            self._end(error)
        else:
            self._job.add_done_callback(self._ran)

    def _run(self) -> None:
        """In a thread."""
        until = time.monotonic() + TURN
        while self._waiting:
            self._step(self._waiting.popleft())
            self._loop.call_soon_threadsafe(self._one_done)
            if time.monotonic() >= until:
                return

    def _one_done(self) -> None:
        self.done += 1
        self._passed()

    def _ran(self, job: "asyncio.Future[None]") -> None:
        self._job = None
        failure = asyncio.CancelledError() if job.cancelled() else job.exception()
        if failure is None and self._waiting:
            self._go_on()
        else:
            self._end(failure)

    def _end(self, failure: BaseException | None) -> None:
        """It rests, for now or for good."""
        if failure is not None:
            self.broken, self.failure = True, failure
            self._waiting.clear()
            self._passed()
        self._resting.set_result(None)
