"""A service with a limit and an outage, and two ways to call it, in virtual time: our governor, and a naive pool."""

from collections import Counter
from heapq import heappop, heappush
from random import Random

from attrs import define, field

from gmi_video._governor import Governor, Heard
from gmi_video._queue import Turn

LATENCY = (0.05, 0.15)
"""Seconds that an answer takes."""
OUTAGE = (240.0, 360.0)
"""When the service fails every call."""
END = 480.0
WORKERS = 100
RETRIES = 3
"""Of the naive pool, after 0.1, 0.2 and 0.4 s."""


@define
class Load:
    """What a service of `capacity` calls per second saw: for every second, how its calls ended."""

    capacity: float
    seconds: dict[int, Counter[str]] = field(factory=dict)
    _credit: float = 1.0
    _at: float = 0.0

    def serve(self, now: float) -> str:
        """How a call ends that comes now."""
        if OUTAGE[0] <= now < OUTAGE[1]:
            result = "trouble"
        else:
            self._credit = min(self.capacity / 2 + 1, self._credit + (now - self._at) * self.capacity)
            self._at = now
            result = "ok" if self._credit >= 1 else "throttled"
            self._credit -= result == "ok"
        self.seconds.setdefault(int(now), Counter())[result] += 1
        return result

    def between(self, begin: float, end: float) -> Counter[str]:
        """The calls of a span."""
        total: Counter[str] = Counter()
        for second in range(int(begin), int(end)):
            total += self.seconds.get(second, Counter())
        return total

    @property
    def refused(self) -> float:
        """Of 100 calls at steady state, how many get a 429."""
        calls = self.between(60, OUTAGE[0])
        return 100 * calls["throttled"] / calls.total()

    @property
    def used(self) -> float:
        """Of 100 calls that the service could take at steady state, how many it took."""
        return 100 * self.between(60, OUTAGE[0])["ok"] / ((OUTAGE[0] - 60) * self.capacity)

    @property
    def during(self) -> float:
        """Calls per second during the outage, its first second left out: nobody can know of it before."""
        return self.between(OUTAGE[0] + 1, OUTAGE[1]).total() / (OUTAGE[1] - OUTAGE[0] - 1)

    @property
    def back(self) -> float:
        """Seconds after the outage until nine tenths of the capacity are used, over three seconds."""
        for second in range(int(OUTAGE[1]), int(END) - 3):
            if self.between(second, second + 3)["ok"] >= 0.9 * 3 * self.capacity:
                return second - OUTAGE[1]
        return float("inf")


def governed(capacity: float, seed: int) -> Load:
    """Endless submissions in bulk and endless polls, each in its turn."""
    rng = Random(seed)
    governor = Governor(rng)
    load = Load(capacity)
    ends: list[tuple[float, int, Turn, str]] = []
    now, waiting, count = 0.0, Counter({"submit": 0, "poll": 0}), 0
    while now < END:
        while waiting["submit"] < 40:
            governor.enter("submit", "bulk", f"model-{rng.randrange(5)}")
            waiting["submit"] += 1
        while waiting["poll"] < 100:
            governor.enter("poll")
            waiting["poll"] += 1
        turn = governor.next(now)
        if turn is not None:
            waiting[turn.kind] -= 1
            count += 1
            heappush(ends, (now + rng.uniform(*LATENCY), count, turn, load.serve(now)))
            continue
        at = governor.next_at(now)
        if ends and ends[0][0] <= at:
            now, _, turn, result = heappop(ends)
            governor.done(turn, Heard(result=result), now)  # type: ignore[arg-type]  # the three words above
        else:
            now = at
    return load


def naive(capacity: float, seed: int) -> Load:
    """A pool of workers that call as fast as they can and repeat three times."""
    rng = Random(seed)
    load = Load(capacity)
    workers = [(rng.uniform(0, 0.1), number, 0) for number in range(WORKERS)]
    while workers:
        now, number, failures = heappop(workers)
        if now >= END:
            continue
        result = load.serve(now)
        failures = 0 if result == "ok" or failures == RETRIES else failures + 1
        rest = 0.1 * 2 ** (failures - 1) if failures else 0.0
        heappush(workers, (now + rng.uniform(*LATENCY) + rest, number, failures))
    return load
