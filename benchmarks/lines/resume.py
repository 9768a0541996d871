"""Line 14: from nothing to a run that goes on, over a journal of a hundred thousand rows."""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.figures import Effort, Figure, Line
from benchmarks.fresh import ROOT, fresh
from gmi_video import Session, Settings, VideoRequest
from gmi_video.batch import Batch, Journal

_DONE = """
UPDATE lines SET state = 'done', told = 1, money = 'spent', cost = '3.2', attempts = 1, status = 'success',
request_id = printf('00000000-0000-4000-8000-%012d', number), ended_at = added_at, submitted_at = added_at,
snapshot = printf('{"request_id":"00000000-0000-4000-8000-%012d","model":"Veo3","status":"success","outcome":'
|| '{"video_url":"https://storage.example.com/gmi-video/%012d.mp4"}}', number, number),
files = printf('[{"location":"videos/%012d.mp4","size":4000000,"sha256":"%064d"}]', number, number)
WHERE number % 10 != 0
"""
_PROMPT = "A majestic eagle soaring through a mountain landscape at golden hour, slow aerial tracking shot"


async def _measured(path: Path, count: int, rounds: int) -> list[float]:
    requests = (
        VideoRequest("Veo3", {"prompt": f"{_PROMPT} {number}"}, key=number) for number in range(count)
    )
    settings = Settings(api_key="benchmark", base_url="http://127.0.0.1:9/api", check="off")
    seconds = []
    async with Session(settings) as session:
        async with Batch(session, journal=path) as batch:
            await batch.add(requests)
        with Journal(path) as journal:
            await journal.do(lambda connection: connection.execute(_DONE).close())
        for _ in range(rounds):
            begun = time.perf_counter()
            batch = Batch(session, journal=path)
            async with batch.run():
                seconds.append(time.perf_counter() - begun)
                assert batch.statistics().lines.done == count * 9 // 10
            await batch.aclose()
    return seconds


def samples_of(count: int, rounds: int) -> list[float]:
    """Seconds, round by round."""
    with tempfile.TemporaryDirectory(dir=ROOT) as folder:
        return asyncio.run(_measured(Path(folder) / "run.db", count, rounds))


def _measure(effort: Effort) -> Iterator[Figure]:
    count, rounds = (2000, 2) if effort == "quick" else (100_000, 5)
    samples = fresh(samples_of, count=count, rounds=rounds)
    yield Figure(
        what=f"resume of a journal of {count:,} rows, nine of ten done",
        value=median(samples),
        unit="s",
        target=2.0,
        samples=tuple(samples),
        note=f"{min(samples):.2f} to {max(samples):.2f} s in {len(samples)} rounds, looked through for damage",
    )


LINE = Line(number=14, name="resume", what="resume of a journal of 10^5 rows", measure=_measure)
