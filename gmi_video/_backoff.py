"""How long to wait before a call is repeated, and whether it may be. Arithmetic and a table, no clock."""

from random import Random
from typing import Literal

from gmi_video.errors import (
    GmiVideoError,
    MalformedResponse,
    NotFound,
    RateLimited,
    ServiceError,
    TransportError,
)
from gmi_video.settings import Patience

Verdict = Literal["again", "lost", "fatal"]


def delay(repeat: int, patience: Patience, rng: Random, retry_after: float | None = None) -> float:
    """Seconds before the `repeat`-th repetition (from 1): min(longest, first · growth^(repeat-1)), shortened by
    up to `jitter` of itself, and never less than the service asked for (up to a tenth more, so that those who
    were told the same moment do not come together). A service that asks for 0 seconds is not hammered.
    """  # noqa: D205  # one formula
    try:
        grown = patience.first * float(patience.growth) ** (repeat - 1)
    except OverflowError:
        grown = patience.longest
    own = min(patience.longest, grown) * (1 - patience.jitter * rng.random())
    return own if retry_after is None else max(own, retry_after * (1 + 0.1 * rng.random()))


def verdict(error: GmiVideoError) -> Verdict:
    """Whether a failed call that costs nothing is worth making again, is lost, or will never succeed."""
    match error:
        case NotFound():
            return "lost"
        case TransportError() | RateLimited() | ServiceError() | MalformedResponse():
            return "again" if error.retryable else "fatal"
        case _:
            return "fatal"
