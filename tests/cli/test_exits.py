"""Each kind of error has its exit code."""

import pytest

from gmi_video import errors
from gmi_video.cli import exits


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.GenerationFailed(request_id="r"), 1),
        (errors.Rejected(), 1),
        (errors.NotFound(), 1),
        (errors.Unreachable(), 1),
        (errors.ConfigurationError(), 2),
        (errors.PayloadInvalid(), 2),
        (errors.TargetUnusable(), 2),
        (errors.TargetUnusable(request_id="r"), 1),
        (errors.Unauthorized(), 3),
        (errors.NotEntitled(), 3),
        (errors.InsufficientCredit(), 4),
        (errors.SubmissionUncertain(), 5),
    ],
)
def test_an_error_has_its_code(error: errors.GmiVideoError, code: int) -> None:
    """Whose turn it is to act decides; a target is wrong usage only until something was paid."""
    assert exits.code_of(error) == code


def test_an_uncertain_charge_says_where_to_look() -> None:
    """Nobody is left to repeat a paid call blindly: the advice names the command that shows what became of it."""
    bare = exits.advice(errors.SubmissionUncertain())
    named = exits.advice(errors.SubmissionUncertain(candidates=("r-1", "r-2")))

    assert bare is not None
    assert "gmi-video list --since" in bare
    assert named is not None
    assert "gmi-video status r-1 r-2" in named
    assert exits.advice(errors.Rejected()) is None
    unlisted = exits.advice(errors.SubmissionUncertain(evidence="lost; this door has no list of requests"))
    assert unlisted is not None
    assert "in the console" in unlisted
    assert "gmi-video list" not in unlisted


def test_only_what_runs_can_be_resumed() -> None:
    """A request that failed, or that nobody knows, is over; an overdue one is not."""
    assert exits.over(errors.GenerationFailed())
    assert exits.over(errors.NotFound())
    assert not exits.over(errors.GenerationOverdue())
    assert not exits.over(errors.Incomplete())
