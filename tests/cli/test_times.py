"""Spans and moments are read as people type them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from gmi_video.cli.times import deadline_of, moment_of, seconds_of, span
from gmi_video.errors import ConfigurationError

NOON = datetime(2026, 11, 20, 12, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("10m", 600), ("10min", 600), ("1h30m", 5400), ("1.5h", 5400), ("2D", 172_800)],
)
def test_a_span_is_read(text: str, seconds: float) -> None:
    """Numbers with the usual units, added up; a bare number is seconds."""
    assert seconds_of(text, "--deadline") == seconds


@pytest.mark.parametrize("text", ["", "soon", "10x", "-5", "0", "1h junk", "9" * 400])
def test_what_is_no_span_is_refused(text: str) -> None:
    """Anything else is refused by the name of its option."""
    with pytest.raises(ConfigurationError, match="--deadline"):
        seconds_of(text, "--deadline")


def test_never_is_a_deadline() -> None:
    """`never` waits for ever."""
    assert deadline_of("never") is None
    assert deadline_of("2m") == 120


def test_a_moment_is_a_span_ago_or_a_date() -> None:
    """`1h` is an hour ago; a date without a zone is in the zone of now; one with a zone keeps it."""
    assert moment_of("1h", NOON) == NOON - timedelta(hours=1)
    assert moment_of("2026-11-20T08:00", NOON) == datetime(2026, 11, 20, 7, tzinfo=UTC)
    assert moment_of("2026-11-20T08:00Z", NOON) == datetime(2026, 11, 20, 8, tzinfo=UTC)
    with pytest.raises(ConfigurationError, match="neither a span"):
        moment_of("yesterday", NOON)


def test_a_span_is_told() -> None:
    """Two units at most, rounded."""
    told = [span(seconds) for seconds in (7.21, 64.4, 3599.9, 7500, 273_600)]

    assert told == ["7.2 s", "1 min 04 s", "1 h 00 min", "2 h 05 min", "3 d 04 h"]
