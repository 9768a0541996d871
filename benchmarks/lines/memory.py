"""Line 7: memory per watched id (RSS), and how long taking in a million ids holds up the loop."""

import asyncio
import gc
import os
import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from benchmarks.figures import Effort, Figure, Line
from benchmarks.fresh import fresh
from benchmarks.server import record
from benchmarks.ticker import Ticker
from gmi_video import Pace, Session, Settings, Snapshot, Watch
from gmi_video.wire import Call, Reply, Stream, read_snapshot, snapshot_call

_BORN = 1_767_225_600
_PACE = Pace(first=80_000, growth=1, longest=86_400, jitter=0)
"""Nothing is due while it is measured."""


class _Silent:
    """A transport that never answers: what is due stays under way."""

    async def send(self, call: Call) -> Reply:
        """Waits."""
        await asyncio.Event().wait()
        raise AssertionError(call)

    def stream(self, call: Call) -> AbstractAsyncContextManager[Stream]:
        """Nothing is streamed here."""
        raise AssertionError(call)

    async def aclose(self) -> None:
        """There is nothing to close."""


def _resident() -> int:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _ids(begin: int, end: int) -> Iterator[str]:
    return (f"{number:08x}-0000-4000-8000-{number:012x}" for number in range(begin, end))


def _records(begin: int, end: int) -> Iterator[Snapshot]:
    """As the service's records of ids become snapshots: payload and all."""
    for name in _ids(begin, end):
        number = int(name[:8], 16)
        body = record(name, "processing", _BORN + number + 2, created=_BORN + number)
        yield read_snapshot(snapshot_call(name), Reply(status=200, headers={}, body=body))


async def _read(events: Watch) -> None:
    """A reader that keeps up: what nobody takes is not what following an id costs."""
    async for _ in events:
        pass


async def _grown(sizes: list[int], *, seen: bool) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"ids": [0.0], "bytes": [float(_resident())], "stall": [], "seconds": []}
    settings = Settings(api_key="benchmark", base_url="http://127.0.0.1:9/api", concurrency=1)
    async with (
        Session(settings, transport=_Silent()) as session,
        session.watch(pace=_PACE, keep_open=True) as events,
    ):
        reader = asyncio.create_task(_read(events))
        before = 0
        for size in sizes:
            ticker, begun = Ticker(), time.perf_counter()
            await events.add(_records(before, size) if seen else _ids(before, size))
            found["seconds"].append(time.perf_counter() - begun)
            found["stall"].append(ticker.stop())
            found["ids"].append(float(size))
            found["bytes"].append(float(_resident()))
            before = size
        assert events.statistics().following == sizes[-1]
        ticker = Ticker()
        await asyncio.sleep(sum(found["seconds"]))
        found["idle"] = [ticker.stop()]
        reader.cancel()
    return found


def grown(sizes: list[int], *, seen: bool) -> dict[str, list[float]]:
    """How many ids were watched, the bytes of the process then, and the worst stall of the loop on the way."""
    return asyncio.run(_grown(sizes, seen=seen))


def _measure(effort: Effort) -> Iterator[Figure]:
    all_of = [10_000, 20_000, 50_000] if effort == "quick" else [100_000, 300_000, 1_000_000]
    for seen, words in ((False, "known by their id alone"), (True, "whose record was given")):
        sizes = all_of[:2] if seen else all_of  # a million records take minutes to make
        found: dict[str, list[float]] = fresh(grown, sizes=sizes, seen=seen)
        ids, size = found["ids"], found["bytes"]
        yield Figure(
            what=f"memory per watched id, {words}, from {sizes[0]:,} to {sizes[-1]:,}",
            value=(size[-1] - size[1]) / (ids[-1] - ids[1]),
            unit="bytes",
            target=1024.0,
            note=f"RSS slope; {(size[1] - size[0]) / ids[1]:,.0f} bytes each for the first {sizes[0]:,}",
        )
        yield Figure(
            what=f"memory of {sizes[-1]:,} ids, {words}",
            value=(size[-1] - size[0]) / 2**20,
            unit="MiB",
            target=1024.0 * sizes[-1] / 1_000_000,
            note=f"taken in in {sum(found['seconds']):.0f} s",
        )
        if not seen:  # records are made by the caller's iterable, which holds up the loop itself
            yield Figure(
                what=f"longest stall of the loop while {sizes[-1]:,} ids are taken in",
                value=max(found["stall"]) * 1e3,
                unit="ms",
                target=50.0,
                note=f"as long with nothing to do, all of them watched: {found['idle'][0] * 1e3:.0f} ms",
            )


LINE = Line(number=7, name="memory", what="memory per watched id", measure=_measure)
