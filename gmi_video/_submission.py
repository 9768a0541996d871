"""The paid call: sent once, remembered before its first byte leaves, and made again only where not one byte
was sent, or where the caller allows a second POST after an absence as good as proven.

It is made in a task of the session's, so that cancelling the caller never loses an id.
"""  # noqa: D205  # one thought

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random

import anyio
from attrs import evolve

from gmi_video._backoff import delay
from gmi_video._book import Book, Wish
from gmi_video._desk import CLOSED
from gmi_video._fate import Seen
from gmi_video._gate import Gate
from gmi_video._likeness import digest
from gmi_video._lost import Lost
from gmi_video._observe import Observers
from gmi_video._payload import plain
from gmi_video._post import Post
from gmi_video._reconcile import Reconciler
from gmi_video._round import store_failed
from gmi_video.errors import ConfigurationError, GmiVideoError, RateLimited, ResponseError, Unreachable
from gmi_video.ledger import Intent, State, Store
from gmi_video.notices import Abandoned, Throttled
from gmi_video.records import Snapshot, VideoRequest
from gmi_video.settings import Settings
from gmi_video.wire import Call, submit_call

GRACE = 15.0
"""Seconds that closing a session waits for submissions whose answer is still to come."""
LAST_WORDS = 1.0
"""Seconds that those who are then broken off have to keep what they know."""


