import math
from random import Random
from statistics import median

import pytest

from gmi_video.sandbox.behaviour import Behaviour
from gmi_video.sandbox.lives import draw, stillborn
from gmi_video.sandbox.queue import Life


def life_of(behaviour: Behaviour, *, speed: float = 1.0) -> Life:
    """A life of a fixed seed."""
    return draw(behaviour, Random(0), speed)


def test_durations_follow_the_median_that_the_model_states() -> None:
    """Half of the seeded durations lie below the stated median, and they differ."""
    rng = Random(1)
    drawn = [draw(Behaviour(median=240, sigma=0.15), rng, 1.0).ends_after for _ in range(2000)]

    assert 233 < median(drawn) < 247
    assert len(set(drawn)) == 2000


def test_speed_divides_every_second_of_a_life() -> None:
    """At a speed of 60 a request takes a sixtieth of the time, step by step."""
    behaviour = Behaviour(outcome_after=6.0, unknown_for=12.0, unlisted_for=18.0)
    slow, fast = life_of(behaviour), life_of(behaviour, speed=60)

    for (long, word), (short, same) in zip(slow.changes, fast.changes, strict=True):
        assert word == same
        assert short == pytest.approx(long / 60)
    assert (fast.told - fast.ends_after, fast.unknown_for, fast.unlisted_for) == pytest.approx(
        (0.1, 0.2, 0.3)
    )


def test_a_dead_model_changes_never() -> None:
    """A dead model's request has one status and no end."""
    life = life_of(Behaviour(dead=True))

    assert life.changes == ((0.0, "queued"),)
    assert life.end is None


def test_a_script_may_fix_the_seconds() -> None:
    """`seconds` is the time from creation to the end exactly, `queued` the part before the work."""
    life = life_of(Behaviour(seconds=30, queued=5))

    assert life.changes == ((0.0, "queued"), (5.0, "processing"), (30.0, "success"))


def test_a_long_queue_is_added_to_the_drawn_time_of_the_work() -> None:
    """`queued` alone lengthens the life: the work still takes its drawn time."""
    assert life_of(Behaviour(queued=1000)).ends_after == pytest.approx(1000 + life_of(Behaviour()).ends_after)


def test_steps_come_in_their_order_before_the_work() -> None:
    """Named steps share the time in the queue; the last of them is the work."""
    life = life_of(Behaviour(steps=("queued", "dispatched", "processing"), seconds=30, queued=6))

    assert life.changes == ((0.0, "queued"), (3.0, "dispatched"), (6.0, "processing"), (30.0, "success"))


def test_status_words_can_be_other_words() -> None:
    """The end stays what it is when the vendor calls it something else."""
    life = life_of(Behaviour(words={"success": "completed", "queued": "waiting"}))

    assert [word for _, word in life.changes] == ["waiting", "processing", "completed"]
    assert life.end == "success"


@pytest.mark.parametrize(
    ("behaviour", "end"),
    [(Behaviour(), "success"), (Behaviour(fails="no"), "failed"), (Behaviour(cancelled=True), "cancelled")],
)
def test_a_life_ends_as_told(behaviour: Behaviour, end: str) -> None:
    """A request succeeds unless its behaviour says that it fails or is cancelled."""
    assert life_of(behaviour).end == end


@pytest.mark.parametrize(("drawn", "blocks"), [(1, 10), (1000, 150)])
def test_a_synchronous_model_works_ten_to_a_hundred_and_fifty_seconds(drawn: float, blocks: float) -> None:
    """A synchronous model is at work at once, for a time within what was seen in production."""
    life = life_of(Behaviour(sync=True, median=drawn, sigma=0.01))

    assert life.changes == ((0.0, "processing"), (blocks, "success"))


def test_a_script_shifts_no_other_request() -> None:
    """Whatever is scripted for one request, the next one draws what it would have drawn."""
    plain, scripted = Random(5), Random(5)
    draw(Behaviour(), plain, 1.0)
    draw(Behaviour(dead=True, seconds=3.0), scripted, 1.0)

    assert draw(Behaviour(), plain, 1.0) == draw(Behaviour(), scripted, 1.0)


def test_only_a_success_tells_its_outcome_late() -> None:
    """A delayed outcome belongs to success; a failure's reason is there at once."""
    assert life_of(Behaviour(outcome_after=math.inf)).told == math.inf
    assert life_of(Behaviour(outcome_after=9, fails="no")).told == 0


def test_a_refused_submission_leaves_a_record_that_failed_at_birth() -> None:
    """The record behind a 500 is failed from its first moment, listed as late as told."""
    lagging = Behaviour(unlisted_for=4.0)
    life = stillborn(lagging, life_of(lagging, speed=2.0))

    assert (life.changes, life.end, life.unlisted_for) == (((0.0, "failed"),), "failed", 2.0)
