"""Line 1: the CPU of one look, made by `session.snapshot`, against bare aiohttp in the same process."""

import asyncio
from collections.abc import Iterator

import aiohttp

from benchmarks.cpu import bare_look, cpu_per_look, session
from benchmarks.figures import Effort, Figure, Line, ratio, turns
from benchmarks.fresh import fresh
from benchmarks.server import serving

_ID = "5f0c3a52-6d1b-4b67-9e0a-0d9f7c2b8a11"
Samples = dict[str, list[float]]


async def _measured(url: str, looks: int, rounds: int) -> Samples:
    async with session(url) as ours, aiohttp.ClientSession() as bare:

        async def our_looks() -> int:
            for _ in range(looks):
                await ours.snapshot(_ID)
            return looks

        async def bare_looks() -> int:
            for _ in range(looks):
                await bare_look(bare, f"{url}/requests/{_ID}")
            return looks

        sides = {"ours": our_looks, "bare": bare_looks}
        samples: Samples = {name: [] for name in sides}
        for name in turns(tuple(sides), 1):
            await sides[name]()  # connections and caches are warm on both sides
        for name in turns(tuple(sides), rounds):
            samples[name].append(await cpu_per_look(sides[name]))
        return samples


def samples_of(url: str, looks: int, rounds: int) -> Samples:
    """Microseconds per look of both sides, round by round."""
    return asyncio.run(_measured(url, looks, rounds))


def _measure(effort: Effort) -> Iterator[Figure]:
    looks, rounds = (100, 5) if effort == "quick" else (300, 61)
    with serving() as url:
        for words, without in (("", ("orjson",)), (", with orjson", ())):
            found: Samples = fresh(samples_of, without=without, url=url, looks=looks, rounds=rounds)
            yield ratio(
                f"CPU per look, session.snapshot{words}",
                found["ours"],
                found["bare"],
                against="bare aiohttp",
                target=1.05,
            )


LINE = Line(number=1, name="snapshot", what="CPU per look of session.snapshot", measure=_measure)
