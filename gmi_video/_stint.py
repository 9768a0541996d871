"""Work of many small steps in a thread, while the loop goes on."""

import asyncio
import time
from collections.abc import Callable

from gmi_video._offload import begin

TURN = 0.05
"""Seconds after which the thread is given back, and another one asked for: the loop has few, and others wait for them."""


class Stint:
    """Calls `once` in a thread for as long as it says that there is more. To wake a thread costs as much as to write a megabyte.

    `over` is told on the loop when the thread was given back, and by what it failed, if it did: also that there is no thread
    to be had.
    """

    def __init__(self, once: Callable[[], bool], over: Callable[[BaseException | None], None]) -> None:
        self._once = once
        self._over = over
        self.job: asyncio.Future[None] | None = None
        """What is under way, until `over` is told of it."""

    def go_on(self) -> None:
        """Begins, where it is not at it already."""
        if self.job is not None:
            return
        try:
            self.job = begin(self._run)
        except RuntimeError as error:  # the system has no thread for us
            self._over(error)
        else:
            self.job.add_done_callback(self._ran)

    def _run(self) -> None:
        """In a thread."""
        until = time.monotonic() + TURN
        while self._once() and time.monotonic() < until:
            continue

    def _ran(self, job: "asyncio.Future[None]") -> None:
        self.job = None
        self._over(asyncio.CancelledError() if job.cancelled() else job.exception())
