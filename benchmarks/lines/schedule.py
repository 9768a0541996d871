"""Line 8: what the schedule itself takes per look (`take` and `observe`), and how it grows with the ids."""

import gc
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from math import log
from random import Random
from statistics import median

from benchmarks.figures import Effort, Figure, Line, ratio, turns
from benchmarks.fresh import fresh
from gmi_video import Pace, Snapshot, Status
from gmi_video._schedule import Schedule

_FLYING = 64
_PACE = Pace()
_BORN = datetime(2026, 1, 1, tzinfo=UTC)


def _snapshot(request_id: str) -> Snapshot:
    return Snapshot(
        request_id=request_id,
        model="Veo3",
        status=Status.PROCESSING,
        created_at=_BORN,
        updated_at=_BORN,
        queued_at=_BORN,
    )


class _Fleet:
    """A schedule of many ids in its stride: each was looked at once, the due times are spread out."""

    def __init__(self, ids: int) -> None:
        self._schedule = Schedule(Random(8), sweeps=False)
        self._now = 0.0
        reader = object()
        for number in range(ids):
            self._schedule.add(f"{number:036}", reader, _PACE, number * _PACE.longest / ids)
        for _ in range(ids // _FLYING + 1):
            self._batch()

    def _batch(self) -> tuple[int, float]:
        """As many looks as may be under way at once: their number, and the seconds of CPU that they took."""
        begun = time.process_time()
        taken: list[str] = []
        while len(taken) < _FLYING and (due := self._schedule.next_due()) is not None:
            self._now = max(self._now, due)
            request_id = self._schedule.take(self._now)
            assert request_id is not None
            taken.append(request_id)
        spent = time.process_time() - begun
        snapshots = [_snapshot(request_id) for request_id in taken]
        begun = time.process_time()
        for snapshot in snapshots:
            self._schedule.observe(snapshot.request_id, snapshot, self._now)
        return len(taken), spent + time.process_time() - begun

    def per_look(self, looks: int) -> float:
        """Microseconds per look."""
        made, spent = 0, 0.0
        while made < looks:
            count, seconds = self._batch()
            made += count
            spent += seconds
        return spent / made * 1e6


def samples_of(sizes: Sequence[int], looks: int, rounds: int) -> dict[str, list[float]]:
    """Microseconds per look for each number of ids, round by round; all fleets live side by side."""
    fleets = {str(size): _Fleet(size) for size in sizes}
    samples: dict[str, list[float]] = {name: [] for name in fleets}
    gc.collect()
    for name in turns(tuple(fleets), rounds):
        samples[name].append(fleets[name].per_look(looks))
    return samples


def _measure(effort: Effort) -> Iterator[Figure]:
    sizes = (1_000, 10_000) if effort == "quick" else (1_000, 10_000, 100_000, 1_000_000)
    looks, rounds = (1_000, 5) if effort == "quick" else (20_000, 9)
    found: dict[str, list[float]] = fresh(samples_of, sizes=sizes, looks=looks, rounds=rounds)
    for name, samples in found.items():
        yield Figure(
            what=f"schedule arithmetic per look at {int(name):,} ids",
            value=median(samples),
            unit="µs",
            target=6.0,
            samples=tuple(samples),
            note=f"{min(samples):.2f} to {max(samples):.2f} µs in {rounds} rounds",
        )
    least, most = min(sizes), max(sizes)
    yield ratio(
        f"growth from {least:,} to {most:,} ids",
        found[str(most)],
        found[str(least)],
        against="log n",
        target=log(most) / log(least),
    )


LINE = Line(number=8, name="schedule", what="schedule arithmetic per look", measure=_measure)
