"""Finding lost submissions in the list: one read per model at a time serves all who wait.

Reads are spaced; each is judged by `_ledger.judge`, which is pure. What can be proven is decided, what cannot
is said. Nothing is ever sent from here that costs money.
"""

import asyncio

from gmi_video._desk import CLOSED, SPACING, Desk, Timed, Waiting
from gmi_video._fence import ANY
from gmi_video._matter import Finding
from gmi_video._memory import Memory
from gmi_video._round import Rounds
from gmi_video._servertime import ServerTime
from gmi_video._survey import Fetch, Look, Survey
from gmi_video.ledger import Intent, State, Store
from gmi_video.records import Snapshot


class Reconciler:
    """All lost submissions of a session."""

    def __init__(self, fetch: Fetch, look: Look, clock: ServerTime) -> None:
        self.memory = Memory()
        self._clock = clock
        self._rounds = Rounds(Survey(fetch, look), clock, self.memory)
        self._desks: dict[str, Desk] = {}
        self._closed = False

    def line(self, intent: Intent) -> str:
        """Where an intent waits for its turn: with those of equal payload, or with all whose echo is silent."""
        return ANY if self.memory.echoes.of(intent.model, intent.payload) == "silent" else intent.digest

    def held(self, intent: Intent) -> bool:
        """Whether a lost submission could not be told from this one, if it were sent now."""
        return self._desk(intent.model).fence.holds(self.line(intent))

    async def fence(self, intent: Intent) -> str:
        """Waits while it is held; returns the line that it waited in, for `go_on` once it has its turn."""
        line = self.line(intent)
        await self._desk(intent.model).fence.wait(line)
        return line

    def go_on(self, model: str, line: str) -> None:
        """Lets the next one of a line go. Whoever waited there calls it, with or without its turn."""
        self._desk(model).fence.go_on(line)

    def sending(self, timed: Timed) -> int:
        """An intent is about to be sent: what appears from now on may be its. Returns the moment of its first time."""
        self.memory.turn(asyncio.get_running_loop().time(), self._reach)
        if timed.moment is None:
            timed.moment = self.memory.moment()
        self._desk(timed.intent.model).sending[timed.intent.id] = timed
        return timed.moment

    def settled(self, intent: Intent) -> None:
        """What became of an intent is written down, or it was not sent."""
        self._desk(intent.model).sending.pop(intent.id, None)

    async def find(
        self,
        timed: Timed,
        store: Store,
        *,
        settle: float,
        alone: bool,
        once: bool = False,
    ) -> Finding:
        """What became of a lost intent. Ends at once when no later list could change the answer.

        `once` asks one read only. "absent" is as good as proven; "wait" comes back where nothing was decided
        in time.
        """
        loop = asyncio.get_running_loop()
        waiting = Waiting(timed, store, loop.create_future(), loop.time(), settle, alone, once)
        return await self._wait(waiting)

    def refused(self, timed: Timed, *, seconds: float) -> None:
        """The model's backend refused an intent: a failed record of its payload may be its, for so long."""
        until = asyncio.get_running_loop().time() + seconds
        self._desk(timed.intent.model).refused[timed.intent.id] = (timed, until)

    async def reason(self, timed: Timed, store: Store, *, settle: float) -> Snapshot | None:
        """The failed record of a refused intent, from the next shared read; or None."""
        future = asyncio.get_running_loop().create_future()
        waiting = Waiting(timed, store, future, 0.0, settle, alone=True, once=True, refused=True)
        finding = await self._wait(waiting)
        if finding.snapshot is not None:
            self._desk(timed.intent.model).refused.pop(timed.intent.id, None)
        return finding.snapshot

    def told(self, timed: Timed) -> None:
        """What became of an intent is known, or known to be unknown."""
        if timed.intent.state is State.NEEDS_DECISION:
            self.memory.doubt(timed.intent, timed.reach(self._clock))
        elif not timed.intent.state.open:
            self.memory.decided(timed.intent)

    def _reach(self) -> float:
        """Since when, by the loop's time, what was seen may bear on a submission whose fate is open here."""
        known = [timed for desk in self._desks.values() for timed in desk.open]
        return min((timed.reach(self._clock) for timed in known), default=float("inf"))

    async def _wait(self, waiting: Waiting) -> Finding:
        intent = waiting.timed.intent
        if self._closed:
            return Finding(outcome="wait", evidence=CLOSED)
        desk = self._desk(intent.model)
        desk.enter(intent.id, waiting)
        if desk.reader is None:
            work = self._read_on(intent.model, desk)
            desk.reader = asyncio.get_running_loop().create_task(work, name="gmi_video reconciliation")
        try:
            return await waiting.future
        finally:
            desk.leave(intent.id, waiting)

    def _desk(self, model: str) -> Desk:
        return self._desks.setdefault(model, Desk())

    async def _read_on(self, model: str, desk: Desk) -> None:
        loop = asyncio.get_running_loop()
        try:
            while desk.undecided():
                await asyncio.sleep(max(0.0, desk.last_read + SPACING - loop.time()))
                desk.last_read = loop.time()
                if desk.due(desk.last_read):
                    self.memory.turn(desk.last_read, self._reach)
                    await self._rounds.run(model, desk)
        finally:
            desk.reader = None
            for waiting in desk.undecided().values():
                waiting.end(Finding(outcome="wait", evidence="the reading of the list broke off"))

    async def aclose(self) -> None:
        """Ends every read; those who wait are told that nothing was found, those who come later as well."""
        self._closed = True
        readers = [desk.reader for desk in self._desks.values() if desk.reader is not None]
        for desk in self._desks.values():
            for waiting in desk.waiting.values():
                waiting.end(Finding(outcome="wait", evidence=CLOSED))
        for reader in readers:
            reader.cancel()
        if readers:
            await asyncio.wait(readers)
