"""What the poller sees with: one look at one request, or one page of the list for many. One attempt each."""

import asyncio
from collections.abc import Awaitable, Callable

from attrs import evolve

from gmi_video._door import Door
from gmi_video._echo import Way
from gmi_video._entry import Entry, mark
from gmi_video._forms import stamp
from gmi_video._look import whole
from gmi_video._observe import Observers
from gmi_video._offload import off_loop
from gmi_video._sheet import Known, sheet_in, sheet_of
from gmi_video._sweep import Sheet, Sweep
from gmi_video.notices import Ended
from gmi_video.records import Snapshot
from gmi_video.wire import Call, Reply, record

BIG = 262_144
"""Bytes from which a body is decoded off the loop: that takes milliseconds."""


class Lookout:
    """Looks and pages of one session; `seen` gets every record that came, observers hear of every end.

    `known` tells what is remembered of a watched id.
    """

    def __init__(
        self,
        exchange: Callable[[Call], Awaitable[Reply]],
        seen: Callable[[Snapshot, Way], None],
        observers: Observers,
        door: Door,
        named: Callable[[Snapshot], Snapshot],
    ) -> None:
        self._exchange = exchange
        self._seen = seen
        self._observers = observers
        self._door = door
        self._named = named
        self.known: Known = _nobody
        self.looks = 0
        self.pages = 0
        self.bytes = 0

    async def look(self, request_id: str) -> Snapshot | None:
        """What the queue says of one request, or None where that is, byte for byte, what it said at the look before.

        Most looks bring nothing new: those are neither decoded nor read. Raises what the answer says.
        """
        self.looks += 1
        call = self._door.snapshot_call(request_id)
        reply = await self._exchange(call)
        self.bytes += len(reply.body)
        entry = self.known(request_id)
        if reply.ok and entry is not None and entry.says(reply.body):
            return None
        found = self._door.read_snapshot(call, reply)
        snapshot = self._named(await whole(self._door, found, self._asked))
        self._heard(snapshot, "look")
        if entry is not None and not snapshot.final:
            entry.mark = mark(reply.body, snapshot.word, stamp(snapshot.updated_at))
        return snapshot

    async def _asked(self, call: Call, read: Callable[[Call, Reply], Snapshot]) -> Snapshot:
        reply = await self._exchange(call)
        self.bytes += len(reply.body)
        return read(call, reply)

    async def page(self, sweep: Sweep, known: Known) -> Sheet:
        """The next page of a walk; raises what the answer says."""
        call = self._door.requests_call(sweep.model, limit=sweep.limit, offset=sweep.offset)
        self.pages += 1
        loop = asyncio.get_running_loop()
        begun = loop.time()
        reply = await self._exchange(call)
        size = len(reply.body)
        self.bytes += size
        sheet = await off_loop(_sheet, call, reply, known) if size > BIG else _sheet(call, reply, known)
        for listed in sheet.records:
            if listed.snapshot is not None:
                self._heard(listed.snapshot, "list")
        return evolve(sheet, size=size, seconds=loop.time() - begun)

    def _heard(self, snapshot: Snapshot, way: Way) -> None:
        self._seen(snapshot, way)
        if snapshot.final:
            ended = Ended(request_id=snapshot.request_id, model=snapshot.model, status=snapshot.status)
            self._observers.tell(ended)


def _nobody(_: str) -> Entry | None:
    return None


def _sheet(call: Call, reply: Reply, known: Known) -> Sheet:
    """A page from its bytes. In a thread `known` may be behind by a moment: then a record is read for nothing."""
    quick = sheet_in(reply.body, known) if reply.ok else None
    return quick or sheet_of(record(call, reply), known)
