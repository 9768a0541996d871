"""What is remembered of request ids, and for how long."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmi_video._recent import PARTS, Recent

FEW, MOST, YOUNG = 40, 400, 100.0
NEVER = float("inf")


def lived(
    steps: list[tuple[float, int]], reach: Callable[[], float] = lambda: NEVER
) -> tuple[Recent[int], dict[str, float], float]:
    """A memory after so many seconds and new ids, again and again; when each id came; and the time."""
    kept: Recent[int] = Recent(few=FEW, most=MOST, young=YOUNG)
    came: dict[str, float] = {}
    now = 0.0
    for seconds, count in steps:
        now += seconds
        for _ in range(count):
            kept.turn(now, reach)
            name = f"r{len(came)}"
            came[name] = now
            kept.setdefault(name, len(came))
    return kept, came, now


STEPS = st.lists(
    st.tuples(st.floats(0, 60, allow_subnormal=False), st.integers(0, 60)), min_size=1, max_size=60
)


@given(STEPS)
def test_the_last_few_and_the_young_are_known_and_the_rest_goes(steps: list[tuple[float, int]]) -> None:
    """Few ids are kept however old they are, more while they are young, and never much more than most."""
    kept, came, now = lived(steps)
    names = list(came)
    young = [name for name in names if now - came[name] < YOUNG]

    assert set(names[-FEW:]) <= kept.keys()
    assert set(young[-MOST + MOST // PARTS :]) <= kept.keys()
    assert len(kept) <= MOST + MOST // PARTS
    assert all(kept[name] == int(name[1:]) + 1 for name in kept)


@given(STEPS, st.floats(0, 1000))
def test_nothing_is_forgotten_that_an_open_submission_may_need(
    steps: list[tuple[float, int]], since: float
) -> None:
    """What was learnt since then stays, up to most."""
    kept, came, _ = lived(steps, lambda: since)
    needed = [name for name, when in came.items() if when >= since]

    assert set(needed[-MOST + MOST // PARTS :]) <= kept.keys()


def test_what_goes_on_for_days_needs_the_memory_of_its_last_hour() -> None:
    """At one pace the number stays what it is."""
    sizes = {len(lived([(10, 10)] * rounds)[0]) for rounds in (100, 500, 1000, 1001, 1002, 1003)}

    assert max(sizes) <= 10 * YOUNG / 10 + 2 * FEW


def test_the_first_word_on_an_id_holds() -> None:
    """Until it is dropped."""
    kept: Recent[str] = Recent(few=FEW, most=MOST, young=YOUNG)

    assert (kept.setdefault("r", "a"), kept.setdefault("r", "b"), kept["r"], dict(kept)) == (
        "a",
        "a",
        "a",
        {"r": "a"},
    )
    kept.drop("r")
    assert ("r" in kept, len(kept)) == (False, 0)
    with pytest.raises(KeyError):
        kept["r"]
