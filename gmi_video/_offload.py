"""What blocks runs off the loop, in the loop's own executor."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import anyio

T = TypeVar("T")
GivenUp = Callable[[], bool]
"""Whether what is being done is not wanted any more."""
Ts = TypeVarTuple("Ts")


def begin(function: Callable[[*Ts], T], *args: *Ts) -> "asyncio.Future[T]":
    """Begins `function(*args)` in a thread; the future must be handed to `ended`, sooner or later."""
    return asyncio.get_running_loop().run_in_executor(None, function, *args)


async def ended(job: "asyncio.Future[T]", cancelled: Callable[[], object] | None = None) -> T:
    """The result of a job that was begun.

    A thread cannot be cancelled: where the caller is, it can be told by `cancelled`, and this waits for the job's
    end before it lets the cancellation pass, so that nobody closes a file that is being written.
    """
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        if cancelled is not None:
            cancelled()
        while not job.done():
            # anyio's scopes cancel again in every turn of the loop, which would spin
            with contextlib.suppress(asyncio.CancelledError), anyio.CancelScope(shield=True):
                await asyncio.wait((job,))
        if not job.cancelled():
            job.exception()
        raise


async def off_loop(function: Callable[[*Ts], T], *args: *Ts) -> T:
    """The result of `function(*args)`, run in a thread, and waited for even where the caller is cancelled."""
    return await ended(begin(function, *args))


async def breakable(function: Callable[[GivenUp, *Ts], T], *args: *Ts) -> T:
    """The result of `function(given_up, *args)`, run in a thread. `given_up()` is true once the caller is cancelled.

    It is waited for then as well, so whatever it does for long should ask.
    """
    over = threading.Event()
    return await ended(begin(function, over.is_set, *args), over.set)
