"""Rate, windows and shares of an account's calls, in pure virtual time."""

from collections import Counter
from heapq import heappop, heappush
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings, strategies
from searching import search

from gmi_video._governor import FIRST, OK, UNSAID, Governor, Heard
from gmi_video._queue import SHARES, Kind, Lane, Turn

THROTTLED = Heard(result="throttled")
TROUBLE = Heard(result="trouble")


def a_governor(**given: Any) -> Governor:
    """A governor whose chance is fixed."""
    return Governor(Random(0), **given)


def granted(governor: Governor, now: float) -> list[Turn]:
    """Everybody who goes now."""
    found = []
    while (turn := governor.next(now)) is not None:
        found.append(turn)
    return found


def opened(governor: Governor, kind: Kind = "poll", model: str = "") -> Governor:
    """A governor that saw enough good calls of a kind for its window to be wide open."""
    for _ in range(12):
        for _ in range(40):
            governor.enter(kind, model=model)
        for turn in granted(governor, 0.0):
            governor.done(turn, OK, 0.0)
    while governor.waiting:
        for turn in granted(governor, 0.0):
            governor.done(turn, OK, 0.0)
    return governor


def answer(governor: Governor, heard: Heard, now: float, kind: Kind = "poll", model: str = "") -> None:
    """One call that goes now and is answered now."""
    governor.enter(kind, model=model)
    (turn,) = granted(governor, now)
    governor.done(turn, heard, now)


class Service:
    """A service that takes `capacity` calls per second, is away for a while, and answers after a tenth of a second."""

    def __init__(self, capacity: float, seed: int, away: tuple[float, float] = (0.0, 0.0)) -> None:
        self.rng = Random(seed)
        self.governor = Governor(self.rng)
        self.capacity = capacity
        self.away = away
        self.credit, self.at, self.now = 1.0, 0.0, 0.0
        self.calls: list[tuple[float, str, Turn]] = []
        self._ends: list[tuple[float, int, Turn, Heard]] = []

    def serve(self) -> Heard:
        """What the service says to a call now."""
        if self.away[0] <= self.now < self.away[1]:
            return TROUBLE
        self.credit = min(self.capacity / 2 + 1, self.credit + (self.now - self.at) * self.capacity)
        self.at = self.now
        if self.credit < 1:
            return THROTTLED
        self.credit -= 1
        return OK

    def run(
        self, seconds: float, demand: dict[Kind, int], lanes: tuple[Lane, ...] = ("interactive",)
    ) -> None:
        """Keeps so many of each kind waiting, for so long."""
        governor = self.governor
        while self.now < seconds:
            for kind, count in demand.items():
                for lane in lanes:
                    while sum(map(len, governor._queues[kind].lanes[lane].values())) < count:
                        governor.enter(kind, lane, f"model-{self.rng.randrange(3)}")
            turn = governor.next(self.now)
            if turn is not None:
                heard = self.serve()
                self.calls.append((self.now, heard.result, turn))
                heappush(self._ends, (self.now + self.rng.uniform(0.05, 0.15), len(self.calls), turn, heard))
                continue
            at = governor.next_at(self.now)
            if self._ends and self._ends[0][0] <= at:
                self.now, _, turn, heard = heappop(self._ends)
                governor.done(turn, heard, self.now)
            else:
                self.now = at

    def between(self, begin: float, end: float) -> Counter[str]:
        """How the calls of a span ended."""
        return Counter(result for at, result, _ in self.calls if begin <= at < end)


def test_the_first_calls_are_few_and_doubled_by_success() -> None:
    """Four short calls go at first, eight after they went well, and so on to the limit."""
    governor = a_governor(calls=16)
    sizes = []
    for _ in range(5):
        for _ in range(20):
            governor.enter("poll")
        turns = granted(governor, 0.0)
        sizes.append(len(turns))
        for turn in turns:
            governor.done(turn, OK, 0.0)

    assert sizes == [FIRST, 2 * FIRST, 16, 16, 16]


def test_a_call_that_nothing_hinders_goes_at_once() -> None:
    """The usual case needs no queue, and counts like any other."""
    governor = a_governor()
    turns = [governor.at_once("poll", "interactive", 0.0) for _ in range(FIRST + 1)]

    assert [turn is None for turn in turns] == [False] * FIRST + [True]
    assert governor.calls.flying == FIRST


