"""Line 5: calls per finished request against how late its end is seen; ours, others' policies, and the best possible."""

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.figures import Effort, Figure, Line
from benchmarks.fleet.policies import PEERS, Cost, fixed, oracle, ours
from benchmarks.fleet.world import Job, World, jobs
from gmi_video import Pace
from gmi_video._cadence import Cadence

POINTS = Path(__file__).parents[1] / "fleet.json"
"""What the chart is drawn from."""
ARRIVALS: tuple[tuple[str, float | None], ...] = (
    ("10 a second", 10.0),
    ("one a second", 1.0),
    ("all at once", None),
)
LONGEST = (100, 1000)
"""The most records of a page: what is used in the field, and what is asked for where the service gives it."""
FIVE = "vendor's SDK page 5 s"


def _learnt(sigma: float) -> Cadence:
    """What a session knows that followed a thousand such requests before."""
    cadence = Cadence()
    for job in jobs(1000, models=1, sigma=sigma, rate=1.0, seed=99):
        cadence.of(job.model).ended(0.0, job.end - job.created)
    return cadence


def _alike(work: list[Job], delay: float, seed: int, cadence: Cadence | None = None) -> Cost:
    """Our looks alone, at the pace whose mean delay is that of another policy (the nearest of a bisection)."""
    text = cadence.export() if cadence else None
    low, high, best = 0.3, 8.0, None
    for _ in range(8):
        first = (low + high) / 2
        pace = Pace(first=first, longest=max(30.0, first), sweep="never")
        cost = ours("our looks", World(work), pace=pace, cadence=Cadence(text), seed=seed)
        if best is None or abs(cost.delay - delay) < abs(best.delay - delay):
            best = cost
        low, high = (low, first) if cost.delay > delay else (first, high)
    assert best is not None
    return best


def _looks(count: int, seeds: range) -> Iterator[Figure]:
    for sigma, target in ((0.5, 0.85), (0.3, 0.70)):
        for arrival, rate in ARRIVALS:
            for known in (False, True):
                samples = []
                for seed in seeds:
                    work = jobs(count, models=1, sigma=sigma, rate=rate, seed=seed)
                    five = fixed(FIVE, PEERS[FIVE], work, seed)
                    mine = _alike(work, five.delay, seed, _learnt(sigma) if known else None)
                    samples.append(mine.calls * mine.delay / (five.calls * five.delay))
                yield Figure(
                    what=f"calls by looks alone, σ {sigma}, {arrival}, {'known' if known else 'unknown'} model",
                    value=median(samples),
                    unit="×",
                    against="looks every 5 s",
                    target=target,
                    samples=tuple(samples),
                    note="at the same mean delay; what the bisection left over is evened out by calls × delay",
                )


def _sweeps(count: int, models: int, seeds: range) -> Iterator[Figure]:
    for arrival, rate in ARRIVALS if models == 1 else (("100 a second", 100.0),):
        for longest in LONGEST:
            costs = []
            for seed in seeds:
                work = jobs(count, models=models, sigma=0.5, rate=rate, seed=seed)
                costs.append(ours("sweeps", World(work, longest=longest), seed=seed))
            name = f"with sweeps, {count:,} over {models}, {arrival}, pages of up to {longest}"
            delays = tuple(cost.delay for cost in costs)
            yield Figure(
                what=f"calls per request {name}",
                value=median(cost.calls for cost in costs),
                unit="calls",
                target=0.5,
                samples=tuple(cost.calls for cost in costs),
                note=f"{median(cost.bytes for cost in costs) / 1024:.0f} KiB a request; {bound(longest)}",
            )
            yield Figure(
                what=f"mean delay {name}",
                value=median(delays),
                unit="s",
                target=1.0,
                samples=delays,
                note=f"p99 {median(cost.p99 for cost in costs):.1f} s",
            )


def bound(longest: int) -> str:
    """What no policy can beat that reads pages newest first and learns only from them: ½ (∫ √density)² = 128 s a page."""
    return f"a second of mean delay costs at least {128 / longest:.2g} where a page's requests are of one age"


def _points(count: int) -> list[Cost]:
    """The policies of the chart: one model, ten requests a second."""
    work = jobs(count, models=1, sigma=0.5, rate=10.0, seed=5)
    found = [fixed(name, interval, work, 1) for name, interval in PEERS.items()]
    found.append(oracle(work))
    for first in (0.5, 1.0, 2.0, 4.0, 8.0):
        pace = Pace(first=first, longest=max(30.0, first), sweep="never")
        text = _learnt(0.5).export()
        found.append(ours("gmi_video, looks alone", World(work), pace=pace, cadence=Cadence(text)))
    for longest in LONGEST:
        for first in (0.5, 1.0, 2.0, 4.0):
            pace = Pace(first=first)
            found.append(ours(f"gmi_video, pages of {longest}", World(work, longest=longest), pace=pace))
    return found


def _measure(effort: Effort) -> Iterator[Figure]:
    count, seeds = (200, range(1)) if effort == "quick" else (1000, range(3))
    yield from _looks(count, seeds)
    yield from _sweeps(count, 1, seeds)
    yield from _sweeps(10 * count, 20, range(1))
    points = _points(count)
    if effort == "whole":
        chart = [{"name": p.name, "calls": p.calls, "delay": p.delay, "p99": p.p99} for p in points]
        POINTS.write_text(json.dumps(chart, indent=1) + "\n")
    for point in points[: len(PEERS) + 1]:
        note = f"mean delay {point.delay:.2f} s, p99 {point.p99:.1f} s"
        yield Figure(what=f"calls per request, {point.name}", value=point.calls, unit="calls", note=note)


LINE = Line(number=5, name="fleet", what="calls per finished request and delay of its end", measure=_measure)
