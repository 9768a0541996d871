"""The lookers of a poller: born when needed, parked when idle, gone together."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
from anyio.abc import TaskGroup


class Crew:
    """The lookers of one busy period: who is parked, and the group that all of them end with."""

    def __init__(self) -> None:
        self.over = anyio.Event()
        self.group: TaskGroup | None = None
        self._parked: deque[asyncio.Future[None]] = deque()
        self._size = 0

    def call_one(self, most: int, looker: Callable[["Crew"], Coroutine[Any, Any, None]]) -> None:
        """Wakes a parked looker, else starts one where there may be one more."""
        while self._parked:
            waiter = self._parked.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        if self.group is not None and self._size < most:
            self._size += 1
            self.group.start_soon(looker, self, name="gmi_video look")

    async def park(self) -> None:
        """Waits to be woken."""
        waiter = asyncio.get_running_loop().create_future()
        self._parked.append(waiter)
        await waiter
