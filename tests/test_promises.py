"""What the poller promises, whatever the service does: many seeds in virtual time, a hundred here and two thousand
in the soak.
"""  # noqa: D205  # one thought

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import pytest
from attrs import define, field
from hypothesis import given, settings, strategies
from queueworld import EPOCH, Oddities, Queue
from searching import search

from gmi_video._entry import Entry
from gmi_video._inbox import Inbox
from gmi_video._line import Line
from gmi_video._poller import Poller
from gmi_video._rhythm import SHORTEST
from gmi_video._servertime import ServerTime
from gmi_video._sweep import Sheet, Sweep
from gmi_video.errors import Interrupted, RateLimited
from gmi_video.records import Snapshot
from gmi_video.settings import Pace
from gmi_video.testing import run

Trace = list[tuple[float, str, str]]


@define
class Service:
    """Answers looks and pages after a while, now and then with an error, and checks each call when it comes."""

    rng: Random
    queue: Queue
    pace: Pace
    concurrency: int
    slow: float
    throttled: float
    trace: Trace = field(factory=list)
    flying: set[str] = field(factory=set)
    busy: int = 0
    held: float = 0.0
    due: dict[str, float] = field(factory=dict)
    sights: dict[str, float] = field(factory=dict)
    unseen: float = 0.0

    @contextmanager
    def _call(self, kind: str, what: str) -> Iterator[None]:
        now = asyncio.get_running_loop().time()
        assert now >= self.held - 1e-6, "a call during a hold"
        self.trace.append((now, kind, what))
        self.busy += 1
        assert self.busy <= self.concurrency, "more calls at once than there may be"
        try:
            yield
        finally:
            self.busy -= 1

    async def _answer(self) -> float:
        await asyncio.sleep(self.rng.uniform(0, self.slow))
        now = asyncio.get_running_loop().time()
        if self.rng.random() < self.throttled:
            asked = self.rng.choice([1.0, 7.0, 40.0])
            self.held = max(self.held, now + asked)
            raise RateLimited("slow down", status=429, retry_after=asked)
        return now

    async def look(self, request_id: str) -> Snapshot:
        """One look at a time at one id, and none before it is due."""
        assert request_id not in self.flying, "two looks at one id"
        assert asyncio.get_running_loop().time() >= self.due.get(request_id, 0.0) - 1e-6, (
            "taken before it is due"
        )
        self.flying.add(request_id)
        try:
            with self._call("look", request_id):
                now = await self._answer()
                if self.rng.random() < self.queue.odd.failing:
                    raise Interrupted("the connection broke")
        finally:
            self.flying.discard(request_id)
            slip = (1 - self.pace.jitter) * min(SHORTEST, self.pace.first)
            self.due[request_id] = asyncio.get_running_loop().time() + slip
        self.sight(request_id, now)
        return self.queue.record(request_id, now)

    async def page(self, sweep: Sweep, known: Callable[[str], Entry | None]) -> Sheet:
        """A page of the list."""
        with self._call("page", f"{sweep.offset}+{sweep.limit}"):
            now = await self._answer()
            sheet = self.queue.page(sweep, now, known)
        for listed in sheet.records:
            self.sight(listed.request_id, now)
        return sheet

    def sight(self, request_id: str, now: float) -> None:
        if request_id in self.sights:
            self.unseen = max(self.unseen, now - self.sights[request_id])
            self.sights[request_id] = now
            if now >= self.queue.jobs[request_id][2]:  # it ended, and is not followed any more
                del self.sights[request_id]

    def came(self, request_id: str, now: float) -> None:
        """Somebody follows an id from now on."""
        self.due.pop(request_id, None)
        self.sights.setdefault(request_id, now)


def _odd(rng: Random) -> Oddities:
    """What is wrong with the list."""
    return Oddities(
        lag=rng.choice([0.0, 5.0, 40.0]),
        cut=rng.choice([None, 7]),
        silent=rng.random() < 0.3,
        repeats=rng.random() < 0.3,
        shuffled=rng.random() < 0.2,
        failing=rng.choice([0.0, 0.0, 0.01, 0.3]),
        longest=rng.choice([20, 1000]),
    )


