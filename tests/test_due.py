"""The heap of due times: in order, and without a pause for what was forgotten."""

from random import Random

import pytest

from gmi_video._due import SLACK, STEP, WIDTH, Due
from gmi_video._entry import Entry
from gmi_video.settings import Pace


def an_entry(name: str) -> Entry:
    return Entry(name, (), Pace(), 2.0, 0.0, 0.0)


def taken(due: Due, now: float) -> list[str]:
    """Everything that is due, in its order."""
    found = []
    while (item := due.top(now)) is not None:
        assert isinstance(item, Entry)
        assert due.take(now) is item
        found.append(item.request_id)
    return found


def test_what_is_due_comes_in_order_however_much_was_forgotten() -> None:
    """Among thousands of times that count no more the others come as if they were alone."""
    rng, due = Random(1), Due()
    entries = [an_entry(f"{number}") for number in range(6 * SLACK)]
    for entry in entries:
        due.plan(entry, rng.uniform(0, 100))
    live = len(entries)
    for entry in entries[SLACK:]:
        entry.due = None
        live -= 1
        due.tidy(live)
    expected = sorted(entries[:SLACK], key=lambda entry: entry.due or 0.0)

    assert taken(due, 100.0) == [entry.request_id for entry in expected]
    assert due.next() is None


def test_forgetting_is_paid_in_small_coins() -> None:
    """No single forgetting looks at more than a few times, and what is kept stays within twice what counts."""
    due = Due()
    entries = [an_entry(f"{number}") for number in range(20 * SLACK)]
    for number, entry in enumerate(entries):
        due.plan(entry, float(number))
    live, steps = len(entries), []
    for entry in entries:
        entry.due = None
        live -= 1
        before = len(due)
        due.tidy(live)
        steps.append(before - len(due))

    assert max(steps) <= STEP
    assert len(due) <= 2 * SLACK


def test_a_hold_and_a_new_time_count_at_once() -> None:
    """What is planned anew is due then only, and nothing before the end of a hold."""
    due, entry = Due(), an_entry("a")
    due.plan(entry, 1.0)
    due.plan(entry, 5.0)
    due.hold(7.0)

    assert due.next() == 7.0
    assert taken(due, 6.9) == []
    assert taken(due, 7.0) == ["a"]


def test_equal_times_go_in_the_order_in_which_they_were_planned() -> None:
    """Before the first look, and while it is under way; also where they were planned for another time before."""
    due = Due()
    first, second, third, late = (an_entry(name) for name in ("first", "second", "third", "late"))
    due.plan(late, 3.0 - WIDTH / 2)
    for entry in (first, second):
        due.plan(entry, 3.0)
    assert due.next() == 3.0 - WIDTH / 2
    due.plan(late, 3.0)
    due.plan(third, 3.0)

    assert taken(due, 3.0) == ["first", "second", "late", "third"]


def test_what_is_planned_before_the_next_that_was_seen_comes_first() -> None:
    """To ask for a time far away opens its slot; what comes meanwhile is not left behind it."""
    due = Due()
    due.plan(an_entry("far"), 1000.0)
    assert due.next() == 1000.0
    due.plan(an_entry("near"), 5.0)
    due.plan(an_entry("overdue"), 1.0)

    assert due.next() == 1.0
    assert taken(due, 1000.0) == ["overdue", "near", "far"]


@pytest.mark.parametrize("seed", range(12))
def test_it_is_a_sorted_list(seed: int) -> None:
    """Whatever is planned, planned anew, forgotten and taken, close together and far apart: the earliest is next."""
    rng, due, now = Random(seed), Due(), 0.0
    entries = [an_entry(f"{number}") for number in range(40)]
    times: dict[str, float] = {}
    gone = [an_entry("gone") for _ in range(30 * SLACK)] if seed % 2 else []
    for entry in gone:  # so many that they are cleared away while all this goes on
        due.plan(entry, rng.uniform(0, 2000 * WIDTH))
        entry.due = None
    for _ in range(6000):
        entry = rng.choice(entries)
        match rng.choice(("plan", "plan", "forget", "take")):
            case "plan":
                near = rng.choice((0.0, WIDTH * rng.random(), WIDTH * rng.randrange(4), 90 * rng.random()))
                times[entry.request_id] = now + near
                due.plan(entry, now + near)
            case "forget":
                entry.due = None
                times.pop(entry.request_id, None)
                due.tidy(len(times))
            case _:
                earliest = min(times.values(), default=None)
                assert due.next() == earliest
                now = max(now, earliest or 0.0) if rng.random() < 0.5 else now
                item = due.take(now)
                if earliest is None or earliest > now:
                    assert item is None
                else:
                    assert isinstance(item, Entry)
                    assert (times.pop(item.request_id), item.due) == (earliest, None)
    assert len(due) <= 2 * len(entries) + 2 * SLACK
