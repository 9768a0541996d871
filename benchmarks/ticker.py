"""How long a loop stood still at worst."""

import asyncio

TICK = 0.001


class Ticker:
    """A callback that comes every millisecond, and remembers by how much it came too late at worst."""

    def __init__(self) -> None:
        self.worst = 0.0
        self._loop = asyncio.get_running_loop()
        self._next()

    def _next(self) -> None:
        self._due = self._loop.time() + TICK
        self._handle = self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        self.worst = max(self.worst, self._loop.time() - self._due)
        self._next()

    def stop(self) -> float:
        """Ends it; the seconds that it was late at worst, a tick that is late now included."""
        self._handle.cancel()
        return max(self.worst, self._loop.time() - self._due)
