"""The paid call: sent once, remembered before its first byte leaves, and made again only where not one byte
was sent, or where the caller allows a second POST after an absence as good as proven.

It is made in a task of the session's, so that cancelling the caller never loses an id.
"""  # noqa: D205  # one thought

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from random import Random
from typing import Any

import anyio
from attrs import evolve

from gmi_video._backoff import delay
from gmi_video._book import Book, Wish
from gmi_video._fate import Seen, read_fate, uncertain
from gmi_video._ledger import digest
from gmi_video._lost import Lost
from gmi_video._observe import Observers
from gmi_video._payload import plain
from gmi_video._reconcile import Reconciler
from gmi_video.errors import GmiVideoError, RateLimited, ResponseError, Unreachable
from gmi_video.ledger import Intent, State, Store
from gmi_video.notices import Abandoned, Throttled
from gmi_video.records import Snapshot, VideoRequest
from gmi_video.settings import Settings
from gmi_video.wire import Call, Reply, submit_call

GRACE = 15.0
"""Seconds that closing a session waits for submissions whose answer is still to come."""
LAST_WORDS = 1.0
"""Seconds that those who are then broken off have to keep what they know."""

Exchange = Callable[[Call, Settings], Awaitable[Reply]]


class Submissions:
    """All POSTs of a session that are under way, and what is still to be found out about earlier ones."""

    def __init__(
        self,
        exchange: Exchange,
        reconciler: Reconciler,
        book: Book,
        lost: Lost,
        *,
        most: int,
        rng: Random,
        observers: Observers,
    ) -> None:
        self._exchange = exchange
        self._reconciler = reconciler
        self._book = book
        self._lost = lost
        self._limit = asyncio.Semaphore(most)
        self._rng = rng
        self._observers = observers
        self._posts: set[asyncio.Task[Snapshot]] = set()

    def prepare(self, request: VideoRequest, *, fingerprint: bool = False) -> Intent:
        """The intent of a request that nothing was done about yet; raises `PayloadInvalid`."""
        payload = plain(request.payload)
        return Intent(
            id=f"{self._rng.getrandbits(128):032x}",
            model=request.model,
            digest=digest(payload),
            payload=payload,
            key=request.key,
            fingerprint=fingerprint,
        )

    async def submit(
        self, request: VideoRequest, settings: Settings, store: Store, *, fingerprint: bool = False
    ) -> Snapshot:
        """The snapshot of an accepted request; raises definite refusals, `SubmissionUncertain`, `Unreachable`."""
        wish = Wish(request=request, call=submit_call(request), settings=settings, store=store)
        return await self._in_task(
            self._see_through(self.prepare(request, fingerprint=fingerprint), wish), wish
        )

    async def finish(self, intent: Intent, settings: Settings, store: Store) -> Snapshot:
        """What a process that is gone began: sends what provably was not, finds what may have been."""
        request = VideoRequest(intent.model, intent.payload, key=intent.key)
        wish = Wish(request=request, call=submit_call(request), settings=settings, store=store)
        if intent.state is State.PREPARED:
            return await self._in_task(self._see_through(intent, wish), wish)
        seen = Seen(
            evidence=intent.evidence or "the process ended before an answer was kept", status=intent.status
        )
        return await self._in_task(self._see_through(intent, wish, seen), wish)

    async def _in_task(self, work: Coroutine[Any, Any, Snapshot], wish: Wish) -> Snapshot:
        """Runs work that must not end with its caller; observers are told what a cancelled caller is not."""
        post = asyncio.get_running_loop().create_task(work, name="gmi_video submission")
        self._posts.add(post)
        post.add_done_callback(self._posts.discard)
        try:
            await asyncio.wait((post,))
        except asyncio.CancelledError:
            wish.unwanted.set()
            if wish.begun.is_set():
                post.add_done_callback(lambda done: self._abandoned(wish.request, done))
            else:
                post.cancel()  # it waits for its turn: not a byte was sent
            raise
        if post.cancelled():
            raise uncertain(wish.request.model, wish.request.key, Seen(evidence=CLOSED))
        return post.result()

    def _abandoned(self, request: VideoRequest, post: asyncio.Task[Snapshot]) -> None:
        """Tells the observers of a submission that nobody waits for any more."""
        if post.cancelled():
            notice = Abandoned(model=request.model, key=request.key, error="SubmissionUncertain")
        elif (error := post.exception()) is None:
            notice = Abandoned(model=request.model, key=request.key, request_id=post.result().request_id)
        elif isinstance(error, Unreachable):
            return  # nothing was sent
        else:
            named = getattr(error, "request_id", None)
            notice = Abandoned(
                model=request.model, key=request.key, request_id=named, error=type(error).__name__
            )
        self._observers.tell(notice)

    async def _see_through(self, intent: Intent, wish: Wish, seen: Seen | None = None) -> Snapshot:
        """Sends an intent until its fate is known, or known to be unknown."""
        unreached = 0
        while True:
            if seen is None:
                await self._reconciler.fence(intent)
                try:
                    fate = await self._once(intent, wish)
                except Unreachable as error:
                    unreached += 1
                    error.key, error.attempts = wish.request.key, unreached
                    spent = unreached >= wish.settings.patience.attempts
                    if spent or not error.retryable or wish.unwanted.is_set():
                        raise
                    await asyncio.sleep(delay(unreached, wish.settings.patience, self._rng))
                    continue
                if isinstance(fate, Snapshot):
                    return fate
                intent, seen = fate
            snapshot = await self._lost.search(intent, wish, seen)
            if snapshot is not None:
                return snapshot
            intent, seen = evolve(intent, state=State.PREPARED), None  # absent, and a second POST is allowed

    async def _once(self, intent: Intent, wish: Wish) -> Snapshot | tuple[Intent, Seen]:
        """One POST: a snapshot, or the intent and what was seen where its fate is unknown."""
        async with self._limit:
            refusal: ResponseError | None = None
            begun = asyncio.get_running_loop().time()
            intent = self._book.marked(intent, State.SENDING)
            wish.begun.set()
            self._reconciler.sending(intent)
            try:
                await wish.store.put(intent)
                fate = read_fate(wish.call, await self._sent(wish))
            except Unreachable:
                wish.begun.clear()
                await self._book.kept(wish, evolve(intent, state=State.PREPARED, sent_at=None))
                raise
            except ResponseError as error:
                refusal = error
            except GmiVideoError as error:
                return intent, Seen(evidence=str(error), body=getattr(error, "partial", b""))
            except asyncio.CancelledError:
                with anyio.CancelScope(shield=True):
                    await self._book.kept(wish, self._book.marked(intent, State.AMBIGUOUS, CLOSED))
                raise
            finally:
                self._reconciler.settled(intent)
        if refusal is not None:
            return await self._refused(intent, wish, refusal)
        if isinstance(fate, Seen):
            return intent, fate
        snapshot, body = fate
        if not await wish.store.claim(snapshot.request_id, intent.id):
            return intent, Seen(
                evidence=f"the answer names {snapshot.request_id}, which another submission owns"
            )
        self._book.timed(snapshot, begun)
        return await self._book.accepted(intent, wish, snapshot, body)

    async def _sent(self, wish: Wish) -> Reply:
        if wish.unwanted.is_set():
            message = "its caller was cancelled before it was sent"
            raise Unreachable(message, retryable=False)
        return await self._exchange(wish.call, wish.settings)

    async def _refused(self, intent: Intent, wish: Wish, error: ResponseError) -> Snapshot:
        error.key = wish.request.key
        if isinstance(error, RateLimited):
            self._observers.tell(Throttled(subject=wish.request.model, retry_after=error.retry_after))
        return await self._lost.refused(intent, wish, error)

    async def aclose(self) -> None:
        """Waits for the POSTs under way within the grace, then breaks them off: their fate is uncertain."""
        with anyio.CancelScope(shield=True):
            late = set(self._posts)
            if late:
                _, late = await asyncio.wait(late, timeout=GRACE)
            await self._reconciler.aclose()
            if late:
                _, late = await asyncio.wait(late, timeout=LAST_WORDS)
            for post in late:
                post.cancel()
            if late:
                await asyncio.wait(late)


CLOSED = "the session was closed before the answer came"
