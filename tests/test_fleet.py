"""Many ids at once in virtual time: pages stand for looks, and whatever the list does, every end is told once."""

from collections import Counter
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings, strategies
from queueworld import EPOCH, Follower, Oddities, Queue
from searching import search

from gmi_video._fleet import CHECK
from gmi_video._worth import LEAST
from gmi_video.events import Missed, Progressed, Stalled
from gmi_video.settings import Pace


def a_fleet(count: int, *, seed: int = 1, pace: Pace | None = None, **odd: Any) -> Follower:
    """So many requests of one model that came ten a second and last about a minute, followed to their end."""
    rng = Random(seed)
    follower = Follower(Queue(rng, Oddities(**odd)), pace or Pace())
    for number in range(count):
        follower.run(number / 10)
        follower.submit(f"r-{number:04}", "Veo3", follower.now + rng.uniform(30, 90))
    follower.run(1000)
    return follower


def test_pages_stand_for_looks() -> None:
    """Of three hundred requests every end is told in two seconds, for less than three calls each."""
    fleet = a_fleet(300)
    late = fleet.ends

    assert len(late) == 300
    assert sum(late.values()) / 300 < 2
    assert len(fleet.queue.looks) + len(fleet.queue.pages) < 3 * 300
    assert len(fleet.queue.pages) > len(fleet.queue.looks)


def test_a_page_shows_a_block_of_its_length() -> None:
    """Blocks fit on a page: a walk is one page, so that a request costs two calls where it costs three by two."""
    fleet = a_fleet(300)

    assert len(fleet.queue.pages) <= 1.15 * fleet.schedule.fleet.sweeps


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 4))])
def test_many_of_one_second_are_swept_as_well(seed: int) -> None:
    """Six hundred that were created in one second cost no more than those that came one by one."""
    rng = Random(seed)
    fleet = Follower(Queue(rng, Oddities()), Pace())
    for number in range(600):
        fleet.submit(f"r-{number:04}", "Veo3", rng.uniform(30, 90))
    fleet.run(1000)

    assert len(fleet.ends) == 600
    assert len(fleet.queue.looks) + len(fleet.queue.pages) < 3 * 600


def test_ids_that_come_newest_first_are_neighbours_as_well() -> None:
    """Records of the list, given as it shows them, are read by pages from the beginning, each walk one page.

    The first few, which were looked at alone before there were enough, join those beside them and none far below.
    """
    fleet = Follower(Queue(Random(1), Oddities()), Pace())
    names = [f"r-{number:04}" for number in range(300)]
    for number, name in enumerate(names):
        fleet.queue.put(name, "Veo3", float(number), 400.0 + number / 3)
    fleet.now = 300.0
    for name in reversed(names):
        given = fleet.queue.record(name, fleet.now)
        fleet.follow(name, given)
    fleet.run(310.0)

    assert len(fleet.queue.looks) < LEAST
    assert len(fleet.queue.pages) >= 2 * len(names) / 100
    assert len(fleet.queue.pages) <= 1.15 * fleet.schedule.fleet.sweeps


def test_longer_pages_are_asked_for_where_the_service_gives_them() -> None:
    """Where a page may hold a thousand, the same costs less than half a call each."""
    fleet = a_fleet(1000, longest=1000)

    assert len(fleet.ends) == 1000
    assert len(fleet.queue.looks) + len(fleet.queue.pages) < 0.5 * 1000


def test_never_means_never() -> None:
    """`Pace(sweep="never")` reads no page."""
    fleet = a_fleet(40, pace=Pace(sweep="never"))

    assert len(fleet.ends) == 40
    assert fleet.queue.pages == []


def test_a_few_ids_are_looked_at_alone() -> None:
    """Below the least number no page is read."""
    fleet = a_fleet(LEAST - 1)

    assert len(fleet.ends) == LEAST - 1
    assert fleet.queue.pages == []


