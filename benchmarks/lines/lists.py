"""Line 6: the same fleet where the list is cut short, unordered or refused, against our own looks alone."""

from collections.abc import Iterator
from statistics import median

from benchmarks.figures import Effort, Figure, Line
from benchmarks.fleet.policies import ours
from benchmarks.fleet.world import Fault, World, jobs
from gmi_video import Pace

FAULTS: tuple[Fault, ...] = ("short", "short, no offset", "unordered", "refused")


def _measure(effort: Effort) -> Iterator[Figure]:
    count = 300 if effort == "quick" else 1000
    for arrival, rate in (("10 a second", 10.0), ("all at once", None)):
        samples: dict[Fault, list[float]] = {fault: [] for fault in FAULTS}
        for seed in range(5):
            work = jobs(count, models=1, sigma=0.5, rate=rate, seed=seed)
            alone = ours("looks", World(work), pace=Pace(sweep="never"), seed=seed)
            for fault in FAULTS:
                samples[fault].append(
                    ours(fault, World(work, fault=fault, seed=seed), seed=seed).calls / alone.calls
                )
        for fault in FAULTS:
            yield Figure(
                what=f"calls where the list is {fault}, {arrival}",
                value=median(samples[fault]),
                unit="×",
                against="our looks alone",
                target=1.1,
                samples=tuple(samples[fault]),
                note=f"{min(samples[fault]):.2f} to {max(samples[fault]):.2f} in {len(samples[fault])} seeds",
            )


LINE = Line(number=6, name="lists", what="calls where the list is of no use", measure=_measure)
