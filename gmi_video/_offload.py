"""What blocks runs off the loop, in the loop's own executor."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


async def off_loop(function: Callable[[*Ts], T], *args: *Ts) -> T:
    """The result of `function(*args)`, run in a thread.

    A thread cannot be cancelled: where the caller is, this waits for the job's end before it lets the
    cancellation pass, so that nobody closes a file that is being written.
    """
    job = asyncio.get_running_loop().run_in_executor(None, function, *args)
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        while not job.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait((job,))
        if not job.cancelled():
            job.exception()
        raise