@pytest.mark.parametrize(
    "odd",
    [
        {"refused": True},
        {"shuffled": True},
        {"cut": 50, "silent": True, "stuck": True},
        {"cut": 50, "silent": True},
    ],
    ids=["refused", "unordered", "short, offset ignored", "short"],
)
def test_a_list_of_no_use_costs_next_to_nothing(odd: dict[str, Any]) -> None:
    """Where the list is refused, unordered or short, calls stay within a tenth of those by looks alone."""
    alone = a_fleet(300, pace=Pace(sweep="never"))
    fleet = a_fleet(300, **odd)

    assert len(fleet.ends) == 300
    assert len(fleet.queue.looks) + len(fleet.queue.pages) <= 1.1 * len(alone.queue.looks)


def test_a_list_that_is_slower_than_looks_is_left() -> None:
    """Pages that take twenty seconds tell ends too late: soon all is looked at alone, which tells them in time."""
    fleet = a_fleet(600, seconds=20.0)
    late = [fleet.ends[f"r-{number:04}"] for number in range(300, 600)]

    assert len(fleet.ends) == 600
    assert len(fleet.queue.pages) < 20
    assert sum(late) / 300 < 5


def test_a_list_that_is_a_little_slower_is_kept() -> None:
    """A part of a second, once for a hundred ids, is worth a hundred looks."""
    fleet = a_fleet(300, seconds=0.2)

    assert len(fleet.ends) == 300
    assert len(fleet.queue.pages) > len(fleet.queue.looks)


def test_bare_ids_are_learnt_from_an_unfiltered_page() -> None:
    """Ids of which nothing is known are found on pages first; only those not found there are looked at alone."""
    queue = Queue(Random(1))
    for number in range(80):
        queue.put(f"old-{number}", "Veo3", number / 10, 500.0)
    follower = Follower(queue, now=100.0)
    for number in range(80):
        follower.follow(f"old-{number}")
    queue.jobs["elsewhere"] = ("Veo3", 0.0, 500.0)
    follower.follow("elsewhere")
    follower.run(100.0)

    assert len(queue.pages) <= 3
    assert {name for _, name in queue.looks} == {"elsewhere"}
    assert sum(isinstance(event, Progressed) for _, event in follower.told) == 81


def test_what_a_page_does_not_mention_is_looked_at_alone() -> None:
    """Absence proves nothing: an id that the list hides is found by looks, within the longest wait."""
    rng = Random(3)
    follower = Follower(Queue(rng))
    for number in range(60):
        follower.submit(f"r-{number}", "Veo3", rng.uniform(60, 120))
    follower.queue.order.remove("r-7")
    follower.run(1000)

    assert len(follower.ends) == 60
    assert follower.ends["r-7"] <= 30


def test_a_page_of_unchanged_records_tells_nothing() -> None:
    """Between two changes nobody is told anything, however often a page is read."""
    follower = Follower(Queue(Random(1)))
    for number in range(50):
        follower.submit(f"r-{number}", "Veo3", 5000.0)
    follower.run(900)
    told = Counter(type(event).__name__ for _, event in follower.told)

    assert told == {"Progressed": 50}
    assert len(follower.queue.pages) > 20


def test_a_fleet_that_does_not_move_is_reported() -> None:
    """Requests that only pages speak of are reported as stalled as well."""
    follower = Follower(Queue(Random(1)), pace=Pace(stalled_after=600))
    for number in range(50):
        follower.submit(f"r-{number}", "Veo3", 1e6)
    follower.run(600 + 2 * CHECK)
    stalled = [event.request_id for _, event in follower.told if isinstance(event, Stalled)]

    assert len(stalled) == len(set(stalled)) == 50


def test_events_carry_what_is_known_of_their_model() -> None:
    """Once requests of a model have ended, progress says how long they take."""
    fleet = a_fleet(100)
    fleet.submit("late", "Veo3", fleet.now + 60)
    first, last = fleet.told[0][1], fleet.told[-1][1]

    assert isinstance(first, Progressed)
    assert first.estimate is None
    assert isinstance(last, Progressed)
    assert last.estimate is not None
    assert last.estimate.median == pytest.approx(60, rel=0.25)


