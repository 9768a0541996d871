"""Delays and verdicts: arithmetic and a table."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmi_video import errors
from gmi_video._backoff import Verdict, delay, verdict
from gmi_video.errors import GmiVideoError
from gmi_video.settings import Patience

STEADY = Patience(first=0.5, growth=2, longest=30, jitter=0)


@pytest.mark.parametrize(
    ("repeat", "seconds"), [(1, 0.5), (2, 1), (3, 2), (6, 16), (7, 30), (8, 30), (5000, 30), (10**9, 30)]
)
def test_delays_grow_up_to_the_longest(repeat: int, seconds: float) -> None:
    """The delay grows by its factor each time and never beyond the longest, overflow included."""
    assert seconds == delay(repeat, STEADY, Random(1))


@given(st.integers(1, 50), st.floats(0, 1), st.integers())
def test_jitter_only_shortens(repeat: int, jitter: float, seed: int) -> None:
    """A delay lies between its full length and that less the jitter's share."""
    full = delay(repeat, STEADY, Random(seed))

    found = delay(repeat, Patience(first=0.5, growth=2, longest=30, jitter=jitter), Random(seed))

    assert full * (1 - jitter) <= found <= full


@given(st.integers(1, 20), st.floats(0, 1e9), st.integers())
def test_the_service_is_never_called_too_early(repeat: int, asked: float, seed: int) -> None:
    """What the service asked for is waited in full, at most a tenth longer, or our own delay where that is longer."""
    own = delay(repeat, Patience(), Random(seed))

    found = delay(repeat, Patience(), Random(seed), retry_after=asked)

    assert asked <= found
    assert found <= max(own, asked * 1.1)


def test_a_service_that_asks_for_no_wait_is_not_hammered() -> None:
    """`Retry-After: 0` means our own delay, not a call at once."""
    assert delay(4, STEADY, Random(1), retry_after=0.0) == 4.0


def test_equal_waits_are_spread() -> None:
    """Clients that were told the same moment come at different ones."""
    waits = {delay(1, STEADY, Random(seed), retry_after=60.0) for seed in range(50)}

    assert len(waits) == 50


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.NotFound("x"), "lost"),
        (errors.Unreachable("x"), "again"),
        (errors.Unreachable("x", retryable=False), "fatal"),
        (errors.TimedOut("x"), "again"),
        (errors.Interrupted("x"), "again"),
        (errors.RateLimited("x"), "again"),
        (errors.ServiceError("x"), "again"),
        (errors.ServiceError("x", retryable=False), "fatal"),
        (errors.MalformedResponse("x"), "again"),
        (errors.Unauthorized("x"), "fatal"),
        (errors.NotEntitled("x"), "fatal"),
        (errors.InsufficientCredit("x"), "fatal"),
        (errors.Rejected("x"), "fatal"),
        (errors.ContentRefused("x"), "fatal"),
        (errors.BackendRefused("x"), "fatal"),
        (errors.ConfigurationError("x"), "fatal"),
        (errors.SubmissionUncertain("x"), "fatal"),
        (errors.GenerationOverdue("x"), "fatal"),
        (errors.Incomplete("x"), "fatal"),
        (errors.GmiVideoError("x", retryable=True), "fatal"),
    ],
)
def test_each_error_has_a_verdict(error: GmiVideoError, expected: Verdict) -> None:
    """Only trouble of the way and of the service is worth another free call; an unknown id is lost."""
    assert expected == verdict(error)