def test_the_fifth_interactive_user_does_not_wait_for_a_synchronous_model() -> None:
    """All submissions that the limit allows go at once in the interactive lane, though none was answered."""
    governor = a_governor(submissions=32)
    for _ in range(40):
        governor.enter("submit", "interactive", "seedream")

    assert len(granted(governor, 0.0)) == 32


def test_a_bulk_submission_waits_two_seconds_for_those_before_it() -> None:
    """Bulk submissions begin with four, and the next four go two seconds later, answered or not."""
    governor = a_governor()
    for _ in range(40):
        governor.enter("submit", "bulk", "seedream")

    assert len(granted(governor, 0.0)) == FIRST
    assert governor.next_at(0.0) == pytest.approx(2.0)
    assert len(granted(governor, 2.0)) == FIRST


def test_a_stated_limit_gates_its_model_alone() -> None:
    """A 429 that says 2 per 60 s paces that model by it; others and polls go on as if nothing was."""
    governor = a_governor()
    stated = Heard(result="throttled", retry_after=30.0, limit=2, interval=60.0)
    for _ in range(3):
        governor.enter("submit", model="a")
    first, second, third = granted(governor, 0.0)
    governor.done(first, OK, 1.0)
    governor.done(second, OK, 1.0)
    governor.done(third, stated, 1.0)
    governor.enter("submit", model="a")
    governor.enter("submit", model="b")
    governor.enter("poll")
    others = {turn.model for turn in granted(governor, 1.0)}

    assert others == {"b", ""}
    assert governor.next_at(1.0) == pytest.approx(60 / 0.95)
    assert governor.rate.limit(1.0) is None


@given(
    strategies.integers(1, 8),
    strategies.floats(1, 120),
    strategies.lists(strategies.floats(0.01, 30), max_size=40),
)
def test_no_window_of_a_stated_limit_is_overrun(limit: int, interval: float, steps: list[float]) -> None:
    """In any span of a stated interval no more submissions go than it allows."""
    governor = a_governor(submissions=100)
    answer(
        governor,
        Heard(result="throttled", retry_after=1.0, limit=limit, interval=interval),
        0.0,
        "submit",
        "a",
    )
    now, times = 0.0, []
    for step in steps:
        now += step
        governor.enter("submit", model="a")
        for turn in granted(governor, now):
            times.append(now)
            governor.done(turn, OK, now)

    for index in range(len(times) - limit):
        assert times[index + limit] - times[index] >= interval


def test_never_before_the_service_said() -> None:
    """What a 429 asks for is waited for in full, and at most a tenth longer."""
    governor = a_governor()
    answer(governor, Heard(result="throttled", retry_after=10.0), 0.0)
    governor.enter("poll")

    assert granted(governor, 9.999) == []
    assert len(granted(governor, 11.0)) == 1


def test_a_model_that_refuses_for_a_minute_is_only_probed() -> None:
    """After 60 s of nothing but refusals a model gets single probes, 15 s and then ever longer apart."""
    governor = a_governor()
    now = 0.0
    probes: list[float] = []
    for _ in range(60):
        governor.enter("submit", model="a")
    while now < 3000:
        turns = granted(governor, now)
        assert len(turns) <= (1 if probes else 32)
        if turns:
            probes.append(now)
        for turn in turns:
            governor.done(turn, THROTTLED, now)
        now = max(governor.next_at(now), now + 1e-3)

    late = [after - before for before, after in pairwise(probes) if before > 600]
    assert all(75 <= gap <= 331 for gap in late)
    assert len(probes) < 40


def test_a_refusing_model_does_not_slow_the_polls() -> None:
    """While a model is parked, short calls go at full width."""
    governor = opened(a_governor())
    answer(governor, Heard(result="throttled", retry_after=3000.0), 0.0, "submit", "a")
    for _ in range(100):
        governor.enter("poll")

    assert len(granted(governor, 1.0)) == 64


def test_a_rate_limit_as_a_failed_request_rests_its_model() -> None:
    """A request that ended with "rate limit exceeded(RPM)" lets its model rest for 20 s."""
    governor = a_governor()
    governor.quota("a").ended_by_rate(5.0)
    governor.enter("submit", model="a")

    assert granted(governor, 24.9) == []
    assert len(granted(governor, 25.0)) == 1


