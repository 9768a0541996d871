"""What blocks runs off the loop, in the loop's own executor."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import anyio

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


def begin(function: Callable[[*Ts], T], *args: *Ts) -> "asyncio.Future[T]":
    """Begins `function(*args)` in a thread; the future must be handed to `ended`, sooner or later."""
    return asyncio.get_running_loop().run_in_executor(None, function, *args)


async def ended(job: "asyncio.Future[T]") -> T:
    """The result of a job that was begun.

    A thread cannot be cancelled: where the caller is, this waits for the job's end before it lets the
    cancellation pass, so that nobody closes a file that is being written.
    """
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
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
