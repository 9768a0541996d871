"""Every way to fail, in families by whose turn it is to act.

    GmiVideoError
    ├─ ConfigurationError           also ValueError: before anything was sent
    ├─ TransportError               nothing intelligible came back
    │   ├─ Unreachable              provably never sent: safe to repeat
    │   ├─ TimedOut                 also TimeoutError
    │   └─ Interrupted              the connection broke part-way
    ├─ SubmissionUncertain          the POST may have been accepted
    ├─ ResponseError                the service answered no
    │   ├─ Rejected (400, other 4xx)
    │   │   └─ ContentRefused       moderation
    │   ├─ Unauthorized (401)
    │   ├─ InsufficientCredit (402)
    │   ├─ NotEntitled (403, and the 404 that says so)
    │   ├─ NotFound (404)
    │   ├─ RateLimited (429)
    │   ├─ BackendRefused           the 500 that is really a 4xx behind the service
    │   └─ ServiceError             other 5xx, 3xx, an edge's HTML
    ├─ MalformedResponse            2xx but not understood: "what @ path"
    ├─ GenerationError              the work itself ended badly
    │   ├─ GenerationFailed
    │   ├─ GenerationCancelled
    │   ├─ GenerationEmpty          success without media
    │   └─ GenerationOverdue        also TimeoutError: still running, resume with its id
    ├─ PayloadInvalid               refused here; nothing was sent
    └─ TransferError                upload or download
        ├─ Incomplete               fewer bytes than promised
        ├─ LinkExpired              the link is dead
        ├─ IntegrityError           the bytes are not what they should be
        ├─ UnsafeURL                a link that may not be followed
        └─ TargetUnusable           the place to write to cannot be written

Every error is a sentence and a record: attributes for programs, `str` for people, no secret in either.
All of them pickle, copy and hash; `as_dict` keeps the attributes that JSON can hold.
"""

from typing import Any, Literal

from gmi_video.records import Kind, Record, Snapshot

Charged = Literal["no", "maybe", "yes"]


class GmiVideoError(Record, Exception):
    """The base of all errors of this package.

    `request_id` and `key` say whose it is, where that is known; `charged` whether money may have been
    spent; `retryable` whether the same call may simply be made again; `attempts` how often it was made.
    """

    charged: Charged = "no"
    retryable: bool = False

    def __init__(
        self,
        message: str = "",
        *,
        request_id: str | None = None,
        key: Any = None,
        charged: Charged | None = None,
        retryable: bool | None = None,
        attempts: int = 1,
    ) -> None:
        super().__init__(message)
        self.request_id = request_id
        self.key = key
        self.attempts = attempts
        if charged is not None:
            self.charged = charged
        if retryable is not None:
            self.retryable = retryable

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class ConfigurationError(GmiVideoError, ValueError):
    """A setting or an argument is wrong; nothing was sent."""


class TransportError(GmiVideoError):
    """Nothing intelligible came back. `cause` names the foreign error's class, whose text may hold secrets."""

    retryable = True
    partial: bytes = b""  # of a submission's answer; it is read and dropped before the caller sees it

    def __init__(self, message: str = "", *, cause: str = "", **common: Any) -> None:
        super().__init__(message, **common)
        self.cause = cause


class Unreachable(TransportError):
    """The service was not reached: not one byte of the call was sent, so it is safe to repeat."""


class TimedOut(TransportError, TimeoutError):
    """No complete answer within the time allowed."""


class Interrupted(TransportError):
    """The connection broke before the answer was complete."""


class SubmissionUncertain(GmiVideoError):
    """A submission was sent and its fate is unknown: it may be running and may be charged.

    It is never sent again on its own. `evidence` says what was seen; `candidates` are ids that may be it.
    """

    charged: Charged = "maybe"

    def __init__(
        self,
        message: str = "",
        *,
        intent: Any = None,
        evidence: str = "",
        candidates: tuple[str, ...] = (),
        **common: Any,
    ) -> None:
        super().__init__(message, **common)
        self.intent = intent
        self.evidence = evidence
        self.candidates = candidates


