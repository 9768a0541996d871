"""Keeping book of one submission: its next state, when that was by the service's clock, and in which store."""

import asyncio
from collections.abc import Callable

from attrs import evolve, field, frozen

from gmi_video._observe import Observers, logger
from gmi_video._reconcile import Reconciler
from gmi_video._servertime import ServerTime
from gmi_video.ledger import Intent, State, Store
from gmi_video.notices import Submitted
from gmi_video.records import Snapshot, VideoRequest
from gmi_video.settings import Settings
from gmi_video.wire import Call


@frozen(kw_only=True)
class Wish:
    """One call of `submit`: what it asks, with what settings, kept where.

    `begun` is set while bytes may have left, `unwanted` when its caller was cancelled.
    """

    request: VideoRequest
    call: Call
    settings: Settings
    store: Store = field(repr=False)
    begun: asyncio.Event = field(factory=asyncio.Event, repr=False)
    unwanted: asyncio.Event = field(factory=asyncio.Event, repr=False)


class Book:
    """Writes down what becomes of submissions, and tells whoever wants to know."""

    def __init__(
        self,
        clock: ServerTime,
        reconciler: Reconciler,
        observers: Observers,
        accepted: Callable[[Snapshot], None],
    ) -> None:
        self._clock = clock
        self._reconciler = reconciler
        self._observers = observers
        self._accepted = accepted

    def marked(self, intent: Intent, state: State, evidence: str = "") -> Intent:
        """The intent in its next state, with the service's time. The first sending opens its window."""
        now = self._clock.at(asyncio.get_running_loop().time())
        if state is State.SENDING:
            sent = now if intent.sent_at is None else intent.sent_at
            slack = max(self._clock.slack, intent.slack if intent.sent_at is not None else 0.0)
            return evolve(
                intent, state=state, attempt=intent.attempt + 1, sent_at=sent, slack=slack, failed_at=None
            )
        ended = now if intent.failed_at is None else intent.failed_at
        return evolve(intent, state=state, failed_at=ended, evidence=evidence or intent.evidence)

    async def kept(self, wish: Wish, intent: Intent, reply: bytes = b"") -> None:
        """Keeps a state after the POST: a store that fails now must not cost the caller the id."""
        try:
            await wish.store.put(intent, reply)
        except Exception:  # noqa: BLE001, RUF100  # the border to the caller's store
            logger.exception(
                "the store did not keep %r of a submission to %s", intent.state.value, intent.model
            )

    async def accepted(
        self, intent: Intent, wish: Wish, snapshot: Snapshot, body: bytes = b"", evidence: str = ""
    ) -> Snapshot:
        """Keeps an acceptance, then tells of it; `evidence` where it was adopted and not answered."""
        done = evolve(
            intent, state=State.ACCEPTED, request_id=snapshot.request_id, evidence=evidence, candidates=()
        )
        await self.kept(wish, done, body)
        self._reconciler.first_seen(snapshot)
        self._reconciler.submitted(snapshot.request_id, intent.model, intent.payload)
        model = snapshot.model or intent.model
        notice = Submitted(
            request_id=snapshot.request_id, model=model, key=wish.request.key, evidence=evidence
        )
        self._observers.tell(notice)
        self._accepted(snapshot)
        return snapshot

    def timed(self, snapshot: Snapshot, begun: float) -> None:
        """Learns the service's clock from an answer, where nothing better has told it."""
        if snapshot.created_at is not None:
            now = asyncio.get_running_loop().time()
            self._clock.heard_created(snapshot.created_at.timestamp(), begun, now)