def _any_run(seed: int) -> list[tuple[float, str, str]]:
    """A fleet on a service with random oddities, to its end. Raises where a promise is broken."""
    rng = Random(seed)
    odd = Oddities(
        lag=rng.choice([0.0, 0.0, 5.0, 40.0]),
        cut=rng.choice([None, None, 50, 7]),
        silent=rng.random() < 0.4,
        repeats=rng.random() < 0.3,
        shuffled=rng.random() < 0.2,
        stuck=rng.random() < 0.2,
        refused=rng.random() < 0.1,
        failing=rng.choice([0.0, 0.0, 0.01, 0.3]),
        longest=rng.choice([20, 100, 1000]),
    )
    pace = Pace(
        first=rng.choice([1.0, 2.0, 5.0]),
        longest=rng.choice([10.0, 30.0]),
        sweep="never" if rng.random() < 0.2 else "auto",
    )
    follower = Follower(Queue(rng, odd), pace, seed=seed)
    count = rng.choice([5, 40, 150])
    for number in range(count):
        follower.run(follower.now + rng.expovariate(rng.choice([1.0, 20.0])))
        model, end = f"model-{rng.randrange(2)}", follower.now + rng.lognormvariate(3.5, 0.6)
        if rng.random() < 0.3:
            follower.queue.put(f"r-{number}", model, follower.now, end)
            follower.follow(f"r-{number}")
        else:
            follower.submit(f"r-{number}", model, end)
    follower.run(5000)
    late = follower.ends

    assert len(late) == count, "an id was lost"
    assert len(follower.schedule) == 0
    if not odd.failing:
        assert follower.unseen <= pace.longest + 1e-6, "an id was unseen for longer than the longest wait"
        assert follower.early == [], "a look before anything of its model ever ended"
        assert max(late.values()) <= pace.longest + 1e-6
        assert not any(isinstance(event, Missed) for _, event in follower.told)
    return [(at, type(event).__name__, event.request_id) for at, event in follower.told]


@search(30, of=100)
@given(strategies.integers(0, 2**32))
def test_every_end_is_told_once_whatever_the_list_does(seed: int) -> None:
    """A list that lags, is cut, repeats itself, loses its order or is refused costs no end, and no end comes twice."""
    _any_run(seed)


@search(4, of=10)
@given(strategies.integers(0, 2**32))
def test_the_same_seed_is_the_same_run(seed: int) -> None:
    """Chance comes from the generator that was handed in, and from nowhere else."""
    assert _any_run(seed) == _any_run(seed)


@pytest.mark.soak
@settings(max_examples=2000, deadline=None)
@given(strategies.integers(0, 2**32))
def test_every_end_is_told_once_two_thousand_times(seed: int) -> None:
    """The same for two thousand seeds."""
    _any_run(seed)


def test_the_world_begins_when_the_clock_says() -> None:
    """The queue's times are those of the clock that the schedule was given."""
    queue = Queue(Random(0))
    queue.put("a", "Veo3", 5.0, 10.0)
    created = queue.record("a", 6.0).created_at

    assert created is not None
    assert created.timestamp() == EPOCH + 5


@pytest.mark.parametrize("known", [True, False], ids=["submitted", "bare"])
def test_a_page_that_is_refused_for_its_length_is_asked_for_shorter(known: bool) -> None:
    """A 400 to a long page costs a shorter one, not the list."""
    follower = Follower(Queue(Random(1), Oddities(longest=1000, strict=100)))
    for number in range(600):
        if known:
            follower.submit(f"r-{number}", "Veo3", 500.0)
        else:
            follower.queue.put(f"r-{number}", "Veo3", 0.0, 500.0)
            follower.follow(f"r-{number}")
    follower.run(1000)

    assert len(follower.ends) == 600
    assert 1 <= sum(limit > 100 for limit in follower.queue.asked) <= 2
    assert len(follower.queue.looks) < 600


