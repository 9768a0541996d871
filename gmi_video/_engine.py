"""What all views of one session share: connections, the key, the poller, and every POST under way."""

import asyncio
import importlib
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from random import Random
from typing import TypeVar
from urllib.parse import urlsplit

from attrs import evolve

from gmi_video._book import Book
from gmi_video._budget import Budget
from gmi_video._cadence import Cadence
from gmi_video._catalog import Catalog
from gmi_video._console import Console
from gmi_video._counts import counts
from gmi_video._door import door_of
from gmi_video._downloads import Downloads
from gmi_video._echo import Way
from gmi_video._exchange import Exchanges
from gmi_video._gate import Gate
from gmi_video._governor import Governor
from gmi_video._keyring import Keyring
from gmi_video._listing import PAGE
from gmi_video._look import look
from gmi_video._lookout import Lookout
from gmi_video._lost import Lost, SecondPosts
from gmi_video._observe import Observer, Observers, logger
from gmi_video._offload import off_loop
from gmi_video._patient import patient
from gmi_video._poller import Poller
from gmi_video._post import Post
from gmi_video._queue import Kind
from gmi_video._reconcile import Reconciler
from gmi_video._servertime import ServerTime
from gmi_video._spending import Spending
from gmi_video._submission import Submissions
from gmi_video._supply import Supply
from gmi_video._tending import keep_looking
from gmi_video._unfinished import Unfinished
from gmi_video._uploads import Uploads
from gmi_video.errors import ConfigurationError
from gmi_video.ledger import Intent
from gmi_video.records import Snapshot
from gmi_video.settings import Settings, is_loopback
from gmi_video.statistics import SessionStatistics
from gmi_video.wire import Call, Page, Reply, Transport

T = TypeVar("T")


class _Open:
    """What exists while a session is open, in one event loop."""

    def __init__(self, engine: "Engine", transport: Transport) -> None:
        settings, rng = engine.settings, engine.rng
        self.loop = asyncio.get_running_loop()
        self.transport = transport
        self.clock = ServerTime(time.time(), self.loop.time())
        limits = settings.limits
        self.gate = Gate(
            Governor(
                rng,
                submissions=limits.submissions,
                calls=settings.concurrency,
                ceiling=limits.calls_per_second,
                unproven=limits.unproven,
            )
        )
        self.exchanges = Exchanges(
            transport, self.gate, self.clock, engine.keyring, engine.observers, door=engine.door
        )
        self.lookout = Lookout(engine.looked, engine.seen, engine.observers, engine.door, engine.named)
        self.poller = Poller(
            self.lookout.look,
            page=self.lookout.page if engine.door.lists else None,
            concurrency=settings.concurrency,
            rng=rng,
            cadence=engine.cadence,
            clock=self.clock,
        )
        self.lookout.known = self.poller.schedule.entry
        self.short = asyncio.Semaphore(settings.concurrency)
        self.budget = Budget()
        self.reconciler = Reconciler(engine.page, engine.glance, self.clock)
        book = Book(self.clock, self.reconciler, engine.observers, engine.accepted)
        self.gate.crowded = partial(keep_looking, self.poller, settings.pace)
        self.submissions = Submissions(
            Post(engine.exchange, engine.keyring.ready, self.reconciler, book, engine.door.read_submission),
            self.reconciler,
            book,
            Lost(
                book,
                self.reconciler,
                engine.observers,
                engine.confirm,
                engine.second_posts,
                lists=engine.door.lists,
            ),
            gate=self.gate,
            rng=rng,
            observers=engine.observers,
            route=engine.door.submit_call,
            unheard=engine.submitted.unheard,
        )
        self.catalog = Catalog(engine.patient, engine.door)
        local, host = engine.loopback, Budget()  # of the storage host, which is another than the queue's
        uploads = Uploads(transport, engine.patient, settings, loopback=local, rng=rng, budget=host)
        self.supply = Supply(uploads)
        most, hosts = limits.downloads, settings.storage_hosts
        self.downloads = Downloads(transport, most=most, loopback=local, rng=rng, budget=host, hosts=hosts)


