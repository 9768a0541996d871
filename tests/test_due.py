"""The heap of due times: in order, and without a pause for what was forgotten."""

from random import Random

from gmi_video._due import SLACK, STEP, Due
from gmi_video._entry import Entry
from gmi_video.settings import Pace


def an_entry(name: str) -> Entry:
    return Entry(name, (), Pace(), 2.0, 0.0, 0.0)


def taken(due: Due, now: float) -> list[str]:
    """Everything that is due, in its order."""
    found = []
    while (item := due.top(now)) is not None:
        assert isinstance(item, Entry)
        found.append(item.request_id)
        due.pop()
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
