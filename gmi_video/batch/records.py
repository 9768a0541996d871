"""The nouns of a batch: what becomes of a line, what the journal says of it, and how far the whole has come.

All are frozen values. Money is exact, in US dollars by list prices; spans are seconds, moments are Unix seconds.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal, Protocol, get_args

from attrs import field, frozen

from gmi_video.errors import ConfigurationError, GmiVideoError
from gmi_video.records import Kind, Record, Video, VideoRequest

LineState = Literal["waiting", "submitting", "running", "saving", "done", "failed", "parked", "uncertain"]
"""How far a line is. "waiting": nothing of it was sent; "submitting": it may have been; "running": accepted;
"saving": made, and not yet where its files go; "parked": it may go on later, and is not given up; "uncertain": it
may be running and charged, and somebody must decide. Those of `ENDED` do not change on their own."""

ENDED: frozenset[LineState] = frozenset({"done", "failed"})
LINE_STATES: tuple[LineState, ...] = get_args(LineState)


@frozen(kw_only=True)
class Stored(Record):
    """A file that a sink keeps whole: where (a path, a URL, whatever the sink names it by), bytes, digest."""

    location: str
    size: int
    sha256: str


class Sink(Protocol):
    """A place for videos that is no folder: an object store, a database."""

    async def put(self, name: str, stream: AsyncIterator[bytes]) -> Stored:
        """Keeps a file under `name` (which may hold slashes), wholly before it returns.

        It may be called again for a name, after a crash or a broken stream; then the later file stands. What it
        raises parks the line, and `OSError` for want of room parks all of them until the next run.
        """
        ...


def _kinds(kinds: Iterable[Kind]) -> frozenset[Kind]:
    return frozenset(kinds)


@frozen(kw_only=True)
class Retry:
    """How often a line is posted in all, and after failures of which kinds: only of those that cost nothing.

    Each attempt is a request of its own. Content and input that were refused once would be refused again, so
    those kinds are not taken.
    """

    attempts: int = field(default=3)
    kinds: frozenset[Kind] = field(default=frozenset[Kind]({"rate", "service"}), converter=_kinds)

    def __attrs_post_init__(self) -> None:
        if isinstance(self.attempts, bool) or not isinstance(self.attempts, int) or self.attempts < 1:
            message = f"Retry.attempts is {self.attempts!r}; a whole number of at least 1 is wanted"
            raise ConfigurationError(message)
        wrong = sorted(self.kinds - {"rate", "service", "unknown"})
        if wrong:
            message = f"Retry.kinds holds {wrong[0]!r}; only 'rate', 'service' and 'unknown' may pass at another attempt"
            raise ConfigurationError(message)


@frozen(kw_only=True)
class Finished:
    """A line that ended, in one of two ways: `video`, or `error` where there is none.

    `state` is "done" or "failed", or "parked" or "uncertain" for a line that a later run may bring to another end.

    `request` is the very object that was added, as long as the caller holds it, else its equal. `number` counts
    the batch's lines from 1; `attempts` the POSTs; `cost` is None where no price is known. `queued`, `processing`
    and `downloading` are seconds, None where that was not seen.
    """

    request: VideoRequest
    key: Any = None
    number: int
    state: LineState = "done"
    video: Video | None = None
    error: GmiVideoError | None = None
    stored: tuple[Stored, ...] = ()
    attempts: int = 0
    cost: Decimal | None = None
    queued: float | None = None
    processing: float | None = None
    downloading: float | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more becomes of it on its own."""
        return self.state in ENDED


@frozen(kw_only=True)
class Row(Record):
    """What the journal says of one line.

    `name` is its file name without folder, or empty; `cost` what it is reckoned to cost (or did), with the
    `price_words` that this was read from, and `spent` whether the batch's sum holds it; `status` is the service's last word; `kind` and `reason` say why it
    failed, is parked or undecided; `candidates` are ids that an uncertain one may be. Moments are Unix seconds.
    """

    number: int
    key: Any = None
    name: str = ""
    model: str
    payload: Mapping[str, Any] = field(repr=False, hash=False)
    state: LineState
    request_id: str | None = None
    attempts: int = 0
    cost: Decimal | None = None
    price_words: str = ""
    spent: bool = False
    status: str = ""
    kind: Kind | None = None
    reason: str = ""
    files: tuple[Stored, ...] = ()
    added_at: float
    submitted_at: float | None = None
    ended_at: float | None = None
    queued: float | None = None
    processing: float | None = None
    downloading: float | None = None
    candidates: tuple[str, ...] = ()


@frozen(kw_only=True)
class Tally(Record):
    """Lines by state, and US dollars that accepted ones cost by list price; refused and failed ones cost nothing.

    `processing` of the running ones are at work; the others are in their model's queue.
    """

    waiting: int = 0
    submitting: int = 0
    running: int = 0
    saving: int = 0
    done: int = 0
    failed: int = 0
    parked: int = 0
    uncertain: int = 0
    processing: int = 0
    spent: Decimal = Decimal(0)

    @property
    def total(self) -> int:
        """All lines."""
        return sum(getattr(self, state) for state in LINE_STATES)


@frozen(kw_only=True)
class BatchStatistics(Record):
    """A batch at one moment: all its lines, the same by model, and its money.

    `queued` and `processing` split the running ones by what the service last said of them. `reserved` is held for
    submissions under way and undecided ones; `budget` is None where none was set. `rate` counts lines that ended
    each second lately, `eta` is seconds until the last one at that rate, None where that cannot be said. `orphans`
    are requests that match ours and belong to no line, as the last audit found them.
    """

    lines: Tally = field(factory=Tally)
    models: Mapping[str, Tally] = field(factory=dict)
    queued: int = 0
    processing: int = 0
    spent: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    budget: Decimal | None = None
    rate: float = 0.0
    eta: float | None = None
    orphans: int = 0


@frozen(kw_only=True)
class Orphan(Record):
    """A request of the list that looks like one of ours and belongs to no line; it may have been charged."""

    request_id: str
    model: str
    status: str
    created_at: float | None = None
    cost: Decimal | None = None
    number: int
    """The line whose payload it has."""