async def _submitted(ids: list[str], service: Service, poller: Poller, lines: list[Line]) -> Counter[int]:
    """Requests come one by one, followed by some of the lines, which now and then drop one; how many each has."""
    rng, loop = service.rng, asyncio.get_running_loop()
    followed: Counter[int] = Counter()
    for name in ids:
        now = loop.time()
        service.queue.put(name, f"model-{rng.randrange(2)}", now, now + rng.lognormvariate(3.0, 0.7))
        if rng.random() < 0.7:
            poller.learn(service.queue.record(name, now), accepted=True)
        for index, line in enumerate(lines):
            if index and rng.random() < 0.5:
                continue
            service.came(name, now)
            poller.add(line, name, None)
            poller.added(line)
            followed[index] += 1
        if rng.random() < 0.5:
            await asyncio.sleep(rng.expovariate(2.0))
        gone = rng.choice(ids)
        if len(lines) > 1 and rng.random() < 0.1 and gone in lines[1].inbox:
            poller.drop(lines[1], gone)
            followed[1] -= 1
    return followed


def _finals(line: Line) -> list[str]:
    """The ids that a line was told the end of; raises what ended it."""
    if line.error is not None:
        raise line.error
    found = []
    while (event := line.inbox.pop()) is not None:
        if event.final:
            found.append(event.request_id)
    return found


async def _followed(seed: int) -> Trace:
    """Some watches of some requests, to the end of all of them; raises where a promise is broken."""
    rng, loop = Random(seed), asyncio.get_running_loop()
    odd = _odd(rng)
    pace = Pace(
        first=rng.choice([0.5, 2.0]), longest=rng.choice([5.0, 30.0]), sweep=rng.choice(["auto", "never"])
    )
    service = Service(
        rng=rng,
        queue=Queue(rng, odd),
        pace=pace,
        concurrency=rng.choice([1, 3, 16]),
        slow=rng.choice([0.0, 0.2, 3.0]),
        throttled=rng.choice([0.0, 0.0, 0.02]),
    )
    poller = Poller(
        service.look,
        page=service.page,
        concurrency=service.concurrency,
        rng=Random(seed),
        clock=ServerTime(EPOCH + 0.5, 0.0),
    )
    lines = [Line(Inbox(), pace) for _ in range(rng.choice([1, 3]))]
    for line in lines:
        poller.join(line)
    ids = [f"r-{number}" for number in range(rng.choice([3, 12, 40]))]
    followed = await _submitted(ids, service, poller, lines)
    for name in rng.choices(ids, k=20):  # somebody asks for records by the way
        await asyncio.sleep(rng.expovariate(1.0))
        if poller.schedule.entry(name) is not None:
            service.sight(name, loop.time())
            poller.learn(service.queue.record(name, loop.time()))
    await asyncio.sleep(6000)
    finals = [_finals(line) for line in lines]
    left = len(poller.schedule)
    await poller.aclose()
    assert left == 0, "an id was lost"
    assert [len(found) for found in finals] == [followed[index] for index in range(len(lines))]
    assert all(len(found) == len(set(found)) for found in finals), "two ends of one id"
    calls = service.slow * (8 + len(ids) / service.concurrency)  # those that may stand before one that is due
    if not (odd.failing or service.throttled) and service.slow < 1:
        assert service.unseen <= pace.longest + calls + 1e-6, (
            "an id was unseen for longer than the longest wait"
        )
    return service.trace


def any_run(seed: int) -> Trace:
    """The calls of one run."""
    return run(_followed(seed))


SEEDS = strategies.integers(0, 2**32)


@search(50, of=100)
@given(SEEDS)
def test_whatever_the_service_does_the_poller_keeps_its_promises(seed: int) -> None:
    """One end per id and watch; no more calls at once than may be, one look per id; none early, none in a hold; none
    unseen for longer than the longest wait.
    """  # noqa: D205  # one sentence
    any_run(seed)


@search(20, of=100)
@given(SEEDS)
def test_the_same_seed_makes_the_same_calls(seed: int) -> None:
    """Two runs of one seed make the same calls at the same moments."""
    assert any_run(seed) == any_run(seed)


@pytest.mark.soak
@settings(max_examples=2000, deadline=None)
@given(SEEDS)
def test_two_thousand_runs_keep_the_promises(seed: int) -> None:
    """The same for two thousand seeds, each twice."""
    assert any_run(seed) == any_run(seed)
