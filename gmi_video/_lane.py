"""What becomes of one block after the other, in a thread, while the loop goes on."""

import asyncio
from collections import deque
from collections.abc import Callable

from gmi_video._stint import Stint


class Lane:
    """Hands blocks to `step`, in their order and never two at once. Where it raises, what follows is dropped.

    `passed` is called on the loop behind each block, and once where the lane is `broken`.
    """

    def __init__(self, step: Callable[[memoryview], None], passed: Callable[[], None]) -> None:
        self._step = step
        self._passed = passed
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[memoryview] = deque()
        self._stint = Stint(self._once, self._over)
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
        if self._resting.done():
            self._resting = self._loop.create_future()
        self._stint.go_on()

    def _once(self) -> bool:
        """In a thread: one block, if there is any, and whether there are more."""
        if self._waiting:
            self._step(self._waiting.popleft())
            self._loop.call_soon_threadsafe(self._one_done)
        return bool(self._waiting)

    def _one_done(self) -> None:
        self.done += 1
        self._passed()

    def _over(self, failure: BaseException | None) -> None:
        """It goes on, or rests, for now or for good."""
        if failure is not None:
            self.broken, self.failure = True, failure
            self._waiting.clear()
            self._passed()
        if self._waiting:
            self._stint.go_on()
        else:
            self._resting.set_result(None)
