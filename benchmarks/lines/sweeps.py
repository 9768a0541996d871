"""Line 4: ids refreshed per second of CPU by pages of 100 records of which one has changed, against bare GETs."""

import asyncio
import time
from collections.abc import Iterator

import aiohttp

from benchmarks.cpu import bare_look, session
from benchmarks.figures import Effort, Figure, Line, ratio, turns
from benchmarks.fresh import fresh
from benchmarks.server import LISTED, listed_name, record, serving
from gmi_video import Pace, Session
from gmi_video.wire import Reply, read_snapshot, snapshot_call

_AT_ONCE = 64
_OFTEN = Pace(first=0.03, growth=1, longest=30, jitter=0)
"""Every block is due again nearly at once: pages follow each other, as the bare looks do, and no side is idle in between."""
Samples = dict[str, list[float]]


async def _refreshed(ours: Session, bare: aiohttp.ClientSession, url: str, seconds: float) -> float:
    """Microseconds of CPU per refreshed id, the few that are looked at alone included; all of the list are watched."""

    async def records() -> int:
        async with bare.get(f"{url}/records") as response:
            return int(await response.read())

    known = []
    for place in range(LISTED):
        name = listed_name(place)
        created = 1_767_225_600 + LISTED - place
        body = record(name, "processing", created + 2, created=created)
        known.append(read_snapshot(snapshot_call(name), Reply(status=200, headers={}, body=body)))
    async with ours.watch(known, pace=_OFTEN) as events:
        reader = asyncio.ensure_future(anext(events, None))
        await asyncio.sleep(2.0)  # the longest page is learnt, and every block has found its place
        looks = ours.statistics().looks
        before, cpu = await records(), time.process_time()
        await asyncio.sleep(seconds)
        spent, after = time.process_time() - cpu, await records()
        alone = ours.statistics().looks - looks
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
    return spent / (after - before + alone) * 1e6


async def _looked_at(bare: aiohttp.ClientSession, url: str, looks: int) -> float:
    """Microseconds of CPU per bare GET."""
    waiting = iter(range(looks))

    async def looker() -> None:
        for number in waiting:
            await bare_look(bare, f"{url}/requests/{listed_name(number)}")

    cpu = time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(looker())
    return (time.process_time() - cpu) / looks * 1e6


async def _measured(url: str, seconds: float, rounds: int) -> Samples:
    samples: Samples = {"ours": [], "bare": []}
    async with aiohttp.ClientSession() as bare:
        for name in turns(tuple(samples), rounds + 1):
            if name == "ours":
                async with session(url, _AT_ONCE) as ours:
                    samples[name].append(await _refreshed(ours, bare, url, seconds))
            else:
                samples[name].append(await _looked_at(bare, url, LISTED))
    return {name: values[1:] for name, values in samples.items()}  # the first turn of each warms up


def samples_of(url: str, seconds: float, rounds: int) -> Samples:
    """Microseconds per id of both sides, round by round."""
    return asyncio.run(_measured(url, seconds, rounds))


def _measure(effort: Effort) -> Iterator[Figure]:
    seconds, rounds = (1.5, 5) if effort == "quick" else (4.0, 9)
    for words, without in (("", ("orjson",)), (", with orjson", ())):
        with serving() as url:
            found: Samples = fresh(samples_of, without=without, url=url, seconds=seconds, rounds=rounds)
        yield ratio(
            f"ids refreshed per second of CPU by pages of 100{words}",
            found["bare"],
            found["ours"],
            against="bare aiohttp, a GET each",
            target=15.0,
            more_is_better=True,
            note="µs of CPU an id, bare first",
        )


LINE = Line(number=4, name="sweeps", what="ids refreshed per second of CPU by sweeps", measure=_measure)
