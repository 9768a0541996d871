"""How often others look, how the best possible would, and how we do; in the same virtual queue."""

from collections.abc import Callable, Sequence
from random import Random
from statistics import fmean

from attrs import frozen

from benchmarks.fleet.world import Job, World
from gmi_video import Pace, Progressed
from gmi_video._cadence import Cadence
from gmi_video._schedule import Schedule
from gmi_video._servertime import ServerTime
from gmi_video.errors import GmiVideoError


@frozen(kw_only=True)
class Cost:
    """What a policy costs: calls per finished request, and how many seconds late an end is seen."""

    name: str
    calls: float
    delay: float
    p99: float
    pages: float = 0.0
    bytes: float = 0.0

    @classmethod
    def of(cls, name: str, calls: int, delays: Sequence[float], pages: int = 0, size: int = 0) -> "Cost":
        """The cost of a run."""
        late = sorted(delays)
        count = len(late)
        return cls(
            name=name,
            calls=calls / count,
            delay=fmean(late),
            p99=late[int(count * 0.99)],
            pages=pages / count,
            bytes=size / count,
        )


PEERS: dict[str, Callable[[Random], float]] = {
    "fal 0.1 s": lambda _: 0.1,
    "replicate 0.5 s": lambda _: 0.5,
    "vendor's script 1 s": lambda _: 1.0,
    "vendor's SDK page 5 s": lambda _: 5.0,
    "runway 6 ± 1.5 s": lambda rng: rng.uniform(4.5, 7.5),
}
"""Seconds between two looks at one request, in each package's or page's own loop."""


def fixed(name: str, interval: Callable[[Random], float], work: Sequence[Job], seed: int) -> Cost:
    """A loop of its own for each request: look, sleep, look."""
    rng = Random(seed)
    calls, delays = 0, []
    for job in work:
        now = job.created
        calls += 1
        while now < job.end:
            now += interval(rng)
            calls += 1
        delays.append(now - job.end)
    return Cost.of(name, calls, delays)


def oracle(work: Sequence[Job]) -> Cost:
    """One call at the very moment."""
    return Cost.of("oracle", len(work), [0.0] * len(work))


def ours(
    name: str, world: World, *, pace: Pace | None = None, cadence: Cadence | None = None, seed: int = 0
) -> Cost:
    """Our schedule: each request is followed from its acceptance to its end."""
    pace = pace or Pace()
    schedule = Schedule(Random(seed), cadence=cadence, clock=ServerTime(1e9 + 0.5, 0.0))
    coming = sorted(world.jobs.values(), key=lambda job: job.created)[::-1]
    calls = pages = size = 0
    delays: list[float] = []
    now = 0.0
    while coming or len(schedule):
        due = schedule.next_due()
        arrival = coming[-1].created if coming else float("inf")
        if due is None or arrival <= due:
            now = max(now, arrival)
            job = coming.pop()
            schedule.learn(world.snapshot(job.name, now), now, accepted=True)
            schedule.add(job.name, "reader", pace, now)
            continue
        now = max(now, due)
        sweep = schedule.sweep(now)
        if sweep is None:
            request_id = schedule.take(now)
            if request_id is None:
                continue
            calls += 1
            told = [schedule.observe(request_id, world.snapshot(request_id, now), now)]
        else:
            told = []
            failed: GmiVideoError | None = None
            while not sweep.done and failed is None:
                calls += 1
                pages += 1
                try:
                    sheet = world.page(sweep.model, sweep.limit, sweep.offset, now, schedule.entry)
                except GmiVideoError as error:
                    failed = error
                    break
                size += sheet.size
                sweep.read(sheet)
                told += schedule.heard(sheet.records, now)
            told += schedule.swept(sweep, now, failed)
        for said in told:
            for event in said.events:
                if event.final:
                    delays.append(now - world.jobs[event.request_id].end)
                else:
                    assert isinstance(event, Progressed), event
    return Cost.of(name, calls, delays, pages, size)
