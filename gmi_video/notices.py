"""What observers are told: frozen notices of what the session does, without secrets."""

from attrs import frozen

from gmi_video.records import Record, Status


@frozen(kw_only=True)
class Notice(Record):
    """Something the session did or saw."""


@frozen(kw_only=True)
class Exchange(Notice):
    """One HTTP exchange: `path` without its query, sizes in bytes, `seconds` on the loop's clock.

    `status` is None where no reply came; then `error` names the class of what went wrong.
    """

    operation: str
    method: str
    path: str
    status: int | None = None
    seconds: float = 0.0
    sent: int = 0
    received: int = 0
    error: str | None = None


@frozen(kw_only=True)
class Submitted(Notice):
    """A submission was accepted; `evidence` says how that is known where its answer was lost."""

    request_id: str
    model: str
    key: object = None
    evidence: str = ""


@frozen(kw_only=True)
class Uncertain(Notice):
    """The fate of a submission could not be found out; `candidates` are ids that it may be."""

    model: str
    key: object = None
    candidates: tuple[str, ...] = ()


@frozen(kw_only=True)
class Abandoned(Notice):
    """A submission ended after its caller was cancelled: `request_id` is running and nobody waits for it.

    Where `request_id` is None the submission failed, with the class of error that `error` names.
    """

    model: str
    key: object = None
    request_id: str | None = None
    error: str | None = None


@frozen(kw_only=True)
class Throttled(Notice):
    """The service asked to be called less: `retry_after` seconds, where it said so."""

    subject: str
    retry_after: float | None = None


@frozen(kw_only=True)
class Ended(Notice):
    """A request was seen to have ended."""

    request_id: str
    model: str
    status: Status
