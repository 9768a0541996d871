"""`Session` for programs without an event loop: every verb waits, and none is written a second time."""

import random
import sys
from collections.abc import Callable, Iterable
from functools import partial
from types import TracebackType
from typing import Any, Self

from gmi_video import Abandoned, Notice, Pace, Settings, Store
from gmi_video import Session as AsyncSession
from gmi_video.sync.face import Face, Read, items, scope, told, verb
from gmi_video.sync.stream import Stream
from gmi_video.sync.thread import LoopThread
from gmi_video.sync.watch import Ids, Watch, in_hand
from gmi_video.wire import Transport

_NAMED = 20
"""Ids that an interrupt's traceback names."""


class Session(Face[AsyncSession]):
    """A connection to GMI Cloud's video queue, for programs without an event loop.

    All is as in `gmi_video.Session`, and is done by one, in a thread that the first verb begins and `close` (or
    the end of a `with`) ends. Any number of threads may use it. Callbacks (`observers`, `on_event`, a key's
    source) are called in that thread, and may not call a verb of the session they belong to.

    Ctrl-C stops the waiting, not the work that was paid for: a submission under way is heard to its end, for 15 s
    at most, and the traceback names the requests that go on, for `resume`.

    Raises:
        ConfigurationError: no API key, neither given nor in the environment; a cadence that is none.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        transport: Transport | None = None,
        store: Store | None = None,
        rng: random.Random | None = None,
        observers: Iterable[Callable[[Notice], object]] = (),
        cadence: str | None = None,
    ) -> None:
        self._abandoned: list[str] = []
        heard: list[Callable[[Notice], object]] = [*observers, partial(_hear, self._abandoned)]
        inner = AsyncSession(
            settings, transport=transport, store=store, rng=rng, observers=heard, cadence=cadence
        )
        made = sys._getframe(1)  # noqa: SLF001  # the documented way to the caller's line
        place = f"{made.f_code.co_filename}:{made.f_lineno}"
        super().__init__(inner, LoopThread(self, inner.aclose, place))

    settings = Read(AsyncSession, lambda session: session.settings)
    cadence = Read(AsyncSession, lambda session: session.cadence)

    models = verb(AsyncSession.models)
    model = verb(AsyncSession.model)
    submit = verb(AsyncSession.submit)
    snapshot = verb(AsyncSession.snapshot)
    requests = items(AsyncSession.requests)
    resume = verb(AsyncSession.resume)
    generate = verb(AsyncSession.generate)
    download = verb(AsyncSession.download)
    stream = scope(AsyncSession.stream, Stream)
    upload = verb(AsyncSession.upload)
    recover = verb(AsyncSession.recover)
    resolve = verb(AsyncSession.resolve)
    uncertain = verb(AsyncSession.uncertain)
    statistics = told(AsyncSession.statistics)
    profile = verb(AsyncSession.profile)
    clock_skew = told(AsyncSession.clock_skew)

    def unfinished(self) -> tuple[str, ...]:
        """The ids submitted here whose end nobody received yet. It never waits: for a signal handler."""
        return self._inner.unfinished()

    def using(self, **changes: Any) -> "Session":
        """A view on the same thread, connections and poller with some settings changed; it needs no close.

        Raises `ConfigurationError` for a setting that cannot differ within one session.
        """
        view = object.__new__(type(self))
        Face.__init__(view, self._inner.using(**changes), self._thread, self)
        return view

    def watch(
        self,
        ids: Ids = (),
        *,
        pace: Pace | None = None,
        deadline: float | None = None,
        keep_open: bool = False,
    ) -> Watch:
        """Events of many requests through one iterator: `for event in session.watch(ids)`.

        The arguments are those of the async `watch`. An iterable is read to its end here and now, in your own
        thread; for ids that come later there are `keep_open` and `add`. Leave by `with`, or just leave.
        """
        inner = self._inner.watch(in_hand(ids), pace=pace, deadline=deadline, keep_open=keep_open)
        return Watch(inner, self._thread, self)

    def close(self) -> None:
        """Waits up to 15 s for submissions under way, ends the watches, the connections and the thread.

        A view closes nothing. The session may be used again afterwards.
        """
        if self._owner is None:
            self._thread.close()

    def __enter__(self) -> Self:
        try:
            self._wait(AsyncSession.__aenter__)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        finally:
            if isinstance(error, KeyboardInterrupt) and self._owner is None:
                _name(error, [*self.unfinished(), *self._abandoned])


def _hear(abandoned: list[str], notice: Notice) -> None:
    """Keeps the id of a submission whose caller was interrupted: it may have ended already, and been paid for."""
    if isinstance(notice, Abandoned) and notice.request_id is not None:
        abandoned.append(notice.request_id)


def _name(interrupt: KeyboardInterrupt, ids: Iterable[str]) -> None:
    """Says in the traceback what was paid for and not received, and how to find it again."""
    ids = list(dict.fromkeys(ids))
    if ids:
        more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
        interrupt.add_note(f"not received yet, Session.resume(id) finds it: {', '.join(ids[:_NAMED])}{more}")
