"""Whether the event loop stood still lately: what was measured then says nothing of the service."""

import asyncio
from collections.abc import Callable

BEAT = 0.5
"""Seconds between two looks at the clock while calls are under way."""
LAG = 0.25
"""Seconds by which a beat may be late; one second of blocking is noticed however it falls between two beats."""


class Lag:
    """Beats while anything is under way; a beat that comes late was held up by whoever blocked the loop.

    Timers that fell due meanwhile run together once the loop turns again, and before any task goes on: so a call
    that seems to have timed out can ask whether it was us.
    """

    def __init__(self, busy: Callable[[], object]) -> None:
        self._loop = asyncio.get_running_loop()
        self._busy = busy
        self._beat: asyncio.TimerHandle | None = None
        self._due = self._last = float("-inf")

    def begin(self) -> None:
        """Something is under way from now on."""
        if self._beat is None:
            self._next()

    def since(self, moment: float) -> bool:
        """Whether the loop stood still at any time since then."""
        return self._last >= moment

    def close(self) -> None:
        """No more beats."""
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None

    def _look(self) -> None:
        now = self._loop.time()
        if now - self._due > LAG:
            self._last = now
        self._beat = None
        if self._busy():
            self._next()

    def _next(self) -> None:
        self._due = self._loop.time() + BEAT  # not every loop's timer tells when
        self._beat = self._loop.call_at(self._due, self._look)