def test_an_account_that_is_throttled_is_called_less() -> None:
    """A 429 of the account cuts the rate to four fifths of what went out, once for all calls of that moment."""
    governor = opened(a_governor())
    now = 0.0
    for _ in range(200):
        now += 0.02
        answer(governor, OK, now)
    turns = []
    for _ in range(5):
        governor.enter("poll")
        turns += granted(governor, now)
    for turn in turns:
        governor.done(turn, THROTTLED, now + 0.1)

    limit = governor.rate.limit(now + 0.1)
    assert limit is not None
    assert 50 * 0.7 < limit < 50 * 0.95


def test_a_ceiling_is_kept_in_every_second() -> None:
    """`calls_per_second` holds for any second, however much is waiting and whatever the service allows."""
    service = Service(1000.0, 1)
    service.governor = Governor(Random(1), ceiling=7.0)
    service.run(30.0, {"submit": 20, "poll": 20})
    times = [at for at, _, _ in service.calls]

    assert len(times) >= 30 * 7 * 0.95
    assert max(sum(begin <= at < begin + 1 for at in times) for begin in times) <= 8


def test_three_failures_in_a_row_leave_one_probe() -> None:
    """A service that is away gets one call at a time, seconds apart, and none that costs money while another waits."""
    governor = a_governor()
    for _ in range(3):
        answer(governor, TROUBLE, 0.0)
    for _ in range(50):
        governor.enter("submit", model="a")
        governor.enter("poll")
    probe = governor.next(10.0)

    assert governor.away
    assert probe is not None
    assert probe.kind == "poll"
    assert governor.next(10.0) is None


def test_a_probe_that_was_broken_off_does_not_end_probing() -> None:
    """A probe whose caller went away is followed by another."""
    governor = a_governor()
    for _ in range(3):
        answer(governor, TROUBLE, 0.0)
    governor.enter("poll")
    governor.enter("poll")
    probe = governor.next(10.0)
    assert probe is not None
    governor.done(probe, UNSAID, 11.0)

    assert 11.0 < governor.next_at(11.0) <= 20.0
    assert len(granted(governor, 20.0)) == 1


def test_failures_while_we_lag_ourselves_move_nothing() -> None:
    """What was measured while our own loop was late says nothing of the service."""
    governor = opened(a_governor())
    for _ in range(5):
        governor.enter("poll")
    for turn in granted(governor, 0.0):
        governor.done(turn, TROUBLE, 1.0, lagging=True)

    assert not governor.away
    assert governor.calls.size == 64


def test_each_kind_gets_its_share() -> None:
    """Where everybody waits, calls go 50 : 35 : 10 : 5."""
    governor = opened(a_governor())
    calls: Counter[Kind] = Counter()
    for _ in range(1000):
        for kind in SHARES:
            governor.enter(kind, model="a")
        turn = governor.next(0.0)
        assert turn is not None
        calls[turn.kind] += 1
        governor.done(turn, OK, 0.0)

    assert {kind: round(calls[kind] / 10) for kind in calls} == SHARES


def test_interactive_goes_four_times_as_often_as_bulk() -> None:
    """Both lanes move, in the proportion of four to one."""
    governor = opened(a_governor())
    lanes: Counter[Lane] = Counter()
    for _ in range(500):
        governor.enter("poll", "bulk")
        governor.enter("poll", "interactive")
        turn = governor.next(0.0)
        assert turn is not None
        lanes[turn.lane] += 1
        governor.done(turn, OK, 0.0)

    assert lanes["interactive"] == pytest.approx(400, abs=2)


def test_who_comes_late_gets_no_arrears() -> None:
    """A kind that was idle for long does not then go alone until it has caught up."""
    governor = opened(a_governor())
    for _ in range(300):
        answer(governor, OK, 0.0)
    kinds = []
    for _ in range(20):
        governor.enter("submit", model="a")
        governor.enter("poll")
        turn = governor.next(0.0)
        assert turn is not None
        kinds.append(turn.kind)
        governor.done(turn, OK, 0.0)

    assert kinds.count("poll") >= 7


def test_models_take_turns() -> None:
    """A hundred submissions of one model do not stand before the one of another."""
    governor = a_governor(submissions=4)
    for _ in range(100):
        governor.enter("submit", model="a")
    governor.enter("submit", model="b")

    assert {turn.model for turn in granted(governor, 0.0)} == {"a", "b"}


