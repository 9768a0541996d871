"""Drives one schedule with bounded looks, for all watches of a session.

`concurrency` lookers pull: a free one takes the next due id itself, and parks where nothing is due, so their
number is the limit. They are born when needed and are gone when nobody watches: an idle poller has no task.
"""

import asyncio
import copy
from collections.abc import Awaitable, Callable
from functools import partial
from random import Random

import anyio

from gmi_video._cadence import Cadence
from gmi_video._crew import Crew
from gmi_video._entry import Entry, Told
from gmi_video._line import Line
from gmi_video._schedule import Schedule
from gmi_video._servertime import ServerTime
from gmi_video._sweep import Sheet, Sweep
from gmi_video.errors import ConfigurationError, GmiVideoError, Unauthorized
from gmi_video.events import GaveUp
from gmi_video.records import Snapshot

SLICE = 1000
"""Ids of a closed watch that are taken out before the loop gets a turn: some milliseconds."""
RECORDS = 250
"""Records of a page that are taken in before the loop gets a turn."""

Page = Callable[[Sweep, Callable[[str], Entry | None]], Awaitable[Sheet]]


class Poller:
    """Looks at every id that any line follows, once per slot, and tells every line what changed."""

    def __init__(
        self,
        look: Callable[[str], Awaitable[Snapshot | None]],
        *,
        concurrency: int,
        rng: Random,
        page: Page | None = None,
        cadence: Cadence | None = None,
        clock: ServerTime | None = None,
    ) -> None:
        self.schedule = Schedule(rng, cadence=cadence, clock=clock, sweeps=page is not None)
        self._look = look
        self._page = page
        self._concurrency = concurrency
        self._loop = asyncio.get_running_loop()
        self._lines: set[Line] = set()
        self._crew: Crew | None = None
        self._roots: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None  # of uvloop's, which may not tell when
        self._wakes_at = 0.0
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
        now = line.moment(self._loop.time())
        if not line.inbox.take_in(request_id, key, now):
            return
        for event in self.schedule.add(request_id, line, line.pace, now, given):
            line.inbox.put(event, now)

    def gather(self, line: Line) -> None:
        """Many ids come at once: those of which nothing is known wait for each other, at most for `Pace.longest`.

        A page that shows few of the first thousand may show many of a million.
        """
        line.gathering = self._loop.time()
        self.schedule.fleet.gathering = True

    def added(self, line: Line, *, more: bool = False) -> None:
        """To be called after one or more `add`: tells what is known, and starts looking, unless `more` come at once.

        Another line's ids do not wait for those that are gathered: all that are there are due then.
        """
        now = self._loop.time()
        if line.gathering is None or not more or now - line.gathering >= line.pace.longest:
            line.gathering = None
            self.schedule.fleet.gathered(now)
        line.ring()
        self._set_alarm(line)
        self._arrange()

    def drop(self, line: Line, request_id: str) -> None:
        """A line follows an id no longer."""
        entry = self.schedule.entry(request_id)
        line.inbox.leave(request_id, entry.told if entry else None)
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
        self._lines.discard(line)
        line.ring()
        if line.gathering is not None:
            self.schedule.fleet.gathered(self._loop.time())
        self._empty(line)

    def _empty(self, line: Line) -> None:
        """Takes the ids of a closed line out, a slice at a time: a million at once would stall the loop."""
        for request_id in line.inbox.empty(SLICE):
            self.schedule.drop(request_id, line)
        if len(line.inbox):
            self._loop.call_soon(self._empty, line)
        self._arrange()

    def learn(self, snapshot: Snapshot, *, accepted: bool = False) -> None:
        """A snapshot came by another way than a look."""
        self._deliver(self.schedule.learn(snapshot, self._loop.time(), accepted=accepted))

    async def aclose(self) -> None:
        """Ends every look; the watches that are left end without an error of their own."""
        self._closed = True
        for line in tuple(self._lines):
            self.leave(line)
        self._arrange()
        with anyio.CancelScope(shield=True):
            while self._roots:
                await asyncio.wait(self._roots)
            while self.schedule.clear(SLICE):  # noqa: ASYNC110  # it waits for nothing, it gives others a turn
                await asyncio.sleep(0)

    def _set_alarm(self, line: Line) -> None:
        if line.timer is not None:
            line.timer.cancel()
        due = line.inbox.next_deadline()
        line.timer = None if due is None else self._loop.call_at(due, self._overdue, line)

    def _overdue(self, line: Line) -> None:
        now = self._loop.time()
        for request_id in line.inbox.overdue(now + 1e-6):
            entry = self.schedule.entry(request_id)
            last, before = (entry.snapshot, entry.told) if entry else (None, None)
            self.schedule.drop(request_id, line)
            line.inbox.put(GaveUp(request_id=request_id, snapshot=last, reason="deadline"), now, before)
        line.ring()
        self._set_alarm(line)
        self._arrange()

    def _deliver(self, told: Told) -> None:
        now = self._loop.time()
        for line in told.readers:
            for event in told.events:
                line.inbox.put(event, now, told.before)
            line.ring()
        self._arrange()

    def _arrange(self) -> None:
        """Wakes or starts a looker for what is due, sets the alarm for what will be, ends what is over."""
        if self._closed or not len(self.schedule):
            self._rest()
            return
        due = self.schedule.next_due()
        if due is None:
            return
        if due > self._loop.time():
            self._wake_at(due)
        elif self._crew is None:
            self._crew = Crew()
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
            if self._wakes_at <= due:
                return
            self._timer.cancel()
        self._timer, self._wakes_at = self._loop.call_at(due, self._wake), due

    def _wake(self) -> None:
        self._timer = None
        self._arrange()

    async def _run(self, crew: Crew) -> None:
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

    async def _looker(self, crew: Crew) -> None:
        schedule = self.schedule
        while True:
            now = self._loop.time()
            sweep = schedule.sweep(now) if self._page else None
            if sweep is not None:
                self._arrange()
                await self._sweep(sweep)
                continue
            request_id = schedule.take(now)
            if request_id is None:
                self._arrange()
                await crew.park()
                continue
            self._arrange()
            try:
                await self._one(request_id, now)
            finally:
                if schedule.landed(request_id, now):
                    self._arrange()  # somebody may have begun to watch it while it was broken off

    async def _one(self, request_id: str, begun: float) -> None:
        try:
            snapshot = await self._look(request_id)
        except Unauthorized as error:
            refused = error
            self._fail(lambda: copy.copy(refused))
        except GmiVideoError as error:
            self._deliver(self.schedule.miss(request_id, error, self._loop.time()))
        else:
            now = self._loop.time()
            self.schedule.fleet.looked(now - begun)
            told = self.schedule.observe(request_id, snapshot, now)
            if told.readers:
                self._deliver(told)

    async def _sweep(self, sweep: Sweep) -> None:
        """Pages until the walk is over; however it ends, its ids are due again."""
        schedule, page = self.schedule, self._page
        error: GmiVideoError | None = None
        try:
            while page is not None and not sweep.done and error is None:
                try:
                    while (end := schedule.hold()) > self._loop.time():  # noqa: ASYNC110  # a hold has one end
                        await asyncio.sleep(end - self._loop.time())
                    sheet = await page(sweep, schedule.entry)
                except Unauthorized as refused:
                    self._fail(partial(copy.copy, refused))
                    return
                except GmiVideoError as missed:
                    error = missed
                else:
                    sweep.read(sheet)
                    for begin in range(0, len(sheet.records), RECORDS):
                        if begin:
                            await asyncio.sleep(0)
                        some = sheet.records[begin : begin + RECORDS]
                        self._deliver_all(schedule.heard(some, self._loop.time()))
        finally:
            self._deliver_all(schedule.swept(sweep, self._loop.time(), error))

    def _deliver_all(self, told: list[Told]) -> None:
        now = self._loop.time()
        rung = set()
        for said in told:
            for line in said.readers:
                rung.add(line)
                for event in said.events:
                    line.inbox.put(event, now, said.before)
        for line in rung:
            line.ring()
        self._arrange()

    def _fail(self, error: Callable[[], BaseException]) -> None:
        """Every watch that still follows an id ends with an error of its own; its ids can be resumed."""
        lines = tuple(line for line in self._lines if len(line.inbox))
        for line in lines:
            line.fail(error())
        for line in lines:
            self.leave(line)
