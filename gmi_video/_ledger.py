"""Which record of a list is which lost submission: pure, and never a guess.

An unknown intent is matched by its payload's echo, and by nothing else where there is one. Intents of equal
payload are interchangeable, so only their number matters. Where the service echoes nothing, time and number
decide only if they leave one possibility. A list proves presence; its silence proves nothing here.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from random import Random
from typing import Any, Literal

from attrs import field, frozen

from gmi_video.catalog import Model
from gmi_video.ledger import Intent
from gmi_video.records import Snapshot, Status

CREATED_SLACK = 2.0
"""Seconds that `created_at` may lie before our own time of sending: it has whole seconds, cut off."""

Shape = frozenset[str]


def canonical(payload: Mapping[str, Any]) -> bytes:
    """One spelling for equal payloads: sorted keys, no spaces. The service sorts the keys of its echo too."""
    return json.dumps(payload, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "replace"
    )


def digest(payload: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical payload, in hex."""
    return hashlib.sha256(canonical(payload)).hexdigest()


SEEDS = (0, 2_147_483_647)
"""The range of a seed where the schema names none: what wan, pixverse and others document."""


def fingerprinted(payload: Mapping[str, Any], model: Model, rng: Random) -> dict[str, Any] | None:
    """The payload with a random seed of its own, inside the schema's range; None where the model has no seed.

    Leaving the seed out means a random one, so the request stays the same, and becomes unique. A seed outside
    the range is accepted by the service and fails a second later.
    """
    seed = model.parameter("seed")
    if seed is None or seed.type not in {"integer", "int", "number", "numeric"}:
        return None
    low = SEEDS[0] if seed.minimum is None else max(int(seed.minimum), SEEDS[0])
    high = SEEDS[1] if seed.maximum is None else int(seed.maximum)
    return {**payload, "seed": rng.randint(low, high)} if low < high else None


def shape(payload: Mapping[str, Any]) -> Shape:
    """The names of a payload: what is echoed may differ between text and image calls of one model."""
    return frozenset(payload)


def loosely(value: Any) -> Any:
    """A value as the service may have straightened it: 5, 5.0 and "5" are one, nulls are dropped."""
    if isinstance(value, Mapping):
        return {name: loosely(item) for name, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [loosely(item) for item in value]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:.12g}"
    return value.strip() if isinstance(value, str) else value


