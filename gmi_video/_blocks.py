"""A body on its way to disk: gathered into blocks, written and hashed in threads while the next bytes come."""

import asyncio
from collections import deque
from types import TracebackType
from typing import Self

from gmi_video._lane import Lane
from gmi_video._offload import ended
from gmi_video._part import Part
from gmi_video._pool import memory

BLOCK, MOST = 4 << 20, 3
"""Bytes that go to disk together, and how many such blocks a body has: one is filled while the others are written and hashed,
each at its own speed. A GiB in 3, 4 and 6 of 2 MiB came 1.06, 1.07 and 1.03 times as fast as the bare client's, in 2, 3 and 4 of
4 MiB 1.14, 1.24 and 1.21, and 0.87 times where both threads of a block were woken for it and waited for (Intel Xeon of model
167, 2 MiB of L2 a core)."""
FLUSH_EVERY = 1.0
"""Seconds after which less goes to disk as well, whether or not more comes: so much is lost where the process is killed."""


class Blocks:
    """What is between a stream, of so many bytes if that is known, and its part. Who leaves it as a context has all written.

    They are filled where they are: `room`, and `took` once something is there. Keeping pieces is slower: freed by the
    megabyte, their memory goes back to the system, which then hands out each page of the next ones anew.
    """

    def __init__(self, part: Part, length: int | None = None) -> None:
        self._part = part
        self._block = min(BLOCK, length or BLOCK)  # to make a block takes its time, and the loop's
        self._filling = memory(0)  # made when bytes come
        self._size = self._sent = 0
        self._away: deque[tuple[int, memoryview]] = deque()
        self._put = 0
        self._lanes: tuple[Lane, ...] = ()
        self._told = False
        self._passed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def room(self) -> memoryview:
        """Where the next bytes go: never empty."""
        if not self._filling:
            self._filling = memory(self._block)
        return self._filling[self._size :]

    async def took(self, size: int) -> None:
        """So many bytes are in the room now; raises what writing the ones before has raised."""
        self._size += size
        if self._size == self._block:
            await self._turn()
        elif self._timer is None:
            self._timer = self._loop.call_later(FLUSH_EVERY, self._send_off)
        self._tell()

    async def flush(self) -> None:
        """Returns once all of it is written, or dropped behind what could not be; no memory is held from then on."""
        self._send_off()
        await ended(asyncio.gather(*(lane.resting for lane in self._lanes)))
        self._filling, self._size, self._sent = memory(0), 0, 0
        self._away.clear()
        self._tell()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, _: object, error: BaseException | None, trace: TracebackType | None) -> None:
        """Also what came before an error is worth keeping. Who is cancelled is cancelled, whatever the disk says."""
        try:
            await self.flush()
        except Exception:
            if error is None or isinstance(error, Exception):
                raise

    async def _turn(self) -> None:
        """A full block goes; the next one is there once it is done with."""
        self._send_off()
        self._away.append((self._put, self._filling))
        self._filling, self._size, self._sent = memory(0), 0, 0
        while len(self._away) == MOST and not self._is_free(self._away[0][0]) and not self._broken:
            self._passed.clear()
            await self._passed.wait()
        if self._is_free(self._away[0][0]):
            self._filling = self._away.popleft()[1]

    def _is_free(self, last: int) -> bool:
        """Whether every lane has taken so many pieces."""
        return all(lane.done >= last for lane in self._lanes)

    def _send_off(self) -> None:
        """What came since the last time goes its ways; what comes next is put behind it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._size == self._sent or self._broken:
            return
        if not self._lanes:
            self._lanes = tuple(Lane(step, self._passed.set) for step in self._part.steps())
        piece = self._filling[self._sent : self._size]
        self._sent = self._size
        self._put += 1
        for lane in self._lanes:
            lane.put(piece)

    @property
    def _broken(self) -> bool:
        return any(lane.broken for lane in self._lanes)

    def _tell(self) -> None:
        """Raises what a lane has raised, once. It is kept nowhere, for its traceback holds the blocks."""
        failures = [lane.failure for lane in self._lanes if lane.failure is not None]
        for lane in self._lanes if failures else ():
            lane.failure = None
        if failures and not self._told:
            self._told = True
            raise failures.pop(0)
