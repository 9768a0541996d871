"""The catalog as a session knows it: each model asked for once however many wait, an hour old at most, and a
day old where the service is down.
"""  # noqa: D205  # one thought

import asyncio
from collections.abc import Awaitable, Callable
from copy import copy
from typing import Generic, Protocol, TypeVar

from attrs import define, field

from gmi_video._door import Door
from gmi_video._suggest import did_you_mean, nearest_ids
from gmi_video.catalog import Model
from gmi_video.errors import (
    GmiVideoError,
    Interrupted,
    MalformedResponse,
    NotFound,
    RateLimited,
    ServiceError,
    TransportError,
)
from gmi_video.settings import Settings
from gmi_video.wire import Call, Reply, read_model

T = TypeVar("T")


class Patient(Protocol):
    """Makes a call that costs nothing, again where that may help."""

    async def __call__(self, call: Call, settings: Settings, read: Callable[[Call, Reply], T]) -> T:
        """What `read` makes of the reply."""
        ...


FRESH = 3600.0
"""Seconds for which a copy is good: schemas change with a model's builds, which are months apart."""
STALE = 86_400.0
"""Seconds for which a copy is better than none while the service is down."""
QUIET = 60.0
"""Seconds after a failed call in which a copy, or its lack, is put up with before anybody asks again."""
PATIENCE = 1.0
"""Seconds that a submission waits for the first copy of a model's schema."""

_DOWN = (TransportError, ServiceError, RateLimited, MalformedResponse)


@define(eq=False)
class _Shelf(Generic[T]):
    """A place for one copy: when it was read, who is fetching another, when that last failed. Loop times."""

    copy: T | None = None
    read_at: float = float("-inf")
    failed_at: float = float("-inf")
    fetching: asyncio.Task[T] | None = None
    waited: bool = False

    def usable(self, now: float) -> bool:
        """Whether there is a copy that may still be served."""
        return self.copy is not None and now - self.read_at < STALE

    def due(self, now: float) -> bool:
        """Whether a newer copy is to be asked for."""
        return now - self.read_at >= FRESH and now - self.failed_at >= QUIET and self.fetching is None

    def landed(self, copy: T, now: float) -> None:
        """A copy came."""
        self.copy, self.read_at, self.failed_at = copy, now, float("-inf")

    def failed(self, error: BaseException, now: float) -> None:
        """The call failed; a model that is said not to exist has no copy any more."""
        self.failed_at = now
        if isinstance(error, NotFound):
            self.copy = None


@define(eq=False)
class Catalog:
    """Copies of the models' descriptions and of their list; `patient` makes the calls."""

    _patient: Patient
    _door: Door
    _models: dict[str, _Shelf[Model]] = field(init=False, factory=dict)
    _ids: _Shelf[tuple[str, ...]] = field(init=False, factory=_Shelf)

    async def model(self, model_id: str, settings: Settings) -> Model:
        """A model's description. Raises what the call raises; where the service is down only without a copy."""
        return await self._fresh(self._shelf(model_id), self._reading(model_id, settings))

    async def models(self, settings: Settings) -> tuple[str, ...]:
        """The ids of all models; raises as `model`."""
        return await self._fresh(self._ids, lambda: self._listing(settings))

    def held(self, model_id: str) -> Model | None:
        """The copy of a model that is at hand, or None; nobody is asked."""
        shelf = self._models.get(model_id)
        return shelf.copy if shelf is not None and shelf.usable(_now()) else None

    async def at_hand(self, model_id: str, settings: Settings) -> Model | None:
        """What a submission may know of its model without waiting: a copy, else the first one within a second.

        The second is spent once. While that call goes on, and for a minute after it failed, nobody waits.
        Errors of the catalog are none of a submission's.
        """
        shelf, now = self._shelf(model_id), _now()
        if shelf.due(now):
            self._begin(shelf, self._reading(model_id, settings))
        if not shelf.usable(now) and shelf.fetching is not None and not shelf.waited:
            _, late = await asyncio.wait((shelf.fetching,), timeout=PATIENCE)
            shelf.waited = bool(late)
        return self.held(model_id)

    async def awaited(self, model_id: str, settings: Settings) -> Model | None:
        """As `at_hand`, but the first copy is waited for with patience: without it no payload gets a seed of its own.

        For a minute after that failed, nobody waits.
        """
        shelf, now = self._shelf(model_id), _now()
        if shelf.usable(now) or now - shelf.failed_at < QUIET:
            return await self.at_hand(model_id, settings)
        try:
            return await self.model(model_id, settings)
        except GmiVideoError:
            return None

    def explained(self, error: NotFound, model_id: str) -> NotFound:
        """The refusal of a model, with the ids of the list at hand that may have been meant."""
        known = (self._ids.copy or ()) if self._ids.usable(_now()) else ()
        near = nearest_ids(model_id, {*known, *(name for name, shelf in self._models.items() if shelf.copy)})
        if near and not error.suggestions:
            error.suggestions = near
            error.args = (f"{error}{did_you_mean(near[:1])}", *error.args[1:])
        return error

    async def aclose(self) -> None:
        """Ends the calls under way; what is at hand stays."""
        shelves: list[_Shelf[Model] | _Shelf[tuple[str, ...]]] = [self._ids, *self._models.values()]
        calls = [shelf.fetching for shelf in shelves if shelf.fetching is not None]
        for call in calls:
            call.cancel()
        if calls:
            await asyncio.wait(calls)

    def _shelf(self, model_id: str) -> _Shelf[Model]:
        return self._models.setdefault(model_id, _Shelf())

    def _reading(self, model_id: str, settings: Settings) -> Callable[[], Awaitable[Model]]:
        return lambda: self._patient(self._door.model_call(model_id), settings, read_model)

    async def _listing(self, settings: Settings) -> tuple[str, ...]:
        """The ids of the list; models that it describes whole need no call of their own."""
        offered = await self._patient(self._door.models_call(), settings, self._door.read_offered)
        for model in offered.models:
            self._shelf(model.id).landed(model, _now())
        return offered.ids

    async def _fresh(self, shelf: _Shelf[T], fetch: Callable[[], Awaitable[T]]) -> T:
        now = _now()
        if shelf.copy is not None and not (shelf.due(now) or shelf.fetching) and shelf.usable(now):
            return shelf.copy
        call = shelf.fetching or self._begin(shelf, fetch)
        await asyncio.wait((call,))
        if call.cancelled():
            message = "the session was closed before the catalog answered"
            raise Interrupted(message)
        error = call.exception()
        if error is None:
            return call.result()
        if isinstance(error, _DOWN) and shelf.copy is not None and shelf.usable(_now()):
            return shelf.copy
        raise copy(error) if isinstance(error, GmiVideoError) else error

    def _begin(self, shelf: _Shelf[T], fetch: Callable[[], Awaitable[T]]) -> asyncio.Task[T]:
        """One call for all who want the copy; it goes on where those who wait for it are cancelled."""

        async def call() -> T:
            try:
                found = await fetch()
                shelf.landed(found, _now())
            except Exception as error:
                shelf.failed(error, _now())
                raise
            finally:
                shelf.fetching = None
            return found

        shelf.waited = False
        task = asyncio.get_running_loop().create_task(call(), name="gmi_video catalog")
        task.add_done_callback(_heard)
        shelf.fetching = None if task.done() else task
        return task


def _heard(task: asyncio.Task[T]) -> None:
    """What a call raised is for those who wait, and is no noise where nobody does."""
    if not task.cancelled():
        task.exception()


def _now() -> float:
    return asyncio.get_running_loop().time()
