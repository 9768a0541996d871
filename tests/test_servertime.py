"""The service's clock: what it is learnt from, what is believed more, and how wrong it may be."""

import pytest

from gmi_video._servertime import DATE_SLACK, WALL_SLACK, ServerTime

NOON = 1_700_000_000.0
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"
"""The same moment."""


def test_at_first_the_wall_clock_is_trusted_within_minutes() -> None:
    """There is nothing better before the first answer."""
    clock = ServerTime(wall=NOON, now=10)

    assert (clock.at(25), clock.slack) == (NOON + 15, WALL_SLACK)


def test_a_date_corrects_a_wall_clock_that_is_wrong_by_hours() -> None:
    """It has whole seconds, so half of one is added."""
    clock = ServerTime(wall=NOON - 7200, now=10)
    clock.heard_date(DATE, 20)

    assert (clock.at(20), clock.slack) == (NOON + 0.5, DATE_SLACK)


def test_a_date_without_a_zone_is_utc() -> None:
    """Some servers leave it out, or write -0000."""
    clock = ServerTime(wall=0, now=0)
    clock.heard_date("Tue, 14 Nov 2023 22:13:20 -0000", 0)

    assert clock.at(0) == NOON + 0.5


@pytest.mark.parametrize("words", ["", "yesterday", "Tue, 99 Nov 2023 22:13:20 GMT", "Tue, 14 Nov 99999999"])
def test_a_date_that_is_none_changes_nothing(words: str) -> None:
    """Nothing is learnt from junk."""
    clock = ServerTime(wall=NOON, now=0)
    clock.heard_date(words, 0)

    assert (clock.at(0), clock.slack) == (NOON, WALL_SLACK)


def test_without_a_date_an_acceptance_tells_the_time() -> None:
    """It was created between sending and answer; the shortest of several says it best."""
    clock = ServerTime(wall=NOON, now=0)
    clock.heard_created(NOON + 100, sent=90, now=110)
    first = (clock.at(100), clock.slack)
    clock.heard_created(NOON + 150, sent=140, now=160)
    clock.heard_created(NOON + 200, sent=199, now=201)

    assert first == (NOON + 100.5, 11.0)
    assert (clock.at(200), clock.slack) == (NOON + 200.5, 2.0)


def test_without_a_date_an_acceptance_corrects_a_wall_clock_that_is_wrong() -> None:
    """However long the answer took: the wall clock is out of the question."""
    clock = ServerTime(wall=NOON + 90_000, now=0)
    clock.heard_created(NOON, sent=0, now=800)

    assert (clock.at(400), clock.slack) == (NOON + 0.5, 401.0)


def test_a_date_that_agrees_with_an_acceptance_stays() -> None:
    """A second more or less is what whole seconds do."""
    clock = ServerTime(wall=NOON, now=0)
    clock.heard_date(DATE, 0)
    for _ in range(3):
        clock.heard_created(NOON - 1, sent=0, now=0.2)

    assert (clock.at(0), clock.slack) == (NOON + 0.5, DATE_SLACK)


def test_two_acceptances_are_believed_against_the_date_of_an_edge() -> None:
    """The clock behind `created_at` is the one that windows are measured with."""
    clock = ServerTime(wall=NOON, now=0)
    clock.heard_date(DATE, 0)
    clock.heard_created(NOON - 40, sent=0, now=0.2)
    once = clock.at(0)
    clock.heard_created(NOON - 39, sent=1, now=1.2)
    clock.heard_date("Tue, 14 Nov 2023 22:13:22 GMT", 2)

    assert once == NOON + 0.5
    assert clock.at(1.1) == pytest.approx(NOON - 38.5)
    assert clock.slack == pytest.approx(1.1)


def test_one_odd_acceptance_is_not_believed() -> None:
    """Nor two that contradict each other as well, nor two with an ordinary one between them."""
    clock = ServerTime(wall=NOON, now=0)
    clock.heard_date(DATE, 0)
    for created in (NOON - 4000, NOON, NOON - 4000, NOON + 9000):
        clock.heard_created(created, sent=0, now=0.2)

    assert (clock.at(0), clock.slack) == (NOON + 0.5, DATE_SLACK)


def test_after_that_a_clock_that_jumps_is_followed_by_its_acceptances() -> None:
    """The service's clock may be set; the next acceptance shows it."""
    clock = ServerTime(wall=NOON, now=0)
    clock.heard_created(NOON, sent=0, now=1)
    clock.heard_created(NOON + 60, sent=1, now=2)

    assert clock.at(1.5) == pytest.approx(NOON + 60.5)


def test_the_same_second_said_again_moves_nothing() -> None:
    """Of several answers of one second the first is the nearest to its beginning."""
    clock = ServerTime(wall=0, now=0)
    clock.heard_date(DATE, 20)
    clock.heard_date(DATE, 20.9)

    assert clock.at(20) == NOON + 0.5
