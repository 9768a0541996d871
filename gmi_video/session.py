"""`Session`: every verb of the queue, over one set of connections and one poller.

The walk of `generate` is the whole library in one screen: submit, watch, download.
"""

import os
import random
import sys
import warnings
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from attrs import evolve, fields_dict

from gmi_video import errors
from gmi_video._cadence import Cadence
from gmi_video._ending import ended
from gmi_video._ids import checked_id
from gmi_video._listing import PAGE, walk
from gmi_video._money import MoneyVerbs
from gmi_video._observe import Observer, shielded
from gmi_video._saving import Place
from gmi_video._sending import UploadVerbs
from gmi_video._standing import StandingVerbs
from gmi_video._transfers import FileVerbs, Saving
from gmi_video._watch import Ids, Watch
from gmi_video.catalog import Model
from gmi_video.errors import ConfigurationError, NotFound
from gmi_video.events import Event
from gmi_video.ledger import MemoryStore, Store
from gmi_video.records import Snapshot, Video, VideoRequest
from gmi_video.settings import Pace, Settings
from gmi_video.statistics import SessionStatistics
from gmi_video.transfer import Transfer
from gmi_video.wire import Page, Transport

_OF_VIEWS = frozenset(
    {
        "check",
        "disambiguate",
        "lane",
        "on_uncertain",
        "pace",
        "patience",
        "settle",
        "store",
        "submit_timeout",
        "timeout",
        "wait",
        "writers",
    }
)


