"""Who records that show no payload belong to, by time and number alone: said only where it leaves one possibility.

Each record has an owner among those who may have sent at its time. Where there is no other way to give every
record an owner than to give this one to intents of one payload, it is theirs.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gmi_video._matter import DRIFT, Finding, Matter, ids, in_turn
from gmi_video.ledger import Intent
from gmi_video.records import Snapshot

BY_NUMBER = "by time and number it can be no other request"
NO_ECHO = "the service does not echo payloads of this model, so its requests cannot be told apart"

_TOO_MANY = 10_000
"""Intents times records of one group that are not thought through any further."""


class Group(NamedTuple):
    """Intents that have a possible record in common, directly or by way of others, with those records."""

    intents: dict[str, Intent]
    records: list[Snapshot]


def by_number(matter: Matter, left: Sequence[Intent], silent: Sequence[Snapshot]) -> dict[str, Finding]:
    """A finding for each of those left that may be one of the silent records."""
    wanted = {intent.id for intent in left}
    sending = {intent.id for intent in matter.sending}
    others = matter.mute((*matter.sending, *matter.abroad, *matter.elsewhere))
    findings: dict[str, Finding] = {}
    silent = [one for one in silent if any(matter.may_take(intent, one) for intent in left)]
    for group in _groups(matter, [*left, *others], silent):
        names, mine = ids(group.records), group.intents.keys() & wanted
        sure = _owned(matter, group) if matter.alone else {}
        for payload, records in sure.items():
            theirs = [one for name, one in group.intents.items() if one.digest == payload and name in mine]
            findings |= in_turn(matter, theirs, records, BY_NUMBER, DRIFT)
        pending = not group.intents.keys().isdisjoint(sending)
        full = len(names) == len(group.intents)
        over = not pending and (full or len(names) > len(group.intents) or not matter.alone)
        found = Finding(
            outcome="undecidable" if over else "wait",
            evidence=NO_ECHO,
            candidates=names,
            pending=pending,
            certain=full and over and matter.alone,
        )
        findings |= dict.fromkeys(mine - findings.keys(), found)
    return findings


def _groups(matter: Matter, intents: Sequence[Intent], records: Sequence[Snapshot]) -> list[Group]:
    groups: list[Group] = []
    for record in records:
        group = Group(
            {intent.id: intent for intent in intents if matter.could_be(intent, record, DRIFT)}, [record]
        )
        apart = []
        for other in groups:
            if group.intents.keys().isdisjoint(other.intents):
                apart.append(other)
            else:
                group = Group(other.intents | group.intents, other.records + group.records)
        groups = [*apart, group]
    return [group for group in groups if group.intents]


def _owned(matter: Matter, group: Group) -> Mapping[str, list[Snapshot]]:
    """The records that can only be of one payload, by its digest. Empty where somebody else's are among them."""
    kinds = {name: intent.digest for name, intent in group.intents.items()}
    if len(set(kinds.values())) == 1:
        enough = len(group.records) <= len(kinds)
        return {next(iter(kinds.values())): group.records} if enough else {}
    if len(kinds) * len(group.records) > _TOO_MANY:
        return {}
    owners = [
        [name for name, intent in group.intents.items() if matter.could_be(intent, record, DRIFT)]
        for record in group.records
    ]
    having = _paired(owners)
    owned: dict[str, list[Snapshot]] = defaultdict(list)
    for name, place in having.items():
        others = [other for other in owners[place] if kinds[other] != kinds[name]]
        instead = {other: kept for other, kept in having.items() if other != name}
        if not _give(place, others, owners, instead, set()):
            owned[kinds[name]].append(group.records[place])
    return owned


def _paired(owners: Sequence[Sequence[str]]) -> dict[str, int]:
    """An owner of its own for each record, by the owner; empty where there is no such way."""
    having: dict[str, int] = {}
    enough = all(_give(place, names, owners, having, set()) for place, names in enumerate(owners))
    return having if enough else {}


def _give(
    place: int, names: Sequence[str], owners: Sequence[Sequence[str]], having: dict[str, int], asked: set[str]
) -> bool:
    """Gives a record to one of these owners, who may hand on what they have (Kuhn's augmenting paths)."""
    for name in names:
        if name in asked:
            continue
        asked.add(name)
        kept = having.get(name)
        if kept is None or _give(kept, owners[kept], owners, having, asked):
            having[name] = place
            return True
    return False
