"""Finding lost submissions in the list: one read per model at a time serves all who wait.

Reads are spaced; each is judged by `_ledger.judge`, which is pure. What can be proven is decided, what cannot
is said. Nothing is ever sent from here that costs money.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any

from attrs import define, evolve, field

from gmi_video._ledger import Finding, Matter, Shape, echoed, judge, shape
from gmi_video._survey import Fetch, Look, Survey, View
from gmi_video.errors import GmiVideoError
from gmi_video.ledger import Intent, Store
from gmi_video.records import Snapshot

SPACING = 2.0
"""Seconds between two reads of one model's list, at first."""
GROWTH = 1.5
LONGEST = 15.0
"""The spacing grows by the factor, up to so many seconds."""
READS = 3
"""Complete reads without a trace that absence needs, besides the time to settle."""


@define(eq=False)
class _Waiting:
    intent: Intent
    store: Store
    future: asyncio.Future[Finding]
    deadline: float
    settle: float
    alone: bool
    once: bool = False
    reads: int = 0
    complete: int = 0
    last: Finding = field(factory=lambda: Finding(outcome="wait"))


@define(eq=False)
class _Desk:
    """One model: who is sending, who is lost, and the one task that reads its list."""

    sending: dict[str, Intent] = field(factory=dict)
    waiting: dict[str, _Waiting] = field(factory=dict)
    refused: dict[str, tuple[Intent, float]] = field(factory=dict)
    changed: asyncio.Event = field(factory=asyncio.Event)
    reader: asyncio.Task[None] | None = None

    def change(self) -> None:
        """Wakes those at the fence."""
        self.changed.set()
        self.changed = asyncio.Event()


