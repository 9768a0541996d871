"""What the judge is asked: the lost submissions of one model with all that bears on them; and what it answers."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

from attrs import field, frozen

from gmi_video._likeness import Shape, shape
from gmi_video.ledger import Intent
from gmi_video.records import Snapshot, Status

CREATED_SLACK = 2.0
"""Seconds that `created_at` may lie before our own time of sending: it has whole seconds, cut off."""
DRIFT = 60.0
"""Seconds by which the service's own clocks may differ or step. Nobody is told apart by less, and none is absent."""


def in_window(intent: Intent, snapshot: Snapshot, settle: float, drift: float = 0.0) -> bool:
    """Whether a record may have been created by this intent's POST, by the service's clock."""
    if snapshot.created_at is None or intent.sent_at is None:
        return True
    created = snapshot.created_at.timestamp()
    slack = CREATED_SLACK + intent.slack + drift
    last = float("inf") if intent.failed_at is None else intent.failed_at + settle + slack
    return intent.sent_at - slack <= created <= last


@frozen(kw_only=True)
class Finding:
    """What a list says of one intent. `undecidable` means that no later list could say more.

    `candidates` are records that may be it. `pending`: one of them may be that of an intent that is still
    being sent here, whose answer will tell. `certain`: it is one of them, whatever later lists show. `absent`
    is never said of one list.
    """

    outcome: Literal["adopt", "refused", "absent", "undecidable", "wait"]
    snapshot: Snapshot | None = None
    evidence: str = ""
    candidates: tuple[str, ...] = ()
    pending: bool = False
    certain: bool = False


@frozen(kw_only=True)
class Matter:
    """All that bears on the lost submissions of one model: they, those still being sent, and the records.

    `refused` were refused by the model's backend, which leaves a failed record without telling its id: they
    own failed records, and no others. `abroad` are being sent by another process; `elsewhere` are lost as
    well, but nobody looks for them at this moment. `claimed` are the owners of records that have one. `seen`
    and `sent` count the moments at which a record was first seen and an intent first sent, where that was
    here: a record that was seen before is not of what was sent after. `among` are the records that an intent
    is certainly one of. Payloads of the shapes in `faithful` are known to be echoed. `alone`: nobody else submits payloads like these on this account. `settled` are
    the intents whose own record would be listed by now, all where it is None: only they may take a failed record,
    for it may be what the refusal of an equal payload left behind, in a process that is gone.
    """

    ambiguous: Sequence[Intent] = ()
    sending: Sequence[Intent] = ()
    refused: Sequence[Intent] = ()
    abroad: Sequence[Intent] = ()
    elsewhere: Sequence[Intent] = ()
    listed: Sequence[Snapshot] = field(default=(), repr=False)
    claimed: Mapping[str, str] = field(factory=dict, repr=False)
    seen: Mapping[str, int] = field(factory=dict, repr=False)
    sent: Mapping[str, int] = field(factory=dict, repr=False)
    among: Mapping[str, frozenset[str]] = field(factory=dict, repr=False)
    faithful: Collection[Shape] = field(default=frozenset(), repr=False)
    settle: float = 120.0
    alone: bool = True
    settled: Collection[str] | None = None

    def could_be(self, intent: Intent, snapshot: Snapshot, drift: float = 0.0) -> bool:
        """By time alone: created in the intent's window, and not seen before it was sent."""
        among = self.among.get(intent.id)
        if among is not None:
            return snapshot.request_id in among
        seen, sent = self.seen.get(snapshot.request_id), self.sent.get(intent.id)
        if seen is not None and sent is not None and seen < sent:
            return False
        return in_window(intent, snapshot, self.settle, drift)

    def any_could_be(self, intents: Iterable[Intent], snapshot: Snapshot) -> bool:
        """Whether it may be one of these, by time alone, if no clock can be trusted."""
        return any(self.could_be(intent, snapshot, DRIFT) for intent in intents)

    def may_take(self, intent: Intent, snapshot: Snapshot) -> bool:
        """Whether no later list could show a better record for this intent."""
        return snapshot.status is not Status.FAILED or self.settled is None or intent.id in self.settled

    def mute(self, intents: Iterable[Intent]) -> list[Intent]:
        """Those whose record may show no payload: it is not known that it does."""
        return [intent for intent in intents if shape(intent.payload) not in self.faithful]


def taken(intent: Intent, record: Snapshot, evidence: str) -> Finding:
    """A record is an intent's own. A failed one after a 5xx is the refusal that was not told, and not charged."""
    refused = record.status is Status.FAILED and intent.status is not None and intent.status >= 500
    outcome: Literal["refused", "adopt"] = "refused" if refused else "adopt"
    return Finding(outcome=outcome, snapshot=record, evidence=evidence, candidates=(record.request_id,))


def in_turn(
    matter: Matter,
    intents: Sequence[Intent],
    records: Iterable[Snapshot],
    evidence: str,
    drift: float = 0.0,
) -> dict[str, Finding]:
    """Interchangeable intents take the records in turn: each goes to the one whose window closes first.

    Failed records come last: they are not charged, and may be what a refusal left behind.
    """
    waiting = sorted(intents, key=lambda one: float("inf") if one.failed_at is None else one.failed_at)
    findings = {}
    for record in sorted(records, key=lambda record: record.status is Status.FAILED):
        owners = (one for one in waiting if matter.may_take(one, record))
        intent = next((one for one in owners if matter.could_be(one, record, drift)), None)
        if intent is not None:
            waiting.remove(intent)
            findings[intent.id] = taken(intent, record, evidence)
    return findings


def ids(records: Iterable[Snapshot]) -> tuple[str, ...]:
    """The ids of records."""
    return tuple(record.request_id for record in records)
