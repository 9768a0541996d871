"""A call that costs nothing, repeated with patience."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import TypeVar

from gmi_video._backoff import delay, verdict
from gmi_video.errors import GmiVideoError
from gmi_video.settings import Patience

T = TypeVar("T")


async def patient(attempt: Callable[[], Awaitable[T]], patience: Patience, rng: Random) -> T:
    """What an attempt brings; raises its last error, with `attempts`. A service that asks for longer is told at once."""
    count = 1
    while True:
        try:
            return await attempt()
        except GmiVideoError as error:
            error.attempts = count
            if verdict(error) != "again" or count >= patience.attempts:
                raise
            asked = getattr(error, "retry_after", None)
            if asked is not None and asked > patience.longest:
                raise
        await asyncio.sleep(delay(count, patience, rng, asked))
        count += 1
