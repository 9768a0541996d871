"""Line 13: submissions a second that are on disk before they are sent, against the same ones kept in memory."""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.figures import Effort, Figure, Line, ratios, turns
from benchmarks.fresh import ROOT, fresh
from benchmarks.server import serving
from gmi_video import Session, Settings, Store, VideoRequest
from gmi_video.batch import Journal

_AT_ONCE = 64
Samples = dict[str, list[float]]


async def _submitted(session: Session, store: Store | None, count: int) -> float:
    """Submissions a second, so many at once as a batch has under way."""
    view = session if store is None else session.using(store=store)
    waiting = iter(range(count))

    async def submitter() -> None:
        for number in waiting:
            await view.submit(VideoRequest("Veo3", {"prompt": f"river {number} {time.monotonic()}"}))

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(submitter())
    return count / (time.perf_counter() - begun)


async def _measured(url: str, folder: Path, count: int, rounds: int) -> Samples:
    samples: Samples = {"journal": [], "memory": []}
    settings = Settings(api_key="benchmark", base_url=url, check="off")
    with Journal(folder / "run.db") as journal:
        async with Session(settings) as session:
            for name in turns(tuple(samples), rounds + 1):
                store = journal if name == "journal" else None
                samples[name].append(await _submitted(session, store, count))
    return {name: values[1:] for name, values in samples.items()}  # the first turn of each warms up


def samples_of(url: str, count: int, rounds: int) -> Samples:
    """Submissions a second of both sides, round by round, the journal on the disk that the project is on."""
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        return asyncio.run(_measured(url, Path(folder), count, rounds))


def _told(values: list[float]) -> str:
    """A side's median and range: without a journal the rate depends far more on what else the machine does."""
    return f"{median(values):.0f} ({min(values):.0f} to {max(values):.0f})"


def _measure(effort: Effort) -> Iterator[Figure]:
    count, rounds = (200, 3) if effort == "quick" else (2000, 15)
    with serving("benchmarks.accepting") as url:
        found: Samples = fresh(samples_of, url=url, count=count, rounds=rounds)
    samples = ratios(found["journal"], found["memory"])
    yield Figure(
        what=f"submissions per second, {_AT_ONCE} at once, each synced before it is sent",
        value=median(samples),
        unit="×",
        against="the same without a journal",
        target=0.6,
        more_is_better=True,
        samples=samples,
        note=f"{_told(found['journal'])} against {_told(found['memory'])} a second; "
        f"{min(samples):.2f} to {max(samples):.2f} in {len(samples)} rounds",
    )


LINE = Line(number=13, name="journal", what="journaled submissions per second", measure=_measure)
