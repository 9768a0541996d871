"""A call that costs nothing, repeated with patience while the session's budget for repetitions lasts."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import TypeVar

from gmi_video._backoff import delay, verdict
from gmi_video._budget import Budget
from gmi_video.errors import GmiVideoError
from gmi_video.settings import Patience

T = TypeVar("T")


async def patient(
    attempt: Callable[[], Awaitable[T]], patience: Patience, rng: Random, budget: Budget | None = None
) -> T:
    """What an attempt brings; raises its last error, with `attempts`. A service that asks for longer is told at once.

    Where the `budget` is used up the error is raised at once as well: a service in trouble gets no more than one
    call for each that is wanted.
    """
    count = 1
    spent = 0.0
    while True:
        try:
            found = await attempt()
        except GmiVideoError as error:
            error.attempts = count
            if verdict(error) != "again" or count >= patience.attempts:
                raise
            asked = getattr(error, "retry_after", None)
            if asked is not None and asked > patience.longest:
                raise
            price = 0.0 if budget is None else budget.spend(error)
            if price is None:
                raise
            spent = price
        else:
            if budget is not None:
                budget.refund(spent)
            return found
        await asyncio.sleep(delay(count, patience, rng, asked))
        count += 1
