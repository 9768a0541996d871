"""What all views of one session share: connections, the key, the poller, and every POST under way."""

import asyncio
import importlib
import time
from collections.abc import Callable, Iterable
from random import Random
from typing import TypeVar
from urllib.parse import urlsplit

from gmi_video._backoff import delay, verdict
from gmi_video._book import Book
from gmi_video._downloads import Downloads
from gmi_video._keyring import Keyring
from gmi_video._listing import PAGE
from gmi_video._lost import Lost
from gmi_video._observe import Observer, Observers
from gmi_video._offload import off_loop
from gmi_video._poller import Poller
from gmi_video._reconcile import Reconciler
from gmi_video._servertime import ServerTime
from gmi_video._submission import Submissions
from gmi_video.catalog import Model
from gmi_video.errors import ConfigurationError, GmiVideoError
from gmi_video.notices import Ended, Exchange
from gmi_video.records import Snapshot
from gmi_video.settings import Secret, Settings, is_loopback
from gmi_video.wire import (
    Call,
    Page,
    Reply,
    Transport,
    model_call,
    read_model,
    read_requests,
    read_snapshot,
    requests_call,
    signed,
    snapshot_call,
)

T = TypeVar("T")

DATE_EVERY = 60.0
"""Seconds for which the service's last word about its time is good enough."""


class _Open:
    """What exists while a session is open, in one event loop."""

    def __init__(self, engine: "Engine", transport: Transport) -> None:
        settings, rng = engine.settings, engine.rng
        self.loop = asyncio.get_running_loop()
        self.transport = transport
        self.poller = Poller(engine.look, concurrency=settings.concurrency, rng=rng)
        self.short = asyncio.Semaphore(settings.concurrency)
        self.clock = ServerTime(time.time(), self.loop.time())
        self.reconciler = Reconciler(engine.page, engine.glance, self.server_now)
        book = Book(self.clock, self.reconciler, engine.observers, engine.accepted)
        self.submissions = Submissions(
            engine.exchange,
            self.reconciler,
            book,
            Lost(book, self.reconciler, engine.observers, engine.confirm),
            most=settings.limits.submissions,
            rng=rng,
            observers=engine.observers,
        )
        self.downloads = Downloads(
            transport, most=settings.limits.downloads, loopback=engine.loopback, rng=rng
        )

    def server_now(self) -> float:
        """The service's Unix time, as far as it is known."""
        return self.clock.at(self.loop.time())


