"""The paid call. It is made in a task of the session's, so that cancelling the caller never loses an id, and
it is made again only where not one byte of it was sent.
"""  # noqa: D205  # one thought

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import anyio

from gmi_video._backoff import delay
from gmi_video._fate import refused, salvaged, uncertain
from gmi_video._observe import Observers
from gmi_video.errors import (
    GmiVideoError,
    MalformedResponse,
    RateLimited,
    ResponseError,
    TransportError,
    Unreachable,
)
from gmi_video.notices import Abandoned, Submitted, Throttled
from gmi_video.records import Snapshot, VideoRequest
from gmi_video.settings import Settings
from gmi_video.wire import Call, Reply, read_submission, submit_call

GRACE = 15.0
"""Seconds that closing a session waits for submissions whose answer is still to come."""

Exchange = Callable[[Call, Settings], Awaitable[Reply]]


class Submissions:
    """All POSTs of a session that are under way."""

    def __init__(
        self,
        exchange: Exchange,
        *,
        most: int,
        rng: Random,
        observers: Observers,
        accepted: Callable[[Snapshot], None],
    ) -> None:
        self._exchange = exchange
        self._limit = asyncio.Semaphore(most)
        self._rng = rng
        self._observers = observers
        self._accepted = accepted
        self._posts: set[asyncio.Task[Snapshot]] = set()

    async def submit(self, request: VideoRequest, settings: Settings) -> Snapshot:
        """The answer to one POST; raises definite refusals, `SubmissionUncertain` and `Unreachable`."""
        call = submit_call(request)
        await self._limit.acquire()
        wanted = asyncio.Event()
        post = asyncio.get_running_loop().create_task(
            self._post(call, request, settings, wanted), name="gmi_video submission"
        )
        self._posts.add(post)
        post.add_done_callback(self._done)
        try:
            await asyncio.wait((post,))
        except asyncio.CancelledError:
            wanted.set()
            post.add_done_callback(lambda done: self._abandoned(request, done))
            raise
        return post.result()

    def _done(self, post: asyncio.Task[Snapshot]) -> None:
        self._posts.discard(post)
        self._limit.release()

    def _abandoned(self, request: VideoRequest, post: asyncio.Task[Snapshot]) -> None:
        """Tells the observers of a submission that nobody waits for any more."""
        if post.cancelled():
            return
        error = post.exception()
        if error is None:
            self._observers.tell(
                Abandoned(model=request.model, key=request.key, request_id=post.result().request_id)
            )
        elif not isinstance(error, Unreachable):
            named = getattr(error, "request_id", None)
            self._observers.tell(
                Abandoned(model=request.model, key=request.key, request_id=named, error=type(error).__name__)
            )

    async def _post(
        self, call: Call, request: VideoRequest, settings: Settings, unwanted: asyncio.Event
    ) -> Snapshot:
        attempt = 1
        while True:
            try:
                return await self._once(call, request, settings)
            except Unreachable as error:
                error.key, error.attempts = request.key, attempt
                if not error.retryable or attempt >= settings.patience.attempts or unwanted.is_set():
                    raise
            await asyncio.sleep(delay(attempt, settings.patience, self._rng))
            attempt += 1

    async def _once(self, call: Call, request: VideoRequest, settings: Settings) -> Snapshot:
        body = b""
        try:
            reply = await self._exchange(call, settings)
            body = reply.body
            snapshot = read_submission(call, reply)
        except Unreachable:
            raise
        except ResponseError as error:
            if refused(error):
                self._refused(error, request)
                raise
            seen: GmiVideoError = error
        except (TransportError, MalformedResponse) as error:
            seen = error
        else:
            self._observers.tell(
                Submitted(request_id=snapshot.request_id, model=snapshot.model, key=request.key)
            )
            self._accepted(snapshot)
            return snapshot
        raise uncertain(request.model, request.key, seen, salvaged(body))

    def _refused(self, error: ResponseError, request: VideoRequest) -> None:
        error.key = request.key
        if isinstance(error, RateLimited):
            self._observers.tell(Throttled(subject=request.model, retry_after=error.retry_after))

    async def aclose(self) -> None:
        """Waits for the POSTs under way within the grace, then breaks them off: their fate is uncertain."""
        if not self._posts:
            return
        with anyio.CancelScope(shield=True):
            _, late = await asyncio.wait(set(self._posts), timeout=GRACE)
            for post in late:
                post.cancel()
            if late:
                await asyncio.wait(late)
