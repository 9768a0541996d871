"""Line 2: the CPU per look of a whole watch, events included, against as many bare looks, as many at once."""

import asyncio
from collections.abc import Iterator, Sequence

import aiohttp

from benchmarks.cpu import bare_look, cpu_per_look, session
from benchmarks.figures import Effort, Figure, Line, ratio, turns
from benchmarks.fresh import fresh
from benchmarks.server import LOOKS, serving
from gmi_video import Pace, Session

_AT_ONCE = 64
_ALWAYS = Pace(first=0.001, longest=0.001, jitter=0, sweep="never")
"""Every id is due again at once: the lookers never rest, as in a fleet that is at its limit."""

Samples = dict[str, list[float]]


async def _watched(ours: Session, ids: Sequence[str]) -> int:
    ended = 0
    async with ours.watch(ids, pace=_ALWAYS) as events:
        async for event in events:
            ended += event.final
    assert ended == len(ids)
    return len(ids) * LOOKS


async def _looked_at(bare: aiohttp.ClientSession, url: str, ids: Sequence[str]) -> int:
    waiting = (name for _ in range(LOOKS) for name in ids)

    async def looker() -> None:
        for name in waiting:
            await bare_look(bare, f"{url}/requests/{name}")

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(looker())
    return len(ids) * LOOKS


async def _measured(url: str, ids: int, rounds: int) -> Samples:
    samples: Samples = {"ours": [], "bare": []}
    async with session(url, _AT_ONCE) as ours, aiohttp.ClientSession() as bare:

        async def looks_so_far() -> int:
            async with bare.get(f"{url}/looks") as response:
                return int(await response.read())

        for turn, name in enumerate(turns(tuple(samples), rounds + 1)):
            names = [f"w{turn:03}-{number:031}" for number in range(ids)]
            before = await looks_so_far()
            found = await cpu_per_look(
                lambda: _watched(ours, names) if name == "ours" else _looked_at(bare, url, names)  # noqa: B023  # called before the next turn
            )
            assert await looks_so_far() - before == ids * LOOKS, "both sides make the same looks"
            samples[name].append(found)
    return {name: values[1:] for name, values in samples.items()}  # the first turn of each warms up


def samples_of(url: str, ids: int, rounds: int) -> Samples:
    """Microseconds per look of both sides, round by round."""
    return asyncio.run(_measured(url, ids, rounds))


def _measure(effort: Effort) -> Iterator[Figure]:
    ids, rounds = (200, 5) if effort == "quick" else (2000, 9)
    for words, without in (("", ("orjson",)), (", with orjson", ())):
        with serving() as url:
            found: Samples = fresh(samples_of, without=without, url=url, ids=ids, rounds=rounds)
        yield ratio(
            f"CPU per look, watch of {ids:,} ids{words}",
            found["ours"],
            found["bare"],
            against="bare aiohttp",
            target=1.25,
            note=f"{_AT_ONCE} at once, {LOOKS} looks an id",
        )


LINE = Line(number=2, name="watch", what="CPU per look of a watch, end to end", measure=_measure)
