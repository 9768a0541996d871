"""Keeping book of one submission: its next state, when that was by the service's clock, and in which store."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from attrs import define, evolve, field

from gmi_video._desk import Timed
from gmi_video._observe import Observers
from gmi_video._reconcile import Reconciler
from gmi_video._round import store_failed
from gmi_video._servertime import ServerTime
from gmi_video.ledger import Intent, State, Store
from gmi_video.notices import Submitted
from gmi_video.records import Snapshot, VideoRequest
from gmi_video.settings import Settings
from gmi_video.wire import Call


class Stand(NamedTuple):
    """How far a wish had come at one moment."""

    intent: Intent
    begun: bool
    sent: float | None
    ended: float | None
    moment: int | None


@define(eq=False, kw_only=True)
class Wish:
    """One call of `submit` as it goes: what it asks, with what settings, kept where, and how far it has come.

    `begun`: it must not be broken off, for bytes may have left, or the store may say so. `sent` and `ended` are
    the loop's times of its first sending and of the answer that proved nothing, `moment` counts the first
    among what the session saw. `callers` wait for it.
    """

    request: VideoRequest
    call: Call
    settings: Settings
    store: Store = field(repr=False)
    intent: Intent
    begun: bool = False
    sent: float | None = None
    ended: float | None = None
    moment: int | None = None
    callers: int = 0

    @property
    def stand(self) -> Stand:
        """How far it has come."""
        return Stand(self.intent, self.begun, self.sent, self.ended, self.moment)

    @property
    def timed(self) -> Timed:
        """The intent for those who look for it."""
        return Timed(self.intent, self.sent, self.ended, self.moment)


class Book:
    """Writes down what becomes of submissions, and tells whoever wants to know."""

    def __init__(
        self,
        clock: ServerTime,
        reconciler: Reconciler,
        observers: Observers,
        accepted: Callable[[Snapshot, Intent], None],
    ) -> None:
        self._clock = clock
        self._reconciler = reconciler
        self._observers = observers
        self._accepted = accepted

    def mark(self, wish: Wish, state: State, evidence: str = "", **changes: Any) -> Intent:
        """Brings an intent into its next state. Its times are told anew by what is known of the clock now."""
        intent = wish.intent
        if wish.sent is not None:
            ended = None if wish.ended is None else self._clock.at(wish.ended)
            changes |= {
                "sent_at": self._clock.at(wish.sent),
                "failed_at": ended,
                "slack": self._clock.slack,
            }
        elif state is State.AMBIGUOUS and intent.failed_at is None and intent.sent_at is not None:
            latest = intent.sent_at + wish.settings.submit_timeout
            if intent.attempt > 1:  # only the first sending is dated: the last was before its process ended
                latest = max(latest, self._clock.at(asyncio.get_running_loop().time()))
            changes["failed_at"] = latest
        wish.intent = evolve(intent, state=state, evidence=evidence or intent.evidence, **changes)
        self._reconciler.told(wish.timed)
        return wish.intent

    def sending(self, wish: Wish) -> float:
        """An intent is about to be sent. Returns the loop's time of its first sending, which opens the window in
        which its record may appear.
        """  # noqa: D205  # one thought
        first = asyncio.get_running_loop().time() if wish.sent is None else wish.sent
        if wish.sent is None and wish.intent.sent_at is not None:
            first = min(first, self._clock.when(wish.intent.sent_at))  # another process was first
        wish.intent = evolve(
            wish.intent,
            state=State.SENDING,
            attempt=wish.intent.attempt + 1,
            sent_at=self._clock.at(first),
            failed_at=None,
            slack=self._clock.slack,
        )
        wish.begun = True
        wish.moment = self._reconciler.sending(Timed(wish.intent, first, moment=wish.moment))
        return first

    async def keep(self, wish: Wish, reply: bytes = b"") -> None:
        """Keeps a state after the POST: a store that fails now must not cost the caller the id."""
        try:
            await wish.store.put(wish.intent, reply)
        except Exception as error:  # noqa: BLE001  # the border to the caller's store
            store_failed(error, wish.intent.model)

    async def accepted(
        self, wish: Wish, snapshot: Snapshot, body: bytes = b"", evidence: str = ""
    ) -> Snapshot:
        """Keeps an acceptance, then tells of it; `evidence` where it was adopted and not answered."""
        known = snapshot.request_id
        intent = self.mark(wish, State.ACCEPTED, request_id=known, candidates=(), status=None)
        wish.intent = evolve(intent, evidence=evidence)
        await self.keep(wish, body)
        self._reconciler.memory.first_seen(snapshot)
        self._reconciler.memory.echoes.submitted(known, intent.model, intent.payload)
        model = snapshot.model or intent.model
        notice = Submitted(request_id=known, model=model, key=wish.request.key, evidence=evidence)
        self._observers.tell(notice)
        self._accepted(snapshot, intent)
        return snapshot

    def timed(self, snapshot: Snapshot, begun: float) -> None:
        """Learns the service's clock from an answer, where nothing better has told it."""
        if snapshot.created_at is not None:
            now = asyncio.get_running_loop().time()
            self._clock.heard_created(snapshot.created_at.timestamp(), begun, now)
