"""One reading of a model's list, and what it means for each of those who wait."""

import asyncio
from collections.abc import Collection, Iterable, Mapping

from gmi_video._desk import Desk, Waiting
from gmi_video._ledger import judge
from gmi_video._matter import DRIFT, Finding, Matter, ids
from gmi_video._memory import Memory
from gmi_video._observe import logger
from gmi_video._servertime import ServerTime
from gmi_video._survey import Survey, View
from gmi_video.errors import GmiVideoError
from gmi_video.ledger import Intent, State, Store
from gmi_video.records import Snapshot

SENDS = 1200.0
"""Seconds after which no process waits for the answer to its POST any more: twice our own time-out."""
UNSEEN = Finding(outcome="wait")
STORE_FAILED = "the store failed"


class Rounds:
    """Reads lists, has them judged, and claims what was found."""

    def __init__(self, survey: Survey, clock: ServerTime, memory: Memory) -> None:
        self._survey = survey
        self._clock = clock
        self._memory = memory
        self._opened = asyncio.get_running_loop().time()

    async def run(self, model: str, desk: Desk) -> None:
        """One read, judged for all who waited when it began."""
        members = desk.undecided()
        begun = asyncio.get_running_loop().time()
        desk.refused = {name: kept for name, kept in desk.refused.items() if kept[1] > begun}
        stores = {id(waiting.store): waiting.store for waiting in members.values()}
        others = {key: await self._undecided(store, model) for key, store in stores.items()}
        view, failure, fatal = await self._read(model, self._oldest(members.values(), others.values()))
        for key, store in stores.items():
            group = {name: waiting for name, waiting in members.items() if waiting.store is store}
            claimed = await self._claims(store, model, view)
            strangers = others[key]
            findings: Mapping[str, Finding] = {}
            if claimed is not None and strangers is not None:
                findings = await self._judged(desk, group, strangers, claimed, view)
            failed = failure if findings else failure or STORE_FAILED
            for name, waiting in group.items():
                finding = findings.get(name, UNSEEN)
                waiting.hasten(self._clock)
                complete = view.complete and not failed
                waiting.read(finding, begun, complete=complete, failure=failed, fatal=fatal)
        for snapshot in view.snapshots:
            self._memory.first_seen(snapshot)
            self._memory.echoes.shown(snapshot, "list")

    async def _undecided(self, store: Store, model: str) -> list[Intent] | None:
        """The intents of a model that are open in a store; None where it fails."""
        try:
            return [intent for intent in await store.undecided() if intent.model == model]
        except Exception as error:  # noqa: BLE001  # the border to the caller's store
            store_failed(error, model)
            return None

    async def _claims(self, store: Store, model: str, view: View) -> Mapping[str, str] | None:
        """The owners of what is listed, in a store and in this session; None where the store fails."""
        listed, ours = ids(view.snapshots), self._memory.owners
        try:
            claimed = await store.claims(listed)
        except Exception as error:  # noqa: BLE001  # the border to the caller's store
            store_failed(error, model)
            return None
        return {**claimed, **{name: ours[name] for name in listed if name in ours}}

    def _oldest(
        self, members: Collection[Waiting], others: Iterable[Iterable[Intent] | None]
    ) -> float | None:
        """Back to when the list is read: to the first of the sendings. Where one may turn out to be absent, or is not
        echoed, further back, for clocks may differ; and in the second case to those of others, whose requests may
        be taken for these.
        """  # noqa: D205  # one thought
        now = asyncio.get_running_loop().time()
        lost = [waiting.timed.by(self._clock) for waiting in members]
        oldest = min((one.sent_at - one.slack for one in lost if one.sent_at is not None), default=None)
        if oldest is None:
            return None
        if all(self._memory.echoes.of(one.model, one.payload) == "faithful" for one in lost):
            return oldest - DRIFT if any(now >= waiting.deadline for waiting in members) else oldest
        settle = max(waiting.settle for waiting in members)
        near = [
            intent.sent_at - intent.slack
            for intents in others
            for intent in intents or ()
            if intent.id not in self._memory.among
            and intent.sent_at is not None
            and (intent.failed_at or oldest) + settle + intent.slack + 2 * DRIFT >= oldest
        ]
        return min([oldest, *near]) - DRIFT

    async def _read(self, model: str, oldest: float | None) -> tuple[View, str, bool]:
        """A view of the list; or none, the reason, and whether it will stay so."""
        failure, fatal = "", False
        try:
            return await self._survey.read(model, oldest, self._memory.owners), failure, fatal
        except GmiVideoError as error:
            failure, fatal = f"the list could not be read ({type(error).__name__})", not error.retryable
        except Exception as error:  # noqa: BLE001  # the border to the caller's transport
            failure = f"the list could not be read ({type(error).__name__})"
        return View(snapshots=(), complete=False), failure, fatal

    async def _judged(
        self,
        desk: Desk,
        group: Mapping[str, Waiting],
        others: Iterable[Intent],
        claimed: Mapping[str, str],
        view: View,
    ) -> dict[str, Finding]:
        """A finding for each, with its record claimed where it was found."""
        findings: dict[str, Finding] = dict.fromkeys(group, UNSEEN)
        for alone in {waiting.alone for waiting in group.values()}:
            part = {name: waiting for name, waiting in group.items() if waiting.alone is alone}
            found = judge(self._matter(desk, part, others, view, claimed))
            findings |= {name: finding for name, finding in found.items() if name in part}
        for name, finding in findings.items():
            if finding.certain:
                self._memory.is_one_of(group[name].timed.intent, finding.candidates)
            if finding.snapshot is not None:
                findings[name] = await self._claimed(group[name], finding, finding.snapshot)
        return findings

    async def _claimed(self, waiting: Waiting, finding: Finding, snapshot: Snapshot) -> Finding:
        """The finding, if its record is now the intent's own."""
        intent = waiting.timed.intent
        try:
            owned = await self._memory.claim(snapshot.request_id, intent, waiting.store)
        except Exception as error:  # noqa: BLE001  # the border to the caller's store
            store_failed(error, intent.model)
            return Finding(outcome="wait", evidence=STORE_FAILED, candidates=finding.candidates)
        if not owned:  # another process took it meanwhile
            return Finding(outcome="wait", candidates=finding.candidates, pending=True)
        self._memory.echoes.adopted(intent.model, intent.payload, snapshot)
        return finding

    def _matter(
        self,
        desk: Desk,
        part: Mapping[str, Waiting],
        others: Iterable[Intent],
        view: View,
        claimed: Mapping[str, str],
    ) -> Matter:
        """What the judge is told. Those that are lost beside this part, and other processes, bear on it as well."""
        clock, now = self._clock, self._clock.at(asyncio.get_running_loop().time())
        first = next(iter(part.values()))
        beside = {name: one.timed.by(clock) for name, one in desk.waiting.items() if not one.found}
        known = {*desk.waiting, *desk.sending, *desk.refused, *claimed.values()}
        strangers = [intent for intent in others if intent.id not in known]
        abroad = [intent for intent in strangers if first.store.shared and _may_send(intent, now)]
        lost = [intent for intent in strangers if intent not in abroad]
        return Matter(
            ambiguous=[one.timed.by(clock) for one in part.values() if not one.refused],
            sending=[timed.by(clock) for timed in desk.sending.values()],
            refused=[timed.by(clock) for timed, _ in desk.refused.values()],
            abroad=abroad,
            elsewhere=[*(beside[name] for name in beside.keys() - part.keys() - desk.refused.keys()), *lost],
            listed=view.snapshots,
            claimed=claimed,
            seen={name: self._memory.seen[name] for name in ids(view.snapshots) if name in self._memory.seen},
            sent={timed.intent.id: timed.moment for timed in desk.open if timed.moment is not None},
            among=self._memory.among,
            faithful=self._memory.echoes.faithful(first.timed.intent.model),
            settle=max(waiting.settle for waiting in part.values()),
            alone=first.alone,
            settled={name for name, one in part.items() if one.settled(self._opened)},
        )


def _may_send(intent: Intent, now: float) -> bool:
    """Whether another process may still be waiting for the answer to this intent."""
    return intent.state is State.SENDING and (intent.sent_at is None or now - intent.sent_at < SENDS)


def store_failed(error: Exception, model: str) -> None:
    """Logs that the caller's store failed, without its words: they may hold a payload."""
    logger.error("the store of submissions to %s failed (%s)", model, type(error).__name__)