def contains(echo: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    """Whether an echo has all that was sent, loosely equal; what the service added is ignored."""
    return all(
        value is None or (name in echo and loosely(echo[name]) == loosely(value))
        for name, value in sent.items()
    )


def echoed(snapshot: Snapshot) -> bool:
    """Whether a record shows the payload that it was made from."""
    return bool(snapshot.payload)


def in_window(intent: Intent, snapshot: Snapshot, settle: float) -> bool:
    """Whether a record may have been created by this intent's POST, by the service's clock."""
    if snapshot.created_at is None or intent.sent_at is None:
        return True
    created = snapshot.created_at.timestamp()
    slack = CREATED_SLACK + intent.slack
    last = float("inf") if intent.failed_at is None else intent.failed_at + settle + slack
    return intent.sent_at - slack <= created <= last


@frozen(kw_only=True)
class Finding:
    """What a list says of one intent. `undecidable` means that no later list could say more."""

    outcome: Literal["adopt", "refused", "undecidable", "wait"]
    snapshot: Snapshot | None = None
    evidence: str = ""
    candidates: tuple[str, ...] = ()


@frozen(kw_only=True)
class Matter:
    """All that bears on the lost submissions of one model: they, those still being sent, and the records.

    `refused` were refused by the model's backend, which leaves a failed record without telling its id: they
    own failed records, and no others.
    """

    ambiguous: Sequence[Intent] = ()
    sending: Sequence[Intent] = ()
    refused: Sequence[Intent] = ()
    listed: Sequence[Snapshot] = field(default=(), repr=False)
    claimed: Collection[str] = frozenset()
    seen: Mapping[str, float] = field(factory=dict, repr=False)
    settle: float = 120.0
    alone: bool = True

    def could_be(self, intent: Intent, snapshot: Snapshot) -> bool:
        """By time alone: created in the intent's window, and not seen before it was sent."""
        earlier = self.seen.get(snapshot.request_id, float("inf"))
        if intent.sent_at is not None and earlier < intent.sent_at - intent.slack:
            return False
        return in_window(intent, snapshot, self.settle)


def judge(matter: Matter) -> dict[str, Finding]:
    """A finding for each ambiguous and each refused intent, by its id."""
    everyone = [*matter.ambiguous, *matter.sending, *matter.refused]
    free = [
        record
        for record in matter.listed
        if record.request_id not in matter.claimed
        and any(matter.could_be(intent, record) for intent in everyone)
    ]
    by_payload, contested = _by_payload(everyone, [record for record in free if echoed(record)])
    silent = [record for record in free if not echoed(record) and any(intent.payload for intent in everyone)]
    findings: dict[str, Finding] = {}
    for payload, intents in _classes(matter.refused).items():
        findings |= _reasons(matter, intents, by_payload.get(payload, []), silent)
    for payload, intents in _classes(matter.ambiguous).items():
        rivals = [intent for intent in matter.sending if intent.digest == payload]
        findings |= _of_class(
            matter, intents, rivals, by_payload.get(payload, []), contested.get(payload, [])
        )
    left = [intent for intent in matter.ambiguous if findings[intent.id].outcome == "wait"]
    if silent and left:
        findings |= _by_number(matter, left, silent)
    return findings


def _reasons(
    matter: Matter, intents: Sequence[Intent], records: list[Snapshot], silent: list[Snapshot]
) -> dict[str, Finding]:
    """The failed records of refused intents; they are taken out, so that nobody else is told to be them.

    Where nothing is echoed a failed record may be any of theirs: it is taken out all the same, but gives a
    reason only where there is one intent for it.
    """
    findings = dict.fromkeys((intent.id for intent in intents), Finding(outcome="wait"))
    for intent in intents:
        for pool in (records, silent):
            record = next(
                (
                    record
                    for record in pool
                    if record.status is Status.FAILED and matter.could_be(intent, record)
                ),
                None,
            )
            if record is None:
                continue
            pool.remove(record)
            if pool is records or len(matter.refused) == 1:
                findings[intent.id] = Finding(outcome="refused", snapshot=record)
            break
    return findings


def _classes(intents: Iterable[Intent]) -> dict[str, list[Intent]]:
    classes: dict[str, list[Intent]] = defaultdict(list)
    for intent in sorted(intents, key=lambda intent: intent.sent_at or 0.0):
        classes[intent.digest].append(intent)
    return classes


def _by_payload(
    everyone: Sequence[Intent], records: Iterable[Snapshot]
) -> tuple[dict[str, list[Snapshot]], dict[str, list[Snapshot]]]:
    """Records by the payload that they echo; and those that could echo several, which belong to none.

    Exactly equal comes first: a record that is one payload is not taken for another that it also contains.
    """
    samples = {intent.digest: intent.payload for intent in everyone}
    prompts: dict[Any, list[str]] = defaultdict(list)
    for name, payload in samples.items():
        prompts[str(loosely(payload.get("prompt")))].append(name)
    found: dict[str, list[Snapshot]] = defaultdict(list)
    contested: dict[str, list[Snapshot]] = defaultdict(list)
    for record in records:
        echo = record.payload or {}
        exact = digest(echo)
        if exact in samples:
            found[exact].append(record)
            continue
        near = [*prompts.get(str(loosely(echo.get("prompt"))), ()), *prompts.get("None", ())]
        owners = {name for name in near if contains(echo, samples[name])}
        target = found if len(owners) == 1 else contested
        for name in owners:
            target[name].append(record)
    return found, contested


def _of_class(
    matter: Matter,
    intents: Sequence[Intent],
    rivals: Sequence[Intent],
    records: Sequence[Snapshot],
    contested: Sequence[Snapshot],
) -> dict[str, Finding]:
    """Interchangeable intents and the records that echo their payload: any pairing is right."""
    names = tuple(record.request_id for record in (*records, *contested))
    if not matter.alone and not intents[0].fingerprint:
        why = "other writers submit equal payloads on this account, so an equal record may be theirs"
        finding = Finding(outcome="undecidable" if names else "wait", evidence=why, candidates=names)
        return dict.fromkeys((intent.id for intent in intents), finding)
    free = [
        record
        for record in sorted(
            records, key=lambda record: record.created_at.timestamp() if record.created_at else 0.0
        )
        if not any(matter.could_be(rival, record) for rival in rivals)
    ]
    findings = _in_turn(matter, intents, free, "the list shows a request with this very payload")
    return {
        name: finding if finding.snapshot else Finding(outcome="wait", candidates=names)
        for name, finding in findings.items()
    }


def _taken(intent: Intent, record: Snapshot, evidence: str) -> Finding:
    refused = record.status is Status.FAILED and intent.status is not None and intent.status >= 500
    outcome: Literal["refused", "adopt"] = "refused" if refused else "adopt"
    return Finding(outcome=outcome, snapshot=record, evidence=evidence, candidates=(record.request_id,))


def _by_number(matter: Matter, left: Sequence[Intent], silent: Sequence[Snapshot]) -> dict[str, Finding]:
    """Records that echo nothing: all lost intents of the model are one group, and nobody may be sending."""
    names = tuple(record.request_id for record in silent)
    if any(matter.could_be(rival, record) for rival in matter.sending for record in silent):
        return {intent.id: Finding(outcome="wait", candidates=names) for intent in left}
    why = "the service does not echo payloads of this model, so its requests cannot be told apart"
    if not matter.alone:
        return {intent.id: Finding(outcome="undecidable", evidence=why, candidates=names) for intent in left}
    one_kind = len({intent.digest for intent in left}) == 1
    if one_kind and len(silent) <= len(left):
        return _in_turn(
            matter, left, list(silent), "the only requests of that time, and nobody else was sending"
        )
    settled = len(silent) >= len(left)
    outcome: Literal["undecidable", "wait"] = "undecidable" if settled else "wait"
    return {intent.id: Finding(outcome=outcome, evidence=why, candidates=names) for intent in left}


def _in_turn(
    matter: Matter, intents: Sequence[Intent], free: list[Snapshot], evidence: str
) -> dict[str, Finding]:
    """Interchangeable intents take the records in turn, each one that its time allows."""
    names = tuple(record.request_id for record in free)
    findings = {}
    for intent in intents:
        record = next((record for record in free if matter.could_be(intent, record)), None)
        if record is None:
            findings[intent.id] = Finding(outcome="wait", candidates=names)
        else:
            free.remove(record)
            findings[intent.id] = _taken(intent, record, evidence)
    return findings
