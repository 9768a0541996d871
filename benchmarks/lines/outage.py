"""Line 12: what a service bears that throttles and is away for two minutes, from us and from a naive pool."""

from collections.abc import Iterator
from statistics import median

from benchmarks.figures import Effort, Figure, Line
from benchmarks.fleet.load import governed, naive

CAPACITIES = (20.0, 50.0, 200.0)


def _measure(effort: Effort) -> Iterator[Figure]:
    seeds = range(3) if effort == "quick" else range(9)
    for capacity in CAPACITIES:
        loads = [governed(capacity, seed) for seed in seeds]
        pool = naive(capacity, 0)
        name = f"at {capacity:g} calls/s"
        yield Figure(
            what=f"calls during an outage, {name}",
            value=median(load.during for load in loads),
            unit="calls/s",
            against=f"naive pool: {pool.during:.0f}",
            target=1.0,
            samples=tuple(load.during for load in loads),
        )
        yield Figure(
            what=f"share of 429 at steady state, {name}",
            value=median(load.refused for load in loads),
            unit="%",
            against=f"naive pool: {pool.refused:.0f}",
            target=2.0,
            samples=tuple(load.refused for load in loads),
            note=f"{median(load.used for load in loads):.1f} % of the capacity are used",
        )
        yield Figure(
            what=f"time back to 90 %, {name}",
            value=median(load.back for load in loads),
            unit="s",
            against=f"naive pool: {pool.back:.0f}",
            target=15.0,
            samples=tuple(load.back for load in loads),
            note=f"the slowest of {len(loads)} seeds took {max(load.back for load in loads):.0f} s",
        )


LINE = Line(number=12, name="outage", what="load on a service in trouble", measure=_measure)
