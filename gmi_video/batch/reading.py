"""What reads a run: an async iterator that may be left at any time, and cancelled at any await."""

import asyncio
import weakref
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from gmi_video.batch.records import Finished
from gmi_video.batch.runner import Engine


def _left(loop: asyncio.AbstractEventLoop, engine: Engine) -> None:
    engine.left = True
    if not loop.is_closed():
        loop.call_soon_threadsafe(engine.stop_soon)


class Run:
    """The ends of lines as they come. Leaving the loop stops the run; another run goes on where this one was."""

    def __init__(self, begin: Callable[[], Awaitable[Engine]]) -> None:
        self._begin = begin
        self._engine: Engine | None = None
        self._over = False
        self._beginning = asyncio.Lock()
        self._finaliser: weakref.finalize[..., Run] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Finished:
        engine = await self._begun()
        if not self._over:
            try:
                done = await engine.next()
            except asyncio.CancelledError:
                raise
            except BaseException:
                self._over = True
                raise
            if done is not None:
                return done
            self._over = True
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Stops the run; a second call does nothing."""
        self._over = True
        if self._engine is not None:
            await self._engine.stop()

    async def __aenter__(self) -> Self:
        await self._begun()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _begun(self) -> Engine:
        async with self._beginning:  # several tasks may read one run, each of them its own ends
            if self._engine is None:
                self._engine = await self._begin()
                self._finaliser = weakref.finalize(self, _left, asyncio.get_running_loop(), self._engine)
                self._finaliser.atexit = False
        return self._engine
