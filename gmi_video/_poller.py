"""Drives one schedule with bounded looks, for all watches of a session.

`concurrency` lookers pull: a free one takes the next due id itself, and parks where nothing is due, so their
number is the limit. They are born when needed and are gone when nobody watches: an idle poller has no task.
"""

import asyncio
import copy
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from random import Random
from typing import Any

import anyio
from anyio.abc import TaskGroup

from gmi_video._entry import Told
from gmi_video._inbox import Inbox
from gmi_video._schedule import Schedule
from gmi_video.errors import ConfigurationError, GmiVideoError, Unauthorized
from gmi_video.events import GaveUp
from gmi_video.records import Snapshot
from gmi_video.settings import Pace


class Line:
    """One watch as the poller sees it: its inbox, its bell, and what ended it early. Never the watch itself."""

    def __init__(self, inbox: Inbox, pace: Pace) -> None:
        self.inbox = inbox
        self.pace = pace
        self.error: BaseException | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.feeder: asyncio.Task[None] | None = None
        self.closed = False
        self._waiters: set[asyncio.Future[None]] = set()

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


class Poller:
    """Looks at every id that any line follows, once per slot, and tells every line what changed."""

    def __init__(self, look: Callable[[str], Awaitable[Snapshot]], *, concurrency: int, rng: Random) -> None:
        self.schedule = Schedule(rng)
        self._look = look
        self._concurrency = concurrency
        self._loop = asyncio.get_running_loop()
        self._lines: set[Line] = set()
        self._crew: _Crew | None = None
        self._roots: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def join(self, line: Line) -> None:
        """A line is there, without ids yet. That of a session which is closing ends at once."""
        line.closed = self._closed
        if not line.closed:
            self._lines.add(line)

    def add(self, line: Line, request_id: str, key: object, given: Snapshot | None = None) -> None:
        """A line follows an id from now on; raises `ConfigurationError` where it is closed."""
        if line.closed:
            message = "this watch is closed; make another to follow more ids"
            raise ConfigurationError(message)
        now = self._loop.time()
        if not line.inbox.take_in(request_id, key, now):
            return
        for event in self.schedule.add(request_id, line, line.pace, now, given):
            line.inbox.put(event, now)
        line.ring()

    def added(self, line: Line) -> None:
        """To be called after one or more `add`: sets the alarm for deadlines and starts looking."""
        self._set_alarm(line)
        self._arrange()

    def drop(self, line: Line, request_id: str) -> None:
        """A line follows an id no longer."""
        line.inbox.leave(request_id)
        self.schedule.drop(request_id, line)
        line.ring()
        self._arrange()

    def leave(self, line: Line) -> None:
        """A line is gone, with all its ids and what was feeding it."""
        line.closed = True
        if line.timer is not None:
            line.timer.cancel()
        if line.feeder is not None:
            line.feeder.cancel()
        for request_id in line.inbox.ids:
            line.inbox.leave(request_id)
            self.schedule.drop(request_id, line)
        self._lines.discard(line)
        line.ring()
        self._arrange()

    def learn(self, snapshot: Snapshot, *, accepted: bool = False) -> None:
        """A snapshot came by another way than a look."""
        self._deliver(self.schedule.learn(snapshot, self._loop.time(), accepted=accepted))

    async def aclose(self) -> None:
        """Ends every look; the watches that are left end without an error of their own."""
        self._closed = True
        for line in tuple(self._lines):
            self.leave(line)
        self.schedule.clear()
        self._arrange()
        with anyio.CancelScope(shield=True):
            while self._roots:
                await asyncio.wait(self._roots)

    def _set_alarm(self, line: Line) -> None:
        if line.timer is not None:
            line.timer.cancel()
        due = line.inbox.next_deadline()
        line.timer = None if due is None else self._loop.call_at(due, self._overdue, line)

    def _overdue(self, line: Line) -> None:
        now = self._loop.time()
        for request_id in line.inbox.overdue(now + 1e-6):
            last = self.schedule.last(request_id)
            self.schedule.drop(request_id, line)
            line.inbox.put(GaveUp(request_id=request_id, snapshot=last, reason="deadline"), now)
        line.ring()
        self._set_alarm(line)
        self._arrange()

    def _deliver(self, told: Told) -> None:
        now = self._loop.time()
        for line in told.readers:
            for event in told.events:
                line.inbox.put(event, now)
            line.ring()
        self._arrange()

    def _arrange(self) -> None:
        """Wakes or starts a looker for what is due, sets the alarm for what will be, ends what is over."""
        if not len(self.schedule):
            self._rest()
            return
        due = self.schedule.next_due()
        if due is None:
            return
        if due > self._loop.time():
            self._wake_at(due)
        elif self._crew is None:
            self._crew = _Crew()
            root = self._loop.create_task(self._run(self._crew), name="gmi_video poller")
            self._roots.add(root)
            root.add_done_callback(self._roots.discard)
        else:
            self._crew.call_one(self._concurrency, self._looker)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._crew is not None:
            self._crew.over.set()
            self._crew = None

    def _wake_at(self, due: float) -> None:
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._arrange()

    async def _run(self, crew: "_Crew") -> None:
        try:
            async with anyio.create_task_group() as group:
                crew.group = group
                self._arrange()
                await crew.over.wait()
                group.cancel_scope.cancel()
        except Exception as error:  # noqa: BLE001  # the border of the watches: none may hang on our own fault
            fault = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
            self._fail(lambda: fault)
        finally:
            if self._crew is crew:
                self._crew = None

    async def _looker(self, crew: "_Crew") -> None:
        while True:
            request_id = self.schedule.take(self._loop.time())
            if request_id is None:
                await crew.park()
                continue
            self._arrange()
            try:
                await self._one(request_id)
            finally:
                if self.schedule.landed(request_id, self._loop.time()):
                    self._arrange()  # somebody may have begun to watch it while it was broken off

    async def _one(self, request_id: str) -> None:
        try:
            snapshot = await self._look(request_id)
        except Unauthorized as error:
            refused = error
            self._fail(lambda: copy.copy(refused))
        except GmiVideoError as error:
            self._deliver(self.schedule.miss(request_id, error, self._loop.time()))
        else:
            self._deliver(self.schedule.observe(request_id, snapshot, self._loop.time()))

    def _fail(self, error: Callable[[], BaseException]) -> None:
        """Every watch that still follows an id ends with an error of its own; its ids can be resumed."""
        lines = tuple(line for line in self._lines if len(line.inbox))
        for line in lines:
            line.fail(error())
        for line in lines:
            self.leave(line)


class _Crew:
    """The lookers of one busy period: who is parked, and the group that all of them end with."""

    def __init__(self) -> None:
        self.over = anyio.Event()
        self.group: TaskGroup | None = None
        self._parked: deque[asyncio.Future[None]] = deque()
        self._size = 0

    def call_one(self, most: int, looker: Callable[["_Crew"], Coroutine[Any, Any, None]]) -> None:
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