class Engine:
    """Opens on the first call, in the loop that makes it; may be opened again after `aclose`."""

    def __init__(
        self,
        settings: Settings,
        transport: Transport | None,
        rng: Random,
        observers: Iterable[Observer],
        cadence: str | None = None,
    ) -> None:
        self.settings = settings
        self.rng = rng
        self.observers = Observers(observers)
        self.door = door_of(settings)
        source = settings.api_key
        if source is None and settings.login is not None:
            source = Console(settings.login, self._unkeyed, settings.patience, rng)
        self.keyring = Keyring(source, wants=self.door.wants)
        self.loopback = is_loopback(urlsplit(settings.base_url).hostname)
        self._borrowed = transport
        self.cadence = Cadence(cadence)
        self.second_posts = SecondPosts()
        self.submitted = Unfinished()
        self.spending = Spending()
        self._state: _Open | None = None
        self._closings = 0

    @property
    def is_open(self) -> bool:
        """Whether there is anything to close."""
        return self._state is not None

    def _ready(self) -> _Open | None:
        """The open state of this loop where there is one: each look asks for it, and needs no coroutine."""
        state = self._state
        return state if state is not None and state.loop is asyncio.get_running_loop() else None

    async def open(self) -> _Open:
        """The open state; raises `ConfigurationError` where it belongs to another event loop, or is closed meanwhile."""
        if (ready := self._ready()) is not None:
            return ready
        state = self._state
        if state is not None:
            ended = "which has ended; make a new one" if state.loop.is_closed() else "close it there first"
            message = f"this Session is open in another event loop, {ended} (`async with` closes in time)"
            raise ConfigurationError(message)
        closings = self._closings
        transport = self._borrowed or await self._transport()
        if self._closings != closings:
            if transport is not self._borrowed:
                await transport.aclose()
            message = "this Session was closed while it was being opened: nothing was sent"
            raise ConfigurationError(message)
        if self._state is None:
            self._state = _Open(self, transport)
            logger.info("the way to the queue: %s", self.settings.chosen or f"the {self.door.name} door")
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

    async def exchange(self, call: Call, settings: Settings, kind: Kind | None = None) -> Reply:
        """One call to the API in its turn, and its reply, whatever its status."""
        state = self._ready() or await self.open()
        return await state.exchanges.exchange(call, settings, kind)

    async def _unkeyed(self, call: Call) -> Reply:
        """A call of the account's, made to get a key."""
        return await (await self.open()).exchanges.unkeyed(call, self.settings)

    def looked(self, call: Call) -> Awaitable[Reply]:
        """A call of the poller's."""
        return self.exchange(call, self.settings, "poll")

    def seen(self, snapshot: Snapshot, way: Way) -> None:
        """A full record came."""
        self.spending.seen(snapshot)
        self.submitted.seen(snapshot)
        state = self._state
        if state is not None:
            state.gate.moved(snapshot)
            state.reconciler.memory.echoes.shown(snapshot, way)
            state.gate.failed(snapshot, state.clock)

    def accepted(self, snapshot: Snapshot, intent: Intent) -> None:
        """A submission of ours is a request now, and costs what the schema at hand says of it."""
        model = self._state.catalog.held(intent.model) if self._state is not None else None
        self.spending.accepted(snapshot, model.price_of(intent.payload) if model else None)
        self.submitted.accepted(snapshot, intent.model)
        if self._state is not None:
            self._state.gate.accepted(snapshot)
            self._state.gate.failed(snapshot, self._state.clock)
            self._state.poller.learn(snapshot, accepted=True)

    def named(self, snapshot: Snapshot) -> Snapshot:
        """A snapshot with its model, where the door does not tell it and it was submitted here."""
        model = snapshot.model or self.submitted.model_of(snapshot.request_id)
        return snapshot if model == snapshot.model else evolve(snapshot, model=model)

    def when(self, moment: float) -> float:
        """The loop's time at a Unix time of the service's, as far as it is known; for an open session."""
        assert self._state is not None
        return self._state.clock.when(moment)

    async def page(self, model_id: str, offset: int) -> Page:
        """One page of a model's list, for reconciliation."""
        call = self.door.requests_call(model_id, limit=PAGE, offset=offset)
        return await self.patient(call, self.settings, self.door.read_requests)

    async def glance(self, request_id: str) -> Snapshot:
        """A record by its id, for reconciliation."""
        return await self.confirm(request_id, self.settings)

    async def confirm(self, request_id: str, settings: Settings) -> Snapshot:
        """A record by its id, with patience; whoever watches it is told as well."""
        seen = await look(self.door, request_id, lambda call, read: self.patient(call, settings, read))
        snapshot = self.named(seen)
        self.seen(snapshot, "look")
        (self._ready() or await self.open()).poller.learn(snapshot)
        return snapshot

    async def patient(self, call: Call, settings: Settings, read: Callable[[Call, Reply], T]) -> T:
        """A call that costs nothing, repeated with patience; raises its last error, with `attempts`."""
        state = self._ready() or await self.open()

        async def attempt() -> T:
            async with state.short:
                return read(call, await self.exchange(call, settings))

        return await patient(attempt, settings.patience, self.rng, state.budget)

    def statistics(self) -> SessionStatistics:
        """What is going on; all zero while nothing is open."""
        state = self._state
        if state is None:
            return SessionStatistics(spent=self.spending.spent, unpriced=self.spending.unpriced)
        schedule, governor = state.poller.schedule, state.gate.governor
        return counts(schedule, governor, state.lookout, self.spending, state.loop.time())

    def clock_skew(self) -> float | None:
        """The service's clock less this machine's, in seconds; None while it is not known."""
        return self._state.clock.ahead if self._state is not None else None

    async def aclose(self) -> None:
        """Waits for POSTs under way, ends the looks, closes what is ours. May be opened again afterwards.

        Who is opening it at that moment is told that it was closed, and lets go of what it made.
        """
        self._closings += 1
        state = self._state
        if state is None:
            return
        if state.loop is not asyncio.get_running_loop():
            await self.open()
        await state.supply.aclose()
        await state.submissions.aclose()
        await state.catalog.aclose()
        await state.poller.aclose()
        await self.keyring.aclose()
        state.gate.close()
        self._state = None
        if state.transport is not self._borrowed:
            await state.transport.aclose()

    def abandon(self) -> None:
        """What a finaliser can do: lets go of the connections without a word."""
        state, self._state = self._state, None
        if state is not None and state.transport is not self._borrowed:
            abandon = getattr(state.transport, "abandon", None)
            if abandon is not None:
                abandon()
