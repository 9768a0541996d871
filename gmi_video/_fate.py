"""What the answer to a submission proves: accepted, definitely refused, or nothing.

Definite is only what is known to be said before a request is created: the service's own refusals. A proxy may
say 502, 503 or 504 after it has passed the POST on, and a 2xx that is not understood was an acceptance.
"""

import re
from collections.abc import Callable

from attrs import field, frozen

from gmi_video import errors
from gmi_video._kind import kind_of
from gmi_video.errors import GmiVideoError, MalformedResponse, ResponseError
from gmi_video.ledger import Intent
from gmi_video.records import Snapshot
from gmi_video.wire import Call, Reply, read_submission

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


@frozen(kw_only=True)
class Seen:
    """What was seen of a POST whose fate is unknown. `salvaged` is the id that stood in its broken answer;
    where requests are not `listed`, nobody can look for it.
    """  # noqa: D205  # one thought

    evidence: str
    status: int | None = None
    salvaged: tuple[str, ...] = ()
    listed: bool = True
    candidates: tuple[str, ...] = field()

    @candidates.default
    def _as_salvaged(self) -> tuple[str, ...]:
        return self.salvaged


def salvaged(body: bytes) -> tuple[str, ...]:
    """The one complete request id that stands in a broken body, if there is just one."""
    found = {match.decode() for match in _ID.findall(body[:65_536])}
    return tuple(found) if len(found) == 1 else ()


def no_capacity(error: GmiVideoError) -> bool:
    """A 503 in the queue's own words: nothing was created, which one look at the list confirms."""
    return (
        isinstance(error, ResponseError) and error.status == 503 and bool(_NO_CAPACITY.search(error.message))
    )


def refused(error: ResponseError) -> bool:
    """Whether this answer to a POST proves that no request was created."""
    if isinstance(error, _DEFINITE) or error.status in _DEFINITE_STATUS:
        return True
    if isinstance(error, errors.Rejected):
        return bool(error.message)
    return no_capacity(error)


def read_fate(
    call: Call, reply: Reply, read: Callable[[Call, Reply], Snapshot] = read_submission
) -> tuple[Snapshot, bytes] | Seen:
    """An acceptance with its bytes, or what was seen where nothing is proven; raises definite refusals."""
    try:
        return read(call, reply), reply.body
    except ResponseError as error:
        if refused(error):
            raise
        seen: GmiVideoError = error
    except MalformedResponse as error:
        seen = error
    status = reply.status if isinstance(seen, ResponseError) else None
    return Seen(evidence=str(seen), status=status, salvaged=salvaged(reply.body))


def with_reason(error: ResponseError, record: Snapshot | None) -> ResponseError:
    """A refusal with the reason that its failed record gives; content gets a class of its own."""
    words = record.failure.message if record is not None and record.failure else ""
    if not words:
        return error
    assert record is not None
    kind = kind_of(words, record.failure.code if record.failure else None)
    leaf = errors.ContentRefused if kind == "content" else type(error)
    return leaf(
        f"{error}: {words}",
        status=error.status,
        words=words,
        retry_after=error.retry_after,
        kind=kind,
        request_id=record.request_id,
        key=error.key,
        attempts=error.attempts,
    )


def uncertain(intent: Intent, seen: Seen) -> errors.SubmissionUncertain:
    """The error of a submission whose fate is not known, in words that a person can act on."""
    names = seen.candidates
    where = "the list of your requests" if seen.listed else "your requests in the console"
    may_be = f" It may be {' or '.join(names[:5])}." if names else ""
    return errors.SubmissionUncertain(
        f"the answer to a submission to {intent.model} was lost ({seen.evidence}). GMI may be running it, and may "
        f"charge for it.{may_be} It was not sent again; look at {where} before you do",
        intent=intent,
        evidence=seen.evidence,
        candidates=names,
        key=intent.key,
        request_id=seen.salvaged[0] if names == seen.salvaged != () else None,
        attempts=intent.attempt,
    )