class Reconciler:
    """All lost submissions of a session."""

    def __init__(
        self,
        fetch: Fetch,
        look: Look,
        server_now: Callable[[], float],
    ) -> None:
        self._survey = Survey(fetch, look)
        self._server_now = server_now
        self._desks: dict[str, _Desk] = {}
        self._seen: dict[str, float] = {}
        self._echo: dict[tuple[str, Shape], bool] = {}
        self._ours: dict[str, tuple[str, Shape]] = {}

    def echo_learnt(self, model: str, sent: Collection[str], snapshot: Snapshot) -> None:
        """A record of a request whose payload is known was seen: does the service echo payloads like it?"""
        if sent:
            self._echo[model, frozenset(sent)] = echoed(snapshot)

    def submitted(self, request_id: str, model: str, payload: Mapping[str, Any]) -> None:
        """A request of ours: its first record will show whether payloads like its own are echoed."""
        if payload and (model, shape(payload)) not in self._echo:
            self._ours[request_id] = (model, shape(payload))

    def shown(self, snapshot: Snapshot) -> None:
        """A full record was seen, by a look or in a list."""
        ours = self._ours.pop(snapshot.request_id, None) if self._ours else None
        if ours is not None:
            self._echo[ours] = echoed(snapshot)

    def first_seen(self, snapshot: Snapshot) -> None:
        """A request was seen: whatever is sent later is not it."""
        self._seen.setdefault(snapshot.request_id, self._server_now())
        while len(self._seen) > 100_000:
            del self._seen[next(iter(self._seen))]

    async def fence(self, intent: Intent) -> None:
        """Waits while a lost intent could not be told from this one: equal payloads, or no echo at all."""
        desk = self._desk(intent.model)
        while any(self._alike(intent, waiting.intent) for waiting in desk.waiting.values()):
            await desk.changed.wait()

    def _alike(self, one: Intent, other: Intent) -> bool:
        silent = self._echo.get((one.model, shape(one.payload))) is False
        return silent or one.digest == other.digest

    def sending(self, intent: Intent) -> None:
        """An intent is about to be sent: what appears from now on may be its."""
        self._desk(intent.model).sending[intent.id] = intent

    def settled(self, intent: Intent) -> None:
        """An intent is sent no longer, whatever became of it."""
        desk = self._desk(intent.model)
        desk.sending.pop(intent.id, None)
        desk.change()

    async def find(
        self, intent: Intent, store: Store, *, settle: float, alone: bool, once: bool = False
    ) -> Finding:
        """What became of a lost intent. Ends at once when no later list could change the answer.

        `once` asks one read only. "wait" comes back where nothing was found in time; its evidence says whether
        the lists were complete.
        """
        return await self._wait(intent, store, settle=settle, alone=alone, once=once)

    async def reason(self, intent: Intent, store: Store, *, settle: float) -> Snapshot | None:
        """The failed record of an intent that the backend refused, from the next shared read; or None."""
        desk = self._desk(intent.model)
        now = asyncio.get_running_loop().time()
        desk.refused = {name: kept for name, kept in desk.refused.items() if kept[1] > now}
        desk.refused[intent.id] = (intent, now + settle)
        finding = await self._wait(intent, store, settle=settle, alone=True, once=True)
        if finding.snapshot is not None:
            desk.refused.pop(intent.id, None)
        return finding.snapshot

    async def _wait(self, intent: Intent, store: Store, *, settle: float, alone: bool, once: bool) -> Finding:
        loop = asyncio.get_running_loop()
        desk = self._desk(intent.model)
        waiting = _Waiting(intent, store, loop.create_future(), loop.time() + settle, settle, alone, once)
        desk.waiting[intent.id] = waiting
        if desk.reader is None:
            desk.reader = loop.create_task(self._read_on(intent.model, desk), name="gmi_video reconciliation")
        try:
            return await waiting.future
        finally:
            desk.waiting.pop(intent.id, None)
            desk.change()

    def _desk(self, model: str) -> _Desk:
        return self._desks.setdefault(model, _Desk())

    async def _read_on(self, model: str, desk: _Desk) -> None:
        spacing = SPACING
        try:
            while desk.waiting:
                await self._round(model, desk)
                if not any(not waiting.future.done() for waiting in desk.waiting.values()):
                    await asyncio.sleep(0)
                    continue
                await asyncio.sleep(spacing)
                spacing = min(LONGEST, spacing * GROWTH)
        except Exception as error:  # noqa: BLE001  # the border to the caller's store: those who wait get its error
            for waiting in desk.waiting.values():
                if not waiting.future.done():
                    waiting.future.set_exception(error)
        finally:
            desk.reader = None

    async def _round(self, model: str, desk: _Desk) -> None:
        """One read, judged for all who wait."""
        members = {name: waiting for name, waiting in desk.waiting.items() if not waiting.future.done()}
        if not members:
            return
        begins = [w.intent.sent_at - w.intent.slack for w in members.values() if w.intent.sent_at is not None]
        refusal: GmiVideoError | None = None
        view = View(snapshots=(), complete=False)
        try:
            view = await self._survey.read(model, min(begins, default=None))
        except GmiVideoError as error:
            refusal = error
        for store in {id(waiting.store): waiting.store for waiting in members.values()}.values():
            group = {name: waiting for name, waiting in members.items() if waiting.store is store}
            claimed = await store.claims([snapshot.request_id for snapshot in view.snapshots])
            for alone in {waiting.alone for waiting in group.values()}:
                part = {name: waiting for name, waiting in group.items() if waiting.alone is alone}
                findings = judge(self._matter(desk, part, view, claimed, alone=alone))
                await self._take(desk, part, findings, view, refusal)
        for snapshot in view.snapshots:
            self.first_seen(snapshot)
            self.shown(snapshot)

    def _matter(
        self, desk: _Desk, members: dict[str, _Waiting], view: View, claimed: Collection[str], *, alone: bool
    ) -> Matter:
        return Matter(
            ambiguous=[w.intent for name, w in members.items() if name not in desk.refused],
            sending=tuple(desk.sending.values()),
            refused=[intent for intent, _ in desk.refused.values()],
            listed=view.snapshots,
            claimed=claimed,
            seen=self._seen,
            settle=max((waiting.settle for waiting in members.values()), default=0.0),
            alone=alone,
        )

    async def _take(
        self,
        desk: _Desk,
        members: dict[str, _Waiting],
        findings: dict[str, Finding],
        view: View,
        refusal: GmiVideoError | None,
    ) -> None:
        now = asyncio.get_running_loop().time()
        for name, waiting in members.items():
            finding = findings.get(name, Finding(outcome="wait"))
            waiting.reads += 1
            waiting.complete += view.complete
            waiting.last = finding
            if finding.snapshot is not None:
                if not await waiting.store.claim(finding.snapshot.request_id, name):
                    continue  # another process took it meanwhile
                sent = waiting.intent
                self.echo_learnt(sent.model, sent.payload, finding.snapshot)
            elif finding.outcome == "wait" and not self._is_over(desk, waiting, refusal, now):
                continue
            if finding.outcome == "wait":
                finding = evolve(finding, evidence=_silence(waiting, refusal))
            if not waiting.future.done():
                waiting.future.set_result(finding)

    @staticmethod
    def _is_over(desk: _Desk, waiting: _Waiting, refusal: GmiVideoError | None, now: float) -> bool:
        if waiting.once or (refusal is not None and not refusal.retryable):
            return True
        rivals = any(intent.digest == waiting.intent.digest for intent in desk.sending.values())
        late = now >= waiting.deadline and not (rivals and waiting.last.candidates)
        return late and (
            waiting.complete >= READS or waiting.reads >= 2 * READS or now >= waiting.deadline + LONGEST
        )

    async def aclose(self) -> None:
        """Ends every read; those who wait are told that nothing was found."""
        readers = [desk.reader for desk in self._desks.values() if desk.reader is not None]
        for desk in self._desks.values():
            for waiting in desk.waiting.values():
                if not waiting.future.done():
                    evidence = "the session was closed before it was found"
                    waiting.future.set_result(Finding(outcome="wait", evidence=evidence))
        for reader in readers:
            reader.cancel()
        if readers:
            await asyncio.wait(readers)


def _silence(waiting: _Waiting, refusal: GmiVideoError | None) -> str:
    if refusal is not None:
        return f"the list could not be read ({type(refusal).__name__})"
    if waiting.complete >= READS:
        return ABSENT
    return f"{waiting.reads} reads of a list that may be incomplete showed no trace of it"


ABSENT = "complete lists over the whole time to settle showed no trace of it"
"""The evidence of an absence that is as good as proven: only then may `Resubmit` send again."""