class Submissions:
    """All POSTs of a session that are under way, and what is still to be found out about earlier ones."""

    def __init__(
        self,
        post: Post,
        reconciler: Reconciler,
        book: Book,
        lost: Lost,
        *,
        gate: Gate,
        rng: Random,
        observers: Observers,
        unheard: Callable[[Snapshot], None],
        route: Callable[[VideoRequest], Call] = submit_call,
    ) -> None:
        self._post = post
        self._reconciler = reconciler
        self._book = book
        self._lost = lost
        self._gate = gate
        self._rng = rng
        self._observers = observers
        self._unheard = unheard
        self._route = route
        self._posts: dict[str, tuple[asyncio.Task[Snapshot], Wish]] = {}
        self._closing = False

    async def submit(
        self, request: VideoRequest, settings: Settings, store: Store, *, fingerprint: bool = False
    ) -> Snapshot:
        """The snapshot of an accepted request; raises definite refusals, `SubmissionUncertain`, `Unreachable`."""
        return await self._in_task(
            self._wish(request, _prepared(request, fingerprint), settings, store), None
        )

    async def finish(self, intent: Intent, settings: Settings, store: Store) -> Snapshot:
        """What a process that is gone began: sends what provably was not, finds what may have been.

        An intent that is under way here is waited for.
        """
        if intent.id in self._posts:
            return await self._joined(*self._posts[intent.id])
        request = VideoRequest(intent.model, intent.payload, key=intent.key)
        wish = self._wish(request, intent, settings, store)
        if intent.state is State.PREPARED:
            return await self._in_task(wish, None)
        wish.begun = True
        why = intent.evidence or "the process ended before an answer was kept"
        return await self._in_task(wish, Seen(evidence=why, status=intent.status))

    def _wish(self, request: VideoRequest, intent: Intent, settings: Settings, store: Store) -> Wish:
        """A wish and its call. The key means nothing to the service today; if it ever does, a second POST is free."""
        call = self._route(request)
        call = evolve(call, headers={**call.headers, "Idempotency-Key": intent.id})
        return Wish(request=request, call=call, settings=settings, store=store, intent=intent)

    def under_way(self, intent: Intent) -> bool:
        """Whether an intent is being sent or looked for here at this moment."""
        return intent.id in self._posts

    async def _in_task(self, wish: Wish, seen: Seen | None) -> Snapshot:
        """Runs a wish in a task that must not end with its caller."""
        if self._closing:
            message = "this session is being closed: nothing was sent"
            raise ConfigurationError(message)
        work = self._see_through(wish, seen)
        post = asyncio.get_running_loop().create_task(work, name="gmi_video submission")
        self._posts[wish.intent.id] = (post, wish)
        post.add_done_callback(lambda done: self._ended(done, wish))
        return await self._joined(post, wish)

    async def _joined(self, post: "asyncio.Task[Snapshot]", wish: Wish) -> Snapshot:
        """Waits for a wish. One that nobody waits for any more is broken off only before it was begun."""
        wish.callers += 1
        try:
            await asyncio.wait((post,))
        except asyncio.CancelledError:
            wish.callers -= 1
            if not wish.callers and not self.under_way(wish.intent):
                self._abandoned(post, wish)  # it ended just now, when somebody still waited
            elif not wish.callers and not wish.begun:
                post.cancel()
            raise
        if not post.cancelled():
            return post.result()
        if wish.begun:
            known = wish.intent.request_id
            raise self._lost.told(wish, Seen(evidence=CLOSED, salvaged=(known,) if known else ()))
        message = f"{wish.request.model}: the session was closed before this was sent"
        raise Unreachable(message, key=wish.request.key)

    def _ended(self, post: "asyncio.Task[Snapshot]", wish: Wish) -> None:
        del self._posts[wish.intent.id]
        if not post.cancelled():
            post.exception()  # whoever waits raises it; asyncio need not complain where nobody does
        if not wish.callers:
            self._abandoned(post, wish)

    def _abandoned(self, post: "asyncio.Task[Snapshot]", wish: Wish) -> None:
        """Tells the observers what became of a submission that nobody waited for, if it was sent."""
        error = None if post.cancelled() else post.exception()
        if not wish.begun or isinstance(error, Unreachable):
            return
        name = "SubmissionUncertain" if post.cancelled() else type(error).__name__ if error else None
        known = wish.intent.request_id or getattr(error, "request_id", None)
        if error is None and not post.cancelled() and post.result().final:
            self._unheard(post.result())
        model, key = wish.request.model, wish.request.key
        self._observers.tell(Abandoned(model=model, key=key, request_id=known, error=name))

    async def _see_through(self, wish: Wish, seen: Seen | None) -> Snapshot:
        """Sends a wish until its fate is known, or known to be unknown."""
        unreached = 0
        wait = wish.settings.wait
        until = None if wait is None else asyncio.get_running_loop().time() + wait
        try:
            while True:
                if seen is not None:
                    snapshot = await self._lost.search(wish, seen, may_repeat=lambda: self._wanted(wish))
                    if snapshot is not None:
                        return snapshot
                    seen, unreached = None, 0  # absent, and a second POST is allowed
                try:
                    fate = await self._once(wish, until)
                except (Unreachable, ConfigurationError) as error:
                    unreached += 1
                    error.key, error.attempts = wish.request.key, unreached
                    failed = error
                else:
                    if isinstance(fate, Snapshot):
                        return fate
                    seen = fate
                    continue
                await self._rest(wish, unreached, failed)
        except asyncio.CancelledError:
            if wish.begun:
                with anyio.CancelScope(shield=True):
                    await self._lost.broken_off(wish)
            raise
        finally:
            self._reconciler.settled(wish.intent)

    def _wanted(self, wish: Wish) -> bool:
        return wish.callers > 0 and not self._closing

    async def _rest(self, wish: Wish, unreached: int, error: GmiVideoError) -> None:
        """Waits before what provably was not sent is sent again; raises the error where that is the end of it."""
        patience = wish.settings.patience
        if unreached >= patience.attempts or not error.retryable or not self._wanted(wish):
            raise await self._lost.unsent_again(wish, error) if wish.begun else error
        await asyncio.sleep(delay(unreached, patience, self._rng))

    @asynccontextmanager
    async def _turn(self, wish: Wish, until: float | None) -> AsyncIterator[None]:
        """A turn among the POSTs of the account, once nothing is lost that could be taken for this."""
        loop, settings = asyncio.get_running_loop(), wish.settings
        while True:
            line = await self._reconciler.fence(wish.intent)
            wait = None if until is None else max(0.0, until - loop.time())
            if wish.begun:  # a second POST is not given up: that it was not sent says nothing of the first
                wait = None
            try:
                turn = await self._gate.stand("submit", settings.lane, wish.request.model, wait)
            finally:
                self._reconciler.go_on(wish.intent.model, line)
            self._gate.begin(wish.call, turn)
            if not self._reconciler.held(wish.intent):
                break
            self._gate.end(wish.call)
        try:
            yield
        finally:
            self._gate.end(wish.call)

    async def _once(self, wish: Wish, until: float | None) -> Snapshot | Seen | None:
        """One POST: a snapshot, what was seen where its fate is unknown, or None where it is to stand in line again.

        Raises definite refusals, and `RateLimited` where it stood in line for too long.
        """
        refusal: ResponseError | None = None
        before = wish.stand
        async with self._turn(wish, until):
            begun = asyncio.get_running_loop().time()
            try:
                fate = await self._post.send(wish, self._wanted)
            except ResponseError as error:
                refusal = error
        wish.ended = asyncio.get_running_loop().time()
        if refusal is not None:
            refusal.key = wish.request.key
            if isinstance(refusal, RateLimited):
                self._observers.tell(Throttled(subject=wish.request.model, retry_after=refusal.retry_after))
                if self._stands_again(wish, refusal, until):
                    await self._post.unsent(wish, before)
                    return None
            self._gate.refused(wish.request.model, refusal)
            return await self._lost.refused(wish, refusal)
        if isinstance(fate, Seen):
            return fate
        snapshot, body = fate
        if not await self._claimed(snapshot, wish):
            return Seen(evidence=f"the answer names {snapshot.request_id}, which another submission owns")
        self._book.timed(snapshot, begun)
        return await self._book.accepted(wish, snapshot, body)

    def _stands_again(self, wish: Wish, refusal: RateLimited, until: float | None) -> bool:
        """Whether a 429, which is proof that nothing was accepted, only means a longer wait."""
        patient = until is not None or wish.settings.lane == "bulk"
        ready = asyncio.get_running_loop().time() + (refusal.retry_after or 0.0)
        return patient and self._wanted(wish) and (until is None or ready <= until)

    async def _claimed(self, snapshot: Snapshot, wish: Wish) -> bool:
        """Whether an accepted request is this wish's own. A store that fails now must not cost the caller the id."""
        try:
            return await self._reconciler.memory.claim(snapshot.request_id, wish.intent, wish.store)
        except Exception as error:  # noqa: BLE001  # the border to the caller's store
            store_failed(error, wish.intent.model)
            return True

    async def aclose(self) -> None:
        """Waits for the POSTs under way within the grace, then breaks them off: their fate is uncertain.

        What was not begun is not sent any more.
        """
        self._closing = True
        with anyio.CancelScope(shield=True):
            for post, wish in tuple(self._posts.values()):
                if not wish.begun:
                    post.cancel()
            await self._within(GRACE)
            await self._reconciler.aclose()
            await self._within(LAST_WORDS)
            for _ in ("the answer", "the store"):  # that may be what is waited for in vain
                for post, _ in tuple(self._posts.values()):
                    post.cancel()
                await self._within(LAST_WORDS)

    async def _within(self, seconds: float) -> None:
        posts = {post for post, _ in self._posts.values()}
        if posts:
            await asyncio.wait(posts, timeout=seconds)


def _prepared(request: VideoRequest, fingerprint: bool) -> Intent:  # noqa: FBT001  # private, and named at its one call
    """The intent of a request of which nothing was sent yet."""
    payload = plain(request.payload)
    return Intent(
        id=uuid.uuid4().hex,  # not of the session's rng: a store outlives a run and its seed
        model=request.model,
        digest=digest(payload),
        payload=payload,
        key=request.key,
        fingerprint=fingerprint,
    )
