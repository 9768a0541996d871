"""One thread with an event loop of its own, for as long as a session is open: anyio's blocking portal.

What is waited for runs in the loop and never in the caller's thread, so a loop that runs there already (a
notebook's) is in nobody's way. An interrupt of the waiting thread cancels the work and leaves the loop alive.
"""

import asyncio
import atexit
import contextlib
import os
import threading
import warnings
import weakref
from collections.abc import Awaitable, Callable
from concurrent import futures
from typing import Any, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

from gmi_video.errors import ConfigurationError

T = TypeVar("T")

_BREATH = 0.5 if os.name == "nt" else None
"""Seconds between two looks for Ctrl-C where a wait without a limit hears none: on Windows."""

_CLOSED = "this Session was closed by another thread; what was submitted goes on, and `resume` finds it"
_INSIDE = (
    "a callback of this Session called one of its verbs, which would wait for itself for ever: hand what it got "
    "to another thread, or use the async Session"
)
_FORKED = "this Session was opened before the process forked, and its thread stayed behind: make one in each process"

_open: "weakref.WeakSet[LoopThread]" = weakref.WeakSet()


class LoopThread:
    """The thread of one session: begun by the first verb that waits, ended by `close`, and begun anew after it.

    `closing` is awaited in the loop before the thread ends. Where `owner` is forgotten unclosed, one
    `ResourceWarning` names the place where it was `made`, and the thread ends by itself.
    """

    def __init__(self, owner: object, closing: Callable[[], Awaitable[None]], made: str) -> None:
        self._owner = weakref.ref(owner)
        self._closing = closing
        self._made = made
        self._lock = threading.RLock()  # a signal handler may call a verb while this thread opens
        self._portal: BlockingPortal | None = None
        self._running = contextlib.ExitStack()
        self._finaliser: weakref.finalize[Any, Any] | None = None
        self._process = 0
        self._ident = 0
        self.closings = 0

    @property
    def portal(self) -> BlockingPortal | None:
        """The portal that is open, another one after each `close`; None in a forked process."""
        return self._portal if self._process == os.getpid() else None

    def wait(self, work: Callable[[], Awaitable[T]]) -> T:
        """The result of `work()`, run in the loop. Whatever interrupts the wait cancels the work.

        Raises `ConfigurationError` in the loop's own thread, in a forked process, and where another thread
        closes the session meanwhile.
        """
        return _result(self.begun(), work)

    def begun(self) -> BlockingPortal:
        """The portal, begun where there is none; raises what `wait` raises."""
        self._outside()
        with self._lock:
            if self._portal is None:
                self._begin()
            elif self._process != os.getpid():
                raise ConfigurationError(_FORKED)
            assert self._portal is not None
            return self._portal

    def close(self) -> None:
        """Ends what runs, then the thread. A second call does nothing; in a forked process it only forgets."""
        self._outside()
        with self._lock:
            portal, self._portal = self._portal, None
            running, self._running = self._running, contextlib.ExitStack()
            if self._finaliser is not None:
                self._finaliser.detach()
        _open.discard(self)
        if portal is None:
            return
        if self._process != os.getpid():
            _disowned(portal)
            return
        self.closings += 1
        with running:
            try:
                _result(portal, self._closing)
            except KeyboardInterrupt:
                portal.call(_break_off)
                _result(portal, self._closing)
                raise
            finally:
                portal.call(portal.stop, True)  # noqa: FBT003  # what other threads still wait for is cancelled

    def warn(self) -> None:
        """Says where the session was made that nobody closed."""
        warnings.warn(f"a Session made at {self._made} was not closed", ResourceWarning, stacklevel=3)

    def _outside(self) -> None:
        if threading.get_ident() == self._ident and self._portal is not None:
            raise ConfigurationError(_INSIDE)

    def _begin(self) -> None:
        portal = self._running.enter_context(start_blocking_portal("asyncio", name="gmi_video session"))
        self._ident, self._process = portal.call(threading.get_ident), os.getpid()
        self._portal = portal
        _open.add(self)
        owner = self._owner()
        if owner is not None:
            self._finaliser = weakref.finalize(owner, _forgotten, self)
            self._finaliser.atexit = False  # `_at_exit` closes in place: no thread can be begun that late


def _result(portal: BlockingPortal, work: Callable[[], Awaitable[T]]) -> T:
    """What `work()` returns or raises in the portal's loop."""
    left = False

    async def run() -> T:
        if left:  # the caller was interrupted while it handed over the work
            raise asyncio.CancelledError
        return await work()

    future: futures.Future[T] | None = None
    try:
        future = _handed(portal, run)
        while _BREATH and not futures.wait([future], timeout=_BREATH).done:
            pass
        return future.result()
    except futures.CancelledError:
        pass  # raised below: an error of ours has no foreign one behind it
    except BaseException:
        left = True
        if future is not None:
            future.cancel()
        raise
    finally:
        future = None  # an error's traceback holds this frame, which must not hold the error
    raise ConfigurationError(_CLOSED)


def _handed(portal: BlockingPortal, run: Callable[[], Awaitable[T]]) -> "futures.Future[T]":
    try:
        return portal.start_task_soon(run, name="gmi_video verb")
    except RuntimeError:
        pass
    raise ConfigurationError(_CLOSED)


def _break_off() -> None:
    """Ends the wait for submissions under way: whoever interrupts the closing wants no more of it."""
    for task in asyncio.all_tasks():
        if task.get_name().startswith("gmi_video"):
            task.cancel()


def _disowned(portal: BlockingPortal) -> None:
    """Lets go of a portal whose thread stayed behind in the parent: else its context would wait for the thread."""
    with contextlib.suppress(StopIteration):
        portal.stop().send(None)


def _forgotten(thread: LoopThread) -> None:
    """Closes what the garbage collector found, which may run in any thread: the loop's own too."""
    try:
        if thread.portal is not None:
            thread.warn()
    finally:
        threading.Thread(target=thread.close, name="gmi_video closing").start()


@atexit.register
def _at_exit() -> None:
    for thread in tuple(_open):
        try:
            if thread.portal is not None:
                thread.warn()
        finally:
            thread.close()
