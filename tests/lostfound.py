"""A session on a small service, in virtual time, and how its submissions ended."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from smallservice import SmallService

from gmi_video import Notice, Session, Snapshot, Store, VideoRequest, errors
from gmi_video.settings import Settings

EAGLE = VideoRequest("Veo3", {"prompt": "eagle"}, key="eagle")
RIVER = VideoRequest("Veo3", {"prompt": "river"}, key="river")

Ended = Snapshot | errors.GmiVideoError


@asynccontextmanager
async def opened(
    service: SmallService | None = None,
    *,
    store: Store | None = None,
    told: list[Notice] | None = None,
    seed: int = 0,
    **changes: Any,
) -> AsyncIterator[tuple[SmallService, Session]]:
    """A service and an open session on it; `told` takes the notices."""
    service = service or SmallService()
    settings = Settings(**{"api_key": "a-key", "check": "off", **changes})
    observers = () if told is None else (told.append,)
    async with Session(
        settings, transport=service, store=store, rng=Random(seed), observers=observers
    ) as session:
        yield service, session


async def ended(session: Session, request: VideoRequest = EAGLE) -> Ended:
    """How a submission ends: with a snapshot, or an error of ours."""
    try:
        return await session.submit(request)
    except errors.GmiVideoError as error:
        return error


async def all_ended(session: Session, requests: Iterable[VideoRequest]) -> list[Ended]:
    """How submissions end that are begun together."""
    return list(await asyncio.gather(*(ended(session, request) for request in requests)))


def ids(results: Iterable[Ended]) -> list[str]:
    """The ids of those that were accepted."""
    return [result.request_id for result in results if isinstance(result, Snapshot)]


def kinds(results: Iterable[Ended]) -> list[str]:
    """The ends in short."""
    return [type(result).__name__ for result in results]


def clock() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()