class ResponseError(GmiVideoError):
    """The service answered no.

    `status` is the HTTP status, `message` the service's own words, `retry_after` seconds it asked to wait
    (or None), `excerpt` the beginning of a body that was not understood, `kind` what the refusal is about.
    """

    kind: Kind = "unknown"

    def __init__(
        self,
        message: str = "",
        *,
        status: int = 0,
        words: str = "",
        retry_after: float | None = None,
        excerpt: str = "",
        kind: Kind | None = None,
        **common: Any,
    ) -> None:
        super().__init__(message, **common)
        self.status = status
        self.message = words
        self.retry_after = retry_after
        self.excerpt = excerpt
        if kind is not None:
            self.kind = kind


class Rejected(ResponseError):
    """The service refuses this call as it is; repeating it changes nothing."""

    kind: Kind = "input"


class ContentRefused(Rejected):
    """Moderation refused the content; another prompt or picture may pass."""

    kind: Kind = "content"


class Unauthorized(ResponseError):
    """The key is missing, wrong, expired, or of another scope."""

    kind: Kind = "access"


class InsufficientCredit(ResponseError):
    """The account cannot pay for this request; cheaper ones may still pass."""

    kind: Kind = "credit"


class NotEntitled(ResponseError):
    """The account may not use this model, or an edge refuses this client."""

    kind: Kind = "access"


class NotFound(ResponseError):
    """No such request or model (ids are case-sensitive); `suggestions` are models that may have been meant."""

    kind: Kind = "input"
    suggestions: tuple[str, ...] = ()


class RateLimited(ResponseError):
    """Too many calls for now; `retry_after` seconds are what the service asked for, where it said so."""

    kind: Kind = "rate"
    retryable = True


class BackendRefused(ResponseError):
    """The model's own backend refused the request: a 500 that is really a 4xx, and not charged."""

    kind: Kind = "input"


class ServiceError(ResponseError):
    """The service, or an edge before it, is in trouble."""

    kind: Kind = "service"
    retryable = True


class MalformedResponse(GmiVideoError):
    """The answer was a success that could not be understood: `what` is wrong `@` which `path`."""

    retryable = True

    def __init__(
        self, message: str = "", *, what: str = "", path: str = "", excerpt: str = "", **common: Any
    ) -> None:
        super().__init__(message, **common)
        self.what = what
        self.path = path
        self.excerpt = excerpt


class GenerationError(GmiVideoError):
    """The work ended without a video; `snapshot` is the last that was seen of it, or None."""

    kind: Kind = "unknown"

    def __init__(
        self, message: str = "", *, snapshot: Snapshot | None = None, kind: Kind | None = None, **common: Any
    ) -> None:
        super().__init__(message, **common)
        self.snapshot = snapshot
        if kind is not None:
            self.kind = kind


class GenerationFailed(GenerationError):
    """The request failed at the service; failed requests are reported as not charged."""


class GenerationCancelled(GenerationError):
    """The request was cancelled at the service (in its console: there is no call for it)."""


class GenerationEmpty(GenerationError):
    """The request succeeded without naming a file."""

    charged: Charged = "yes"


class GenerationOverdue(GenerationError, TimeoutError):
    """The request is still running; `resume` with its id goes on waiting and costs nothing more."""

    charged: Charged = "yes"
    retryable = True


class PayloadInvalid(GmiVideoError):
    """The payload is wrong for its model, or cannot be written as JSON; nothing was sent."""

    kind: Kind = "input"

    def __init__(self, message: str = "", *, problems: tuple[Any, ...] = (), **common: Any) -> None:
        super().__init__(message, **common)
        self.problems = problems


class TransferError(GmiVideoError):
    """A file could not be carried from or to storage; the request it belongs to is untouched."""

    retry_after: float | None = None  # seconds


class Incomplete(TransferError):
    """Fewer bytes arrived than were promised; nothing was left at the target."""

    retryable = True


class LinkExpired(TransferError):
    """The link does not work any more."""


class IntegrityError(TransferError):
    """What arrived is not the file that was promised."""

    retryable = True


class UnsafeURL(TransferError):
    """A link that is not followed: not https, or to a private address."""


class TargetUnusable(TransferError):
    """The place to write to cannot be written; the sentence says why."""
