"""What the answer to a submission proves: accepted, definitely refused, or nothing.

Definite is only what is known to be said before a request is created: the service's own refusals. A proxy may
say 502, 503 or 504 after it has passed the POST on, and a 2xx that is not understood was an acceptance.
"""

import re

from gmi_video import errors
from gmi_video.errors import GmiVideoError, ResponseError

_DEFINITE = (
    errors.Unauthorized,
    errors.InsufficientCredit,
    errors.NotEntitled,
    errors.NotFound,
    errors.RateLimited,
    errors.BackendRefused,
)
_DEFINITE_STATUS = frozenset({405, 413, 415})
_NO_CAPACITY = re.compile(r"capacity|overloaded|temporarily unavailable", re.IGNORECASE)
_ID = re.compile(rb'"request_id"\s*:\s*"([A-Za-z0-9_-]{1,128})"')


def refused(error: ResponseError) -> bool:
    """Whether this answer to a POST proves that no request was created.

    A 503 in the queue's own words (no capacity) is taken for a refusal; the same from an edge is not.
    """
    if isinstance(error, _DEFINITE) or error.status in _DEFINITE_STATUS:
        return True
    if isinstance(error, errors.Rejected):
        return bool(error.message)
    return error.status == 503 and bool(_NO_CAPACITY.search(error.message))


def salvaged(body: bytes) -> tuple[str, ...]:
    """The one complete request id that stands in a broken body, if there is just one."""
    found = {match.decode() for match in _ID.findall(body[:65_536])}
    return tuple(found) if len(found) == 1 else ()


def uncertain(
    model: str, key: object, seen: GmiVideoError, candidates: tuple[str, ...]
) -> errors.SubmissionUncertain:
    """The error of a submission whose fate is not known, in words that a person can act on."""
    may_be = f"; it may be request {candidates[0]}" if len(candidates) == 1 else ""
    return errors.SubmissionUncertain(
        f"the answer to a submission to {model} was lost ({seen}); GMI may be running it, and may charge for "
        f"it{may_be}. Nothing was sent again: look for it in the list of your requests before you do",
        evidence=str(seen),
        candidates=candidates,
        key=key,
        request_id=candidates[0] if len(candidates) == 1 else None,
    )
