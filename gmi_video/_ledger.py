"""Which record of a list is which lost submission: pure, and never a guess.

An unknown intent is matched by its payload's echo, and by nothing else where there is one. Intents of equal
payload are interchangeable, so only their number matters. Where the service echoes nothing, time and number
decide only if they leave one possibility. A list proves presence; its silence proves nothing here.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from gmi_video._matter import DRIFT, Finding, Matter, ids, in_turn, taken
from gmi_video._number import by_number
from gmi_video._samples import Sorted, sort_by_payload
from gmi_video.ledger import Intent
from gmi_video.records import Snapshot, Status

BY_PAYLOAD = "the list shows a request with this very payload"
BY_CLAIM = "the store has it that this request is its own"
OTHERS = "other writers submit equal payloads on this account, so an equal record may be theirs"


def judge(matter: Matter) -> dict[str, Finding]:
    """A finding for each ambiguous and each refused intent, by its id."""
    findings = _owned(matter)
    lost = [intent for intent in matter.ambiguous if intent.id not in findings]
    refused = [intent for intent in matter.refused if intent.id not in findings]
    everyone = [*lost, *matter.sending, *matter.abroad, *refused, *matter.elsewhere]
    free = [
        record
        for record in sorted(matter.listed, key=_created)
        if record.request_id not in matter.claimed and matter.any_could_be(everyone, record)
    ]
    echoing = sort_by_payload(everyone, [record for record in free if record.payload])
    silent = [record for record in free if not record.payload]
    for payload, intents in _classes(refused).items():
        findings |= _reasons(matter, intents, echoing.exact[payload], silent, only=len(refused) == 1)
    for payload, intents in _classes(lost).items():
        findings |= _of_class(matter, intents, echoing, payload)
    left = matter.mute(intent for intent in lost if findings[intent.id].outcome == "wait")
    if silent and left:
        findings |= by_number(matter, left, silent)
    return findings


def _owned(matter: Matter) -> dict[str, Finding]:
    """What was claimed by an intent of ours before it could be written down that it had been accepted."""
    records = {
        matter.claimed[record.request_id]: record
        for record in matter.listed
        if record.request_id in matter.claimed
    }
    return {
        intent.id: taken(intent, records[intent.id], BY_CLAIM)
        for intent in (*matter.ambiguous, *matter.refused)
        if intent.id in records
    }


def _created(record: Snapshot) -> float:
    return record.created_at.timestamp() if record.created_at else 0.0


def _classes(intents: Iterable[Intent]) -> dict[str, list[Intent]]:
    classes: dict[str, list[Intent]] = defaultdict(list)
    for intent in intents:
        classes[intent.digest].append(intent)
    return classes


def _reasons(
    matter: Matter, intents: Sequence[Intent], records: list[Snapshot], silent: list[Snapshot], *, only: bool
) -> dict[str, Finding]:
    """The failed records of refused intents; they are taken out, so that nobody else is told to be them.

    Where nothing is echoed a failed record may be any of theirs: it is taken out all the same, but gives a
    reason only where there is one intent for it.
    """
    findings = dict.fromkeys((intent.id for intent in intents), Finding(outcome="wait"))
    for intent in intents:
        for pool in (records, silent if matter.mute((intent,)) else []):
            failed = (record for record in pool if record.status is Status.FAILED)
            record = next((record for record in failed if matter.could_be(intent, record)), None)
            if record is None:
                continue
            pool.remove(record)
            if pool is records or only:
                findings[intent.id] = Finding(outcome="refused", snapshot=record)
            break
    return findings


def _of_class(matter: Matter, intents: Sequence[Intent], echoing: Sorted, payload: str) -> dict[str, Finding]:
    """Interchangeable intents and the records that echo their payload: any pairing is right.

    A record that may be that of an equal payload which is still being sent is nobody's for now.
    """
    here = [intent for intent in matter.sending if intent.digest == payload]
    rivals = [*here, *(intent for intent in matter.abroad if intent.digest == payload)]
    sent = {intent.digest for intent in matter.sending}
    held: list[Snapshot] = []
    free: list[Snapshot] = []
    for record in echoing.exact[payload]:
        (held if matter.any_could_be(rivals, record) else free).append(record)
    unclear = echoing.contested[payload]
    mine_only = matter.alone or intents[0].fingerprint
    findings = in_turn(matter, intents, free, BY_PAYLOAD) if mine_only else {}
    given = {finding.snapshot.request_id for finding in findings.values() if finding.snapshot}
    strays = echoing.strays if matter.mute(intents[:1]) else []  # the echo may be altered
    for intent in intents:
        if intent.id in findings:
            continue
        left = [one for one in free if one.request_id not in given and matter.could_be(intent, one, DRIFT)]
        waited = [record for record in held if matter.could_be(intent, record, DRIFT)]
        doubtful = [(record, owners) for record, owners in unclear if matter.could_be(intent, record, DRIFT)]
        odd = [record for record in strays if matter.could_be(intent, record, DRIFT)]
        findings[intent.id] = Finding(
            outcome="undecidable" if left and not mine_only else "wait",
            evidence="" if mine_only else OTHERS,
            candidates=ids([*left, *waited, *(record for record, _ in doubtful), *odd]),
            pending=any(matter.any_could_be(here, record) for record in waited)
            or any(owners & sent for _, owners in doubtful),
        )
    return findings