def test_a_model_that_never_ran_anything_gets_four() -> None:
    """Of a model that was never seen to leave the queue four run at once; when it moves, all go."""
    governor = a_governor(unproven=4)
    for _ in range(20):
        governor.enter("submit", model="Z-Image")
    for index, turn in enumerate(granted(governor, 0.0)):
        governor.done(turn, OK, 0.0)
        governor.accepted(f"r-{index}", "Z-Image")
    quota = governor.quota("Z-Image")

    assert len(quota.outstanding) == 4
    assert granted(governor, 9.0) == []
    governor.proven("Z-Image")
    assert len(granted(governor, 9.0)) == 16


def test_who_leaves_the_queue_is_not_granted() -> None:
    """A caller that was cancelled while it waited takes no turn, and leaving twice is nothing."""
    governor = a_governor()
    turn = governor.enter("poll")
    governor.leave(turn)
    governor.leave(turn)

    assert governor.next(0.0) is None
    assert governor.waiting == 0


@pytest.mark.parametrize(
    ("capacity", "seed"), [(20.0, 1), (20.0, 2), (50.0, 3), pytest.param(200.0, 4, marks=pytest.mark.soak)]
)
def test_a_throttling_service_is_used_to_the_full(capacity: float, seed: int) -> None:
    """At steady state no more than 2 of 100 calls are refused, and 95 of 100 that are possible are made."""
    service = Service(capacity, seed)
    service.run(180.0, {"submit": 40, "poll": 60})
    calls = service.between(60.0, 180.0)

    assert calls["throttled"] <= 0.02 * calls.total()
    assert calls["ok"] >= 0.95 * 120 * capacity


@pytest.mark.parametrize("seed", range(3))
def test_an_outage_is_not_made_worse(seed: int) -> None:
    """During an outage at most one call per second goes out, and 15 s later nine tenths of the work goes on."""
    service = Service(50.0, seed, away=(60.0, 180.0))
    service.run(200.0, {"submit": 40, "poll": 60})

    assert service.between(60.0, 180.0).total() <= 120
    assert service.between(195.0, 200.0)["ok"] >= 0.9 * 5 * 50
    assert max(service.between(at, at + 1.0).total() for at in range(180, 200)) <= 1.5 * 50


def _machine(seed: int) -> list[tuple[float, str, str]]:
    """A random minute with a random service: who went when. Raises where a promise is broken."""
    rng = Random(seed)
    governor = Governor(Random(seed), submissions=6, calls=9, ceiling=rng.choice([None, 5.0]), unproven=3)
    flying: list[Turn] = []
    waiting: list[Turn] = []
    went: list[tuple[float, str, str]] = []
    now = 0.0
    for _ in range(300):
        now += rng.expovariate(5)
        match rng.randrange(4):
            case 0 | 1:
                kind: Kind = rng.choice(list(SHARES))
                waiting.append(governor.enter(kind, rng.choice(["interactive", "bulk"]), rng.choice("ab")))
            case 2 if flying:
                turn = flying.pop(rng.randrange(len(flying)))
                asked = rng.choice([None, 0.0, 3.0])
                governor.done(
                    turn,
                    Heard(result=rng.choice(["ok", "throttled", "trouble", "unsaid"]), retry_after=asked),
                    now,
                )
            case 3 if waiting:
                governor.leave(waiting.pop(rng.randrange(len(waiting))))
        for turn in granted(governor, now):
            waiting.remove(turn)
            flying.append(turn)
            went.append((now, turn.kind, turn.model))
        submits = sum(turn.kind == "submit" for turn in flying)
        assert submits <= 6
        assert len(flying) - submits <= 9
        assert governor.waiting == len(waiting)
        assert governor.next_at(now) > now or not waiting
        if waiting and not flying and governor.quota("a").proven and governor.quota("b").proven:
            assert governor.next_at(now) < now + 4000
    return went


@search(40, of=100)
@given(strategies.integers(0, 2**32))
def test_any_run_keeps_its_limits_and_repeats(seed: int) -> None:
    """No window is overrun, nobody is lost, nobody waits for nothing; the same seed is the same run."""
    assert _machine(seed) == _machine(seed)


@pytest.mark.soak
@settings(max_examples=2000, deadline=None)
@given(strategies.integers(0, 2**32))
def test_any_run_keeps_its_limits_two_thousand_times(seed: int) -> None:
    """The same for two thousand seeds."""
    _machine(seed)
