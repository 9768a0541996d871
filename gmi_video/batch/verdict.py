"""What an error means for a line: pure. Money is never sent twice for it, and no line fails for others' trouble."""

from typing import Literal

from gmi_video.batch.errors import BudgetExceeded, JournalError
from gmi_video.batch.records import Retry
from gmi_video.errors import (
    ConfigurationError,
    GmiVideoError,
    InsufficientCredit,
    NotEntitled,
    PayloadInvalid,
    RateLimited,
    ServiceError,
    SubmissionUncertain,
    TransferError,
    TransportError,
    Unauthorized,
)
from gmi_video.records import Failure, Kind

Verdict = Literal["again", "later", "credit", "model", "fail", "uncertain", "stop"]
"""Of an error of a submission. "again": a new attempt is allowed; "later": the service is in trouble, and the same
attempt is made when it is not; "credit": parked, the account cannot pay for it; "model": the model's lines are
parked; "fail": the line ends; "uncertain": somebody must decide; "stop": nothing more can be submitted."""

_MEANINGS: tuple[tuple[tuple[type[Exception], ...], Verdict], ...] = (
    ((SubmissionUncertain,), "uncertain"),
    ((PayloadInvalid,), "fail"),
    ((JournalError, BudgetExceeded, Unauthorized, ConfigurationError), "stop"),
    ((InsufficientCredit,), "credit"),
    ((NotEntitled,), "model"),
    ((RateLimited, ServiceError, TransportError), "later"),
)


def of_submission(error: Exception, attempts: int, retry: Retry | None) -> Verdict:
    """What is to be done after a submission raised this, `attempts` of it having been sent."""
    for kinds, meaning in _MEANINGS:
        if isinstance(error, kinds):
            return meaning
    if not isinstance(error, GmiVideoError):
        return "stop"
    if isinstance(error, TransferError):  # of a local file on its way up
        return "later" if error.retryable else "fail"
    kind: Kind = getattr(error, "kind", "unknown")
    return "again" if _allowed(kind, attempts, retry) else "fail"


def of_failure(failure: Failure | None, attempts: int, retry: Retry | None) -> bool:
    """Whether a request that failed at the service, uncharged, is worth another attempt."""
    return failure is not None and _allowed(failure.kind, attempts, retry)


def _allowed(kind: Kind, attempts: int, retry: Retry | None) -> bool:
    return retry is not None and kind in retry.kinds and attempts < retry.attempts


def pause(troubles: int, share: float) -> float:
    """Seconds before the service is asked again after `troubles` in a row: 15 growing to 300, a random `share` of
    a quarter less, so that models do not ask in step.
    """  # noqa: D205  # one thought
    longest: float = min(300.0, 15.0 * 2.0 ** min(troubles - 1, 10))
    return longest * (1 - 0.25 * share)