def test_a_page_that_breaks_once_is_read_again() -> None:
    """One broken connection does not send a block to be looked at alone."""
    follower = Follower(Queue(Random(1)), pace=Pace(first=5))
    for number in range(50):
        follower.submit(f"r-{number}", "Veo3", 5000.0)
    follower.run(100)
    before = len(follower.queue.looks)
    follower.queue.odd.failing = 1.0
    pages = len(follower.queue.pages)
    while len(follower.queue.pages) == pages:
        follower.now = max(follower.now, follower.schedule.next_due() or 0.0)
        follower.step()
    follower.queue.odd.failing = 0.0
    follower.run(300)

    assert len(follower.queue.looks) == before


def test_an_id_leaves_the_list_with_its_last_reader() -> None:
    """Dropped ids are neither read for nor looked at: the pages stop with the last of them."""
    follower = Follower(Queue(Random(1)))
    for number in range(60):
        follower.submit(f"r-{number}", "Veo3", 5000.0)
    follower.run(300)
    for number in range(60):
        follower.schedule.drop(f"r-{number}", "reader")
    calls = len(follower.queue.pages) + len(follower.queue.looks)
    follower.run(2000)

    assert len(follower.queue.pages) + len(follower.queue.looks) == calls
    assert follower.schedule.next_due() is None
    assert follower.schedule.fleet.models() == {}
    assert +follower.schedule.fleet.statuses == Counter()


@pytest.mark.parametrize("seed", [30418])
def test_seeds_that_once_broke_a_promise(seed: int) -> None:
    """Runs in which an id that the list did not show yet was left unseen for longer than the longest wait."""
    _any_run(seed)


def test_many_of_an_unknown_model_are_looked_at_less_often_each() -> None:
    """Before anything of a model has ended, a hundred ids cost less than half of what they cost one by one.

    None of them is unseen for longer than the pace's longest, and once ends were seen all are told as soon.
    """
    pace = Pace(sweep="never", jitter=0)
    fleet = Follower(Queue(Random(1), Oddities()), pace)
    for number in range(100):
        fleet.submit(f"r-{number:03}", "Veo3", 60.0 + number / 10)
    fleet.run(60.0)
    alone = Follower(Queue(Random(1), Oddities()), pace)
    alone.submit("r-0", "Veo3", 60.0)
    alone.run(60.0)
    seen: dict[str, float] = {}
    gaps = []
    for at, name in fleet.queue.looks:
        gaps.append(at - seen.get(name, 0.0))
        seen[name] = at

    assert len(fleet.queue.looks) < 0.5 * 100 * len(alone.queue.looks)
    assert max(gaps) <= pace.longest


@pytest.mark.parametrize(
    "odd",
    [
        {"lag": 10.0, "cut": 50, "silent": True},
        {"lag": 10.0, "cut": 50, "silent": True, "repeats": True},
        {"cut": 50, "silent": True},
        {"repeats": True},
    ],
    ids=["lags, short and silent", "lags and repeats itself", "short and silent", "repeats itself"],
)
def test_an_odd_list_that_tells_the_truth_is_used(odd: dict[str, Any]) -> None:
    """A list that lags, gives fifty records without a word of more, or repeats some still saves most of the looks."""
    fleet, alone = _many(**odd), _many(refused=True)

    assert len(fleet.ends) == len(alone.ends) == 600
    assert len(fleet.queue.looks) + len(fleet.queue.pages) < 0.5 * len(alone.queue.looks)
    assert sum(fleet.ends.values()) < sum(alone.ends.values())


@cache
def _many(**odd: Any) -> Follower:
    """Six hundred requests of one model, ten a second, most of which last between half a minute and two."""
    rng = Random(1)
    fleet = Follower(Queue(rng, Oddities(**odd)), Pace())
    for number in range(600):
        fleet.run(number / 10)
        fleet.submit(f"r-{number:04}", "Veo3", fleet.now + rng.lognormvariate(4.2, 0.5))
    fleet.run(2000)
    return fleet
