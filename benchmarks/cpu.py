"""CPU time of the client alone, in this process: what a machine can do beside it is not our affair."""

import gc
import json
import time
from collections.abc import Awaitable, Callable

import aiohttp

from gmi_video import Session, Settings


async def cpu_per_look(looking: Callable[[], Awaitable[int]]) -> float:
    """Microseconds of CPU per look, user and system; `looking` returns how many looks it made."""
    gc.collect()
    before = time.process_time()
    looks = await looking()
    return (time.process_time() - before) / looks * 1e6


def session(url: str, concurrency: int = 64) -> Session:
    """Our session at its default settings."""
    return Session(Settings(api_key="benchmark", base_url=url, concurrency=concurrency))


async def bare_look(client: aiohttp.ClientSession, url: str) -> None:
    """What the plainest client does for a look: GET, read, `json.loads`."""
    async with client.get(url) as response:
        json.loads(await response.read())