class Session(MoneyVerbs, FileVerbs, UploadVerbs, StandingVerbs):
    """A connection to GMI Cloud's video queue. The first verb opens it; `async with` or `aclose` closes it.

    Args:
        settings: what to use; what is not given there is taken from the environment.
        transport: sends the calls instead of our own; it is borrowed and never closed.
        store: where submissions are remembered, in memory if not said otherwise; see `gmi_video.ledger`.
        rng: the source of jitter, for runs that must repeat exactly.
        observers: plain callables that get one frozen notice each; what they raise is logged.
        cadence: what an earlier session learnt of how long models take: its `cadence.export()`.

    Raises:
        ConfigurationError: neither a key nor a login, given or in the environment; a cadence that is none.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        transport: Transport | None = None,
        store: Store | None = None,
        rng: random.Random | None = None,
        observers: Iterable[Observer] = (),
        cadence: str | None = None,
    ) -> None:
        complete = (settings or Settings()).completed(os.environ)
        self._begin(
            complete,
            transport,
            MemoryStore() if store is None else store,
            rng or random.Random(),
            observers,
            cadence=cadence,
        )
        made = sys._getframe(1)  # noqa: SLF001  # the documented way to the caller's line; a traceback costs 100 times more
        self._made = f"{made.f_code.co_filename}:{made.f_lineno}"

    @property
    def settings(self) -> Settings:
        """What this session, or this view of it, uses."""
        return self._settings

    @property
    def cadence(self) -> Cadence:
        """What is known of how long models take: `typical(model_id)`, and `export()` for the next session."""
        return self._core.cadence

    def statistics(self) -> SessionStatistics:
        """What all watches of this session follow, and what they cost, at this moment."""
        return self._core.statistics()

    def using(self, **changes: Any) -> "Session":
        """A view on the same connections and poller with some settings changed; it needs no close.

        Raises `ConfigurationError` for a setting that cannot differ within one session.
        """
        fixed = sorted(set(changes) - _OF_VIEWS)
        if fixed:
            known = fixed[0] in fields_dict(Settings)
            why = "belongs to the whole session; open another one for it" if known else "is not a setting"
            message = (
                f"using({fixed[0]}=…): {fixed[0]} {why}; a view may change {', '.join(sorted(_OF_VIEWS))}"
            )
            raise ConfigurationError(message)
        view = object.__new__(type(self))
        view._store = changes.pop("store", self._store)
        view._settings = evolve(self._settings, **changes)
        view._engine = self._engine
        view._owner = self._owner or self
        return view

    async def models(self) -> tuple[str, ...]:
        """The ids of all models that the service lists, each once. A listed model may still be refused.

        They are kept for an hour, and for a day where the service is down.
        """
        return await (await self._core.open()).catalog.models(self._settings)

    async def model(self, model_id: str) -> Model:
        """One model's schema and price, kept as `models` are; asked for once however many callers wait.

        Raises `NotFound` (ids are case-sensitive), with the nearest ids of the list where that is at hand.
        """
        catalog = (await self._core.open()).catalog
        try:
            return await catalog.model(model_id, self._settings)
        except NotFound as error:
            raise catalog.explained(error, model_id) from None

    async def snapshot(self, request_id: str) -> Snapshot:
        """What the queue says of a request now, repeated with patience; raises `NotFound` and others."""
        return await self._core.confirm(request_id, self._settings)

    async def requests(
        self, model_id: str | None = None, *, since: datetime | None = None
    ) -> AsyncIterator[Snapshot]:
        """All requests of the account, or of one model, each once; with `since`, those created from then on.

        Pages are fetched as they are needed. The service promises no order, so an old record ends the walk
        only while every page so far was newest first.
        """
        if since is not None and since.tzinfo is None:
            message = "requests(since=…) takes an aware datetime, e.g. datetime.now(UTC) - timedelta(hours=1)"
            raise ConfigurationError(message)

        async def fetch(offset: int) -> Page:
            door = self._core.door
            call = door.requests_call(model_id, limit=PAGE, offset=offset)
            return await self._core.patient(call, self._settings, door.read_requests)

        async for snapshot in walk(fetch, since):
            yield snapshot

    def watch(
        self,
        ids: Ids = (),
        *,
        pace: Pace | None = None,
        deadline: float | None = None,
        keep_open: bool = False,
    ) -> Watch:
        """Events of many requests through one iterator: `async with … as events: async for event in events`.

        Args:
            ids: request ids, snapshots, or a mapping of either to your own key; any iterable, also async.
            pace: how often to look; of several watches of one id the most eager counts.
            deadline: seconds after which an id is given up, counted from when the watch took it.
            keep_open: wait for more ids until `finish()`.

        Each id ends in exactly one final event. A failed look is a `Missed`, never the end.
        """
        if isinstance(ids, str | bytes | Snapshot):
            message = f"watch takes a list or a mapping of ids, not one {type(ids).__name__}: watch([…])"
            raise ConfigurationError(message)
        if deadline is not None and not deadline > 0:
            message = f"watch(deadline={deadline!r}): seconds above 0 are wanted"
            raise ConfigurationError(message)
        return Watch(
            self._core.opened_poller,
            ids,
            pace=pace or self._settings.pace,
            deadline=deadline,
            keep_open=keep_open,
            owner=self,
            of_session=self.statistics,
        )

    async def resume(
        self,
        request: str | Snapshot,
        *,
        to: str | os.PathLike[str] | None = None,
        into: str | os.PathLike[str] | None = None,
        deadline: float | None = 3600,
        on_event: Callable[[Event], object] | None = None,
        progress: Callable[[Transfer], object] | None = None,
    ) -> Video:
        """Waits for a request's end, in any process, from its id alone; saves its media where asked to.

        Args:
            request: a request id, or a snapshot.
            to: the file for the first media; it must not exist.
            into: the folder for all media, made if missing; files are named by the request's id.
            deadline: seconds to wait; None waits for ever.
            on_event: is called with each event; what it raises is logged.
            progress: is called with a `Transfer` now and then while a file comes; likewise.

        Raises:
            GenerationError: its leaves say how the work ended; `GenerationOverdue` after the deadline.
            TransferError: the file could not be saved; calling `resume` again costs nothing.
        """
        place = await Place.checked(to, into)
        return await self._finished(request, None, self._saving(place, progress), deadline, on_event)

    async def generate(
        self,
        request: VideoRequest,
        *,
        to: str | os.PathLike[str] | None = None,
        into: str | os.PathLike[str] | None = None,
        deadline: float | None = 3600,
        on_event: Callable[[Event], object] | None = None,
        progress: Callable[[Transfer], object] | None = None,
    ) -> Video:
        """`submit` and then `resume`. Whether the target can be written is checked before anything is sent.

        Raises what both raise; every error after the acceptance carries `request_id`, for `resume`.
        """
        place = await Place.checked(to, into)
        snapshot = await self.submit(request)
        saving = self._saving(place.after_payment(), progress)
        return await self._finished(snapshot, request.key, saving, deadline, on_event)

    async def _finished(
        self,
        request: str | Snapshot,
        key: Any,
        saving: Saving,
        deadline: float | None,
        on_event: Callable[[Event], object] | None,
    ) -> Video:
        request_id = request.request_id if isinstance(request, Snapshot) else checked_id(request)
        last: Event | None = None
        try:
            async with self.watch({request: key}, deadline=deadline) as events:
                async for event in events:
                    last = event
                    if on_event is not None:
                        shielded(on_event, event)
            snapshot = ended(last, request_id)
            self._core.submitted.seen(snapshot)
            files = await saving(snapshot)
        except errors.GmiVideoError as error:
            error.request_id, error.key = request_id, key
            raise
        return Video(snapshot=snapshot, files=files)

    async def aclose(self) -> None:
        """Waits up to 15 s for submissions under way, ends the watches, closes the connections.

        A view closes nothing. The session may be used again afterwards, in another event loop as well.
        """
        if self._owner is None:
            await self._core.aclose()

    async def __aenter__(self) -> Self:
        await self._core.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __del__(self, _warn: Any = warnings.warn) -> None:
        engine = self._engine
        if engine is None or self._owner is not None or not engine.is_open:
            return
        engine.abandon()
        _warn(f"a Session made at {self._made} was not closed", ResourceWarning, stacklevel=2, source=self)
