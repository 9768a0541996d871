"""Media as streams and as files: whole or not at all, resumed after every cut, under a limit of its own."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random

import anyio

from gmi_video._backoff import delay
from gmi_video._budget import Budget
from gmi_video._carrying import Carrying, Wish
from gmi_video._link import NOWHERE, Link, Origin
from gmi_video._offload import off_loop
from gmi_video._part import Part
from gmi_video._pulse import SLOWEST, STALL
from gmi_video._storage import DeadError, Storage
from gmi_video._stream import MediaStream
from gmi_video.errors import TransferError, TransportError
from gmi_video.records import Media, Saved
from gmi_video.settings import Patience
from gmi_video.wire import Transport

_PROGRESS = int(SLOWEST * STALL)
"""Bytes that make an attempt worth having been made: after so many more, patience begins anew."""


class Downloads:
    """All files that a session fetches; `most` of them go to disk at once. Streams go at their readers' pace.

    Attempts that brought nothing are repeated from a `budget`, which all transfers of a session share.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        most: int,
        loopback: bool,
        rng: Random,
        budget: Budget | None = None,
        hosts: Collection[str] | None = None,
    ) -> None:
        self._storage = Storage(transport, loopback=loopback, hosts=hosts)
        self._budget = budget or Budget()
        self._limit = anyio.CapacityLimiter(most)
        self._rng = rng

    @asynccontextmanager
    async def stream(
        self,
        media: Media,
        *,
        start: int = 0,
        stop: int | None = None,
        patience: Patience,
        origin: Origin = NOWHERE,
    ) -> AsyncIterator[MediaStream]:
        """The bytes without a disk. Until the first of them is there, what fails is tried again with patience."""
        link, attempt, spent = Link(media, origin), 1, 0.0
        async with AsyncExitStack() as closing:
            while True:
                try:
                    opened = self._storage.open(link.media, start=start, stop=stop)
                    stream = await closing.enter_async_context(opened)
                    break
                except DeadError as error:
                    dead = error
                except (TransportError, TransferError) as error:
                    price = await self._again(error, attempt, patience)
                    if price is None:
                        raise
                    spent, attempt = price, attempt + 1
                    continue
                await link.mend(dead)
            self._budget.refund(spent)
            yield stream

    async def save(
        self, media: Media, target: Path, *, wish: Wish, patience: Patience, origin: Origin = NOWHERE
    ) -> Saved:
        """The file at `target`; raises `TransferError` leaves, and `TransportError` after its patience.

        What came is kept beside the target where it can be completed later: unless it is wrong. A page in its
        stead says nothing of what came before it.
        """
        self._storage.vet(media)
        async with self._limit:
            part = Part(target)
            try:
                await off_loop(part.open)
                return await self._carried(Carrying(self._storage, part, wish), Link(media, origin), patience)
            finally:
                await off_loop(partial(part.close, keep=wish.keep))

    async def _carried(self, carrying: Carrying, link: Link, patience: Patience) -> Saved:
        attempt, furthest, spent = 1, carrying.part.size, 0.0
        while True:
            try:
                await carrying.attempt(link.media)
                break
            except DeadError as error:
                dead = error
            except (TransportError, TransferError) as error:
                came = carrying.part.size >= furthest + _PROGRESS
                if came:
                    attempt, furthest = 1, carrying.part.size
                price = await self._again(error, attempt, patience, came=came)
                if price is None:
                    raise
                spent, attempt = price, attempt + 1
                continue
            await link.mend(dead)
        self._budget.refund(spent)
        return await carrying.finish(link.media)

    async def _again(
        self, error: TransportError | TransferError, attempt: int, patience: Patience, *, came: bool = False
    ) -> float | None:
        """Waits before the next attempt, and tells what it takes of the budget: nothing after one by which much `came`.

        None where there is to be none: `error` is to be raised then, by who caught it, so that no frame keeps it.
        """
        price, asked = None, getattr(error, "retry_after", None)
        if error.retryable and attempt < patience.attempts and (asked or 0.0) <= patience.longest:
            price = 0.0 if came else self._budget.spend(error)
        if price is None:
            error.attempts = attempt
            return None
        await asyncio.sleep(delay(attempt, patience, self._rng, asked))
        return price
