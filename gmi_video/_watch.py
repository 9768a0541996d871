"""The reader's end of the poller: an async context manager and an async iterator of events.

There is no async generator, task group or stream behind the iterator (PEP 789): a `break` leaves no task
running and cancels no stranger. A watch that is dropped without closing takes its ids out by a finaliser.
"""

import asyncio
import weakref
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Iterator, Mapping
from itertools import islice
from types import TracebackType
from typing import Any, Self

from gmi_video._ids import checked_id
from gmi_video._inbox import Inbox
from gmi_video._line import Line
from gmi_video._poller import Poller
from gmi_video.errors import ConfigurationError
from gmi_video.events import Event
from gmi_video.records import Snapshot
from gmi_video.settings import Pace
from gmi_video.statistics import SessionStatistics, WatchStatistics

CHUNK = 1000
"""How many ids are taken from an iterable before the loop gets a turn."""
BREATH = 100
"""The same of an async iterable, whose ids are looked at as they come."""

Id = str | Snapshot
Ids = Mapping[Id, Any] | Iterable[Id] | AsyncIterable[Id]


def pair(item: object, keys: Mapping[Any, Any]) -> tuple[str, Any, Snapshot | None]:
    """An id, the caller's key for it, and the snapshot where one was given instead of an id."""
    given = item if isinstance(item, Snapshot) else None
    if given is not None:
        return given.request_id, keys.get(item), given
    return checked_id(item), keys.get(item), None


def _abandoned(loop: asyncio.AbstractEventLoop, poller: Poller, line: Line) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(poller.leave, line)


class Watch:
    """Events of many requests through one iterator; each id ends in exactly one final event.

    Iteration ends when no id is left; with `keep_open` only after `finish()`. Raises `Unauthorized` where the
    key dies, and what the given iterable raises; the ids stay resumable. Made by `Session.watch`.
    """

    def __init__(
        self,
        opening: Callable[[], Awaitable[Poller]],
        ids: Ids,
        *,
        pace: Pace,
        deadline: float | None,
        keep_open: bool,
        owner: object = None,
        of_session: Callable[[], SessionStatistics] = SessionStatistics,
    ) -> None:
        self._opening = opening
        self._owner = owner  # a session must not be finalised while somebody reads one of its watches
        self._of_session = of_session
        self._source: Ids | None = ids
        self._line = Line(Inbox(deadline), pace)
        self._poller: Poller | None = None
        self._keep_open = keep_open
        self._finaliser: weakref.finalize[Any, Any] | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        await self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        if not self._closed:
            await self._start()
        while True:
            event = self._line.inbox.pop()
            if event is not None:
                return event
            if self._line.error is not None:
                error, self._line.error = self._line.error, None
                await self.aclose()
                raise error
            if self._closed or self._over():
                await self.aclose()
                raise StopAsyncIteration
            await self._line.wait()

    async def add(self, ids: Ids) -> None:
        """Follows more ids, a thousand at a time; one that is followed already is left as it is.

        Raises `ConfigurationError` for what is not an id, and where the watch is closed.
        """
        if self._closed or self._line.closed:
            message = "this watch is closed; make another to follow more ids"
            raise ConfigurationError(message)
        await _feed(await self._start(), self._line, ids)

    def drop(self, request_id: Id) -> None:
        """Follows an id no longer: no more events of it, not even those that wait."""
        if self._poller is not None:
            name = request_id.request_id if isinstance(request_id, Snapshot) else request_id
            self._poller.drop(self._line, name)

    def finish(self) -> None:
        """Says that no more ids come: iteration ends after the last final event."""
        self._keep_open = False
        self._line.ring()

    async def aclose(self) -> None:
        """Follows nothing any more; waiting events stay readable. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._finaliser is not None:
            self._finaliser.detach()
        if self._poller is not None:
            self._poller.leave(self._line)
        await asyncio.sleep(0)

    def statistics(self) -> WatchStatistics:
        """How many ids it follows and in which states, how many ended and how, and what its session does for it."""
        inbox = self._line.inbox
        return WatchStatistics(
            following=len(inbox),
            finished=inbox.finished,
            waiting=inbox.waiting,
            ends=dict(inbox.ends),
            statuses={status.value: count for status, count in inbox.statuses.items() if count > 0},
            session=self._of_session(),
        )

    def _over(self) -> bool:
        line = self._line
        return line.closed or not (len(line.inbox) or line.feeding or self._keep_open)

    async def _start(self) -> Poller:
        if self._poller is None:
            poller = await self._opening()
            if self._poller is None:
                self._poller = poller
                try:
                    self._begin(poller)
                except BaseException:
                    await self.aclose()
                    raise
        return self._poller

    def _begin(self, poller: Poller) -> None:
        loop = asyncio.get_running_loop()
        source, self._source = self._source, None
        poller.join(self._line)
        self._finaliser = weakref.finalize(self, _abandoned, loop, poller, self._line)
        self._finaliser.atexit = False
        if source is None:
            return
        if isinstance(source, Mapping | list | tuple | set | frozenset) and len(source) <= CHUNK:
            _take(poller, self._line, iter(source), source, set())
        else:
            self._line.feeder = loop.create_task(_fed(poller, self._line, source), name="gmi_video ids")


def _keys(ids: Ids) -> Mapping[Any, Any]:
    return ids if isinstance(ids, Mapping) else {}


def _take(poller: Poller, line: Line, items: Iterator[Any], ids: Ids, over: set[str]) -> int:
    """Adds up to a thousand ids; returns how many there were. Those that are known to be `over` are told of once."""
    count = 0
    keys = _keys(ids)
    try:
        for item in islice(items, CHUNK):
            request_id, key, given = pair(item, keys)
            count += 1
            if request_id in over:
                continue
            poller.add(line, request_id, key, given)
            if request_id not in line.inbox:
                over.add(request_id)
    finally:
        poller.added(line, more=count == CHUNK)
    return count


async def _feed(poller: Poller, line: Line, ids: Ids) -> None:
    if isinstance(ids, str | bytes | Snapshot):
        message = f"ids are given as a list, a mapping or another iterable, not as one {type(ids).__name__}"
        raise ConfigurationError(message)
    over: set[str] = set()
    if isinstance(ids, AsyncIterable):
        count = 0
        async for item in ids:
            _take(poller, line, iter((item,)), ids, over)
            count += 1
            if not count % BREATH:  # a source that never waits would leave nobody a turn
                await asyncio.sleep(0)
        return
    items = iter(ids)
    poller.gather(line)
    try:
        while _take(poller, line, items, ids, over) == CHUNK:  # noqa: ASYNC110  # it waits for nothing, it gives others a turn
            await asyncio.sleep(0)
    finally:
        poller.added(line)


async def _fed(poller: Poller, line: Line, ids: Ids) -> None:
    """Feeds a watch in the background; what the caller's iterable raises is raised by the watch."""
    try:
        await _feed(poller, line, ids)
    except Exception as error:  # noqa: BLE001  # the border to the caller's iterable
        line.fail(error)
    line.ring()
