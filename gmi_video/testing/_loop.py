"""An event loop on which waiting is free: where nothing is ready, its clock jumps to the next timer.

Sockets are real and are served first; only when no socket has anything to say and no executor job is under
way does time move. So a poll of every thirty seconds over an hour takes milliseconds, over real loopback
HTTP as well, and two runs of one seed see the same clock.
"""

import asyncio
import os
import selectors
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_YIELDS = 4
_DEADLOCK = 20.0
_OWN = 1  # the loop's pipe to itself


class _JumpingSelector(selectors.BaseSelector):
    """Asks the real selector first; a wait that nothing answers becomes a step of the loop's clock."""

    def __init__(self, deadlock: float) -> None:
        self._real = selectors.DefaultSelector()
        self._deadlock = deadlock
        self.advance: Callable[[float], None] = lambda _: None
        self.busy: Callable[[], bool] = lambda: False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None or self.busy():
            ready = self._real.select(self._deadlock)
            if not ready and not self.busy():
                message = "nothing is left that could wake this loop: no timer, no socket, no executor job"
                raise RuntimeError(message)
            return ready
        alone = len(self._real.get_map()) <= _OWN  # then nobody can write to us, and a turn lost is lost
        for _ in range(0 if alone else _YIELDS):  # the kernel may still be carrying bytes between two sockets
            os.sched_yield()
            ready = self._real.select(0)
            if ready:
                return ready
        self.advance(timeout)
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class VirtualLoop(asyncio.SelectorEventLoop):
    """A selector loop whose `time()` moves only when everybody waits; starts at 1,000 seconds.

    Where nothing is left that could wake it, it raises `RuntimeError` after `deadlock` real seconds.
    """

    def __init__(self, *, deadlock: float = _DEADLOCK) -> None:
        self._now = 1000.0
        self._jobs = 0
        selector = _JumpingSelector(deadlock)
        super().__init__(selector)
        selector.advance = self.advance
        selector.busy = lambda: self._jobs > 0

    def time(self) -> float:
        """Virtual seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Moves the clock; timers that fall due run in the next turn of the loop."""
        self._now += seconds

    def run_in_executor(self, executor: Any, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """As asyncio's; the clock stands still until the job is done."""
        future = super().run_in_executor(executor, func, *args)
        self._jobs += 1
        future.add_done_callback(self._job_done)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ARG002
        """As asyncio's, without its time limit: threads are real, and a clock that jumps would outrun them."""
        await super().shutdown_default_executor()

    def _job_done(self, _: object) -> None:
        self._jobs -= 1


def run(main: Coroutine[Any, Any, T], *, debug: bool | None = None) -> T:
    """Runs `main` to its end on a fresh `VirtualLoop`, as `asyncio.run` would, and returns its result."""
    with asyncio.Runner(loop_factory=VirtualLoop, debug=debug) as runner:
        return runner.run(main)
