"""What is known of every wish to submit, before and after its POST, and where that is kept.

A submission has no idempotency key, so what was sent must be remembered: `SENDING` is in the store before the
first byte may leave, and a process that is killed can be finished by another. Give `Session(store=…)` your
own database to make that hold beyond one process.

    PREPARED → SENDING → ACCEPTED
                       → REJECTED
                       → AMBIGUOUS → ACCEPTED (adopted, with evidence)
                                   → REJECTED (its failed record was found)
                                   → ABSENT → SENDING (only by `Resubmit`)
                                   → NEEDS_DECISION
"""

import enum
from collections import OrderedDict
from collections.abc import Collection, Mapping
from typing import Any, Protocol

from attrs import field, frozen

from gmi_video.records import Record


class State(enum.StrEnum):
    """How far a submission has come. `PREPARED` is provably unsent; from `SENDING` on it may be charged."""

    PREPARED = "prepared"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    AMBIGUOUS = "ambiguous"
    ABSENT = "absent"
    NEEDS_DECISION = "needs_decision"

    @property
    def open(self) -> bool:
        """Whether it may have been sent, and what became of it is not known."""
        return self in _OPEN


_OPEN = frozenset({State.SENDING, State.AMBIGUOUS, State.ABSENT, State.NEEDS_DECISION})


@frozen(kw_only=True)
class Intent(Record):
    """One wish to submit. Times are Unix seconds of the service's clock, known to `slack` seconds.

    `digest` is the SHA-256 of the canonical payload as it was sent; intents of one model and digest are
    interchangeable. `fingerprint` says that the payload holds a random seed of ours and is so unique.
    `evidence` says what was seen; `candidates` are the ids that it may be; `status` is the HTTP status of an
    answer that proved nothing.
    """

    id: str
    model: str
    digest: str
    payload: Mapping[str, Any] = field(repr=False, hash=False)
    key: Any = field(default=None, hash=False)
    state: State = State.PREPARED
    attempt: int = 0
    sent_at: float | None = None
    failed_at: float | None = None
    slack: float = 0.0
    request_id: str | None = None
    evidence: str = ""
    candidates: tuple[str, ...] = ()
    status: int | None = None
    fingerprint: bool = False


class Store(Protocol):
    """Keeps intents. `shared` says that every process that submits on this account uses this very store.

    What it raises from `put` of a `SENDING` intent is raised by `submit`, and nothing is sent.
    """

    @property
    def shared(self) -> bool:
        """Whether all writers of the account are in it."""
        ...

    async def put(self, intent: Intent, reply: bytes = b"") -> None:
        """Keeps the present state, durably before it returns; an acceptance brings the reply's bytes."""
        ...

    async def claim(self, request_id: str, intent_id: str) -> bool:
        """Makes an intent the one owner of a request id, atomically; False where it has another owner."""
        ...

    async def claims(self, request_ids: Collection[str]) -> Mapping[str, str]:
        """The owners (ids of intents) of those of the ids that have one."""
        ...

    async def undecided(self) -> tuple[Intent, ...]:
        """The intents whose state is open, oldest first."""
        ...


class MemoryStore:
    """Keeps intents as long as the process lives: the promise ends with it. Ended ones are forgotten.

    The last `claims` owners of request ids are kept, ten thousand if not said otherwise; while an intent is open, all
    later ones as well, and as many from before it, up to ten times that.
    """

    shared = False

    def __init__(self, *, claims: int = 10_000) -> None:
        self._open: dict[str, Intent] = {}
        self._owners: OrderedDict[str, str] = OrderedDict()
        self._few, self._most = claims, 10 * claims
        self._claimed = 0
        self._since: dict[str, int] = {}

    async def put(self, intent: Intent, reply: bytes = b"") -> None:  # noqa: ARG002  # memory needs no second copy
        """Keeps the intent while it is open."""
        if intent.state.open:
            self._open[intent.id] = intent
            self._since.setdefault(intent.id, self._claimed)
        else:
            self._open.pop(intent.id, None)
            self._since.pop(intent.id, None)

    async def claim(self, request_id: str, intent_id: str) -> bool:
        """As the protocol says; there is only one thread, so it is atomic."""
        if request_id not in self._owners:
            self._claimed += 1
        owner = self._owners.setdefault(request_id, intent_id)
        oldest = next(
            iter(self._since.values()), self._claimed
        )  # intents are in the order in which they opened
        kept = min(self._most, self._few + self._claimed - oldest)
        while len(self._owners) > kept:
            self._owners.popitem(last=False)
        return owner == intent_id

    async def claims(self, request_ids: Collection[str]) -> Mapping[str, str]:
        """As the protocol says."""
        known = (request_id for request_id in request_ids if request_id in self._owners)
        return {request_id: self._owners[request_id] for request_id in known}

    async def undecided(self) -> tuple[Intent, ...]:
        """As the protocol says."""
        return tuple(self._open.values())
