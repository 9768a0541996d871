"""One watch as the poller sees it, without holding on to it."""

import asyncio

from gmi_video._inbox import Inbox
from gmi_video.settings import Pace

TOGETHER = 0.005
"""Seconds within which ids are said to have come at one moment."""


class Line:
    """One watch as the poller sees it: its inbox, its bell, and what ended it early. Never the watch itself.

    It is `gathering` since then, while ids come a thousand at a time.
    """

    def __init__(self, inbox: Inbox, pace: Pace) -> None:
        self.inbox = inbox
        self.pace = pace
        self.error: BaseException | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.feeder: asyncio.Task[None] | None = None
        self.closed = False
        self.gathering: float | None = None
        self._moment = float("-inf")
        self._waiters: set[asyncio.Future[None]] = set()

    def moment(self, now: float) -> float:
        """When an id came that comes now: the same for those that come together, which then share what is kept of it."""
        if now - self._moment > TOGETHER:
            self._moment = now
        return self._moment

    def ring(self) -> None:
        """Wakes whoever waits for an event."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    @property
    def feeding(self) -> bool:
        """Whether ids are still being taken from what the caller gave."""
        return self.feeder is not None and not self.feeder.done()

    async def wait(self) -> None:
        """Waits for the bell; cancelling the wait loses nothing."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    def fail(self, error: BaseException) -> None:
        """Ends the watch with an error, after the events that are waiting."""
        self.error = error
        self.ring()