class Engine:
    """Opens on the first call, in the loop that makes it; may be opened again after `aclose`."""

    def __init__(
        self, settings: Settings, transport: Transport | None, rng: Random, observers: Iterable[Observer]
    ) -> None:
        self.settings = settings
        self.rng = rng
        self.observers = Observers(observers)
        self.keyring = Keyring(settings.api_key)
        self.loopback = is_loopback(urlsplit(settings.base_url).hostname)
        self._borrowed = transport
        self._unfinished: dict[str, None] = {}
        self._for_seeds: dict[str, Model] = {}
        self._date_heard = float("-inf")
        self._state: _Open | None = None
        self._opening: asyncio.Task[_Open] | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is anything to close."""
        return self._state is not None

    async def open(self) -> _Open:
        """The open state; raises `ConfigurationError` where it belongs to another event loop."""
        state = self._state
        if state is not None:
            if state.loop is asyncio.get_running_loop():
                return state
            ended = "which has ended; make a new one" if state.loop.is_closed() else "close it there first"
            message = f"this Session is open in another event loop, {ended} (`async with` closes in time)"
            raise ConfigurationError(message)
        transport = self._borrowed or await self._transport()
        if self._state is None:
            self._state = _Open(self, transport)
        elif transport is not self._borrowed:
            await transport.aclose()  # another task opened it meanwhile
        return await self.open()

    async def _transport(self) -> Transport:
        """Our own transport. aiohttp and the certificates are loaded off the loop: that takes a while."""
        room = await off_loop(importlib.import_module, "gmi_video._transport")
        await off_loop(room.prepare)
        made: Transport = room.make(loopback=self.loopback)
        return made

    async def opened_poller(self) -> Poller:
        """The poller of the open session."""
        return (await self.open()).poller

    async def exchange(self, call: Call, settings: Settings) -> Reply:
        """One call to the API and its reply, whatever its status; a dead key is renewed once."""
        key = await self.keyring.key()
        reply = await self._sent(call, settings, key)
        if reply.status == 401 and (fresh := await self.keyring.renewed(key)) is not None:
            reply = await self._sent(call, settings, fresh)
        return reply

    async def _sent(self, call: Call, settings: Settings, key: Secret) -> Reply:
        state = await self.open()
        ready = signed(
            call,
            base_url=settings.base_url,
            key=key,
            organization=settings.organization,
            user_agent=settings.user_agent,
            timeout=settings.submit_timeout if call.operation == "submit" else settings.timeout,
        )
        if not self.observers.exchanges:
            return self._heard(state, key, await state.transport.send(ready))
        begun = state.loop.time()
        reply: Reply | None = None
        error: str | None = None
        try:
            reply = await state.transport.send(ready)
        except BaseException as raised:
            error = type(raised).__name__
            raise
        finally:
            notice = Exchange(
                operation=call.operation,
                method=call.method,
                path=call.url.partition("?")[0],
                status=reply.status if reply else None,
                seconds=state.loop.time() - begun,
                sent=len(call.body or b""),
                received=len(reply.body) if reply else 0,
                error=error,
            )
            self.observers.tell(notice)
        return self._heard(state, key, reply)

    def _heard(self, state: _Open, key: Secret, reply: Reply) -> Reply:
        """Learns the service's time, once a minute; a refusal that echoes the key is shown without it."""
        now = state.loop.time()
        if now - self._date_heard > DATE_EVERY and "date" in reply.headers:
            state.clock.heard_date(reply.headers["date"], now)
            self._date_heard = now
        if reply.ok or key.encode() not in reply.body:
            return reply
        shown = reply.body.replace(key.encode(), b"<secret>")
        return Reply(status=reply.status, headers=reply.headers, body=shown)

    async def look(self, request_id: str) -> Snapshot:
        """One look for the poller: one attempt, and its end is told to the observers."""
        call = snapshot_call(request_id)
        snapshot = read_snapshot(call, await self.exchange(call, self.settings))
        self.seen(snapshot)
        if snapshot.final:
            self.observers.tell(Ended(request_id=request_id, model=snapshot.model, status=snapshot.status))
        return snapshot

    def seen(self, snapshot: Snapshot) -> None:
        """A full record came, by whatever way."""
        if snapshot.final:
            self._unfinished.pop(snapshot.request_id, None)
        if self._state is not None:
            self._state.reconciler.shown(snapshot)

    def accepted(self, snapshot: Snapshot) -> None:
        """A submission of ours is a request now."""
        if not snapshot.final:
            self._unfinished[snapshot.request_id] = None
        if self._state is not None:
            self._state.poller.learn(snapshot, accepted=True)

    @property
    def unfinished(self) -> tuple[str, ...]:
        """The ids submitted here whose end nobody received."""
        return tuple(self._unfinished)

    async def page(self, model_id: str, offset: int) -> Page:
        """One page of a model's list, for reconciliation."""
        call = requests_call(model_id, limit=PAGE, offset=offset)
        return await self.patient(call, self.settings, read_requests)

    async def glance(self, request_id: str) -> Snapshot:
        """A record by its id, for reconciliation."""
        return await self.confirm(request_id, self.settings)

    async def confirm(self, request_id: str, settings: Settings) -> Snapshot:
        """A record by its id, with patience; whoever watches it is told as well."""
        snapshot = await self.patient(snapshot_call(request_id), settings, read_snapshot)
        self.seen(snapshot)
        (await self.open()).poller.learn(snapshot)
        return snapshot

    async def model_for_seed(self, model_id: str) -> Model | None:
        """A model's schema, asked for once; None where the catalog does not answer: it never stops a submission."""
        found = self._for_seeds.get(model_id)
        if found is None:
            try:
                found = await self.patient(model_call(model_id), self.settings, read_model)
            except GmiVideoError:
                return None
            self._for_seeds[model_id] = found
        return found

    async def patient(self, call: Call, settings: Settings, read: Callable[[Call, Reply], T]) -> T:
        """A call that costs nothing, repeated with patience; raises its last error, with `attempts`."""
        state = await self.open()
        attempt = 1
        while True:
            try:
                async with state.short:
                    return read(call, await self.exchange(call, settings))
            except GmiVideoError as error:
                error.attempts = attempt
                if verdict(error) != "again" or attempt >= settings.patience.attempts:
                    raise
                asked = getattr(error, "retry_after", None)
                if asked is not None and asked > settings.patience.longest:
                    raise
            await asyncio.sleep(delay(attempt, settings.patience, self.rng, asked))
            attempt += 1

    async def aclose(self) -> None:
        """Waits for POSTs under way, ends the looks, closes what is ours. May be opened again afterwards."""
        state = self._state
        if state is None:
            return
        if state.loop is not asyncio.get_running_loop():
            await self.open()
        await state.submissions.aclose()
        await state.poller.aclose()
        self._state = None
        self._date_heard = float("-inf")
        if state.transport is not self._borrowed:
            await state.transport.aclose()

    def abandon(self) -> None:
        """What a finaliser can do: lets go of the connections without a word."""
        state, self._state = self._state, None
        if state is not None and state.transport is not self._borrowed:
            abandon = getattr(state.transport, "abandon", None)
            if abandon is not None:
                abandon()
