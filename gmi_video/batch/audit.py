"""The last look at the list: requests that are like ours and belong to no line, so that no charge goes unseen.

What an earlier batch made of equal prompts is its own: a request counts only where it was made after this journal's
first submission of its payload, by the service's clock.
"""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from attrs import frozen

from gmi_video.batch import facts, steps
from gmi_video.batch.journal import Journal, claimed
from gmi_video.batch.lines import FILE, payload_digest
from gmi_video.batch.passes import insert
from gmi_video.batch.prices import Prices
from gmi_video.batch.records import Orphan
from gmi_video.errors import ConfigurationError
from gmi_video.records import Snapshot, Status
from gmi_video.session import Session

EARLY = 2.0
"""Seconds that `created_at` may lie before a submission: it has whole seconds, cut off."""


@frozen(kw_only=True)
class Sent:
    """What was sent to a model: since when by the service's clock, with which sets of names, which files as which links."""

    model: str
    since: float
    names: frozenset[frozenset[str]]
    files: Mapping[str, str]


async def audit(session: Session, journal: Journal, prices: Prices) -> tuple[Orphan, ...]:
    """The requests of the list that carry a payload of ours, came after it was first sent, and that no submission owns.

    They are sorted by age, the oldest first. Failed ones are left out: they cost nothing. A request that was lost because the service echoes no payload
    cannot be told from a stranger's, and is not among them.
    """
    found: list[Orphan] = []
    for sent in await journal.do(_sent):
        since = datetime.fromtimestamp(sent.since, UTC)
        async for snapshot in session.requests(sent.model, since=since):
            number = await journal.do(partial(_like, sent=sent, snapshot=snapshot))
            if number is not None:
                cost, _ = await prices.of(sent.model, snapshot.payload or {}, needed=False)
                created = snapshot.created_at.timestamp() if snapshot.created_at else None
                orphan = Orphan(
                    request_id=snapshot.request_id,
                    model=sent.model,
                    status=snapshot.word,
                    created_at=created,
                    cost=cost,
                    number=number,
                )
                found.append(orphan)
    await journal.do(partial(facts.set_fact, name="orphans", value=str(len(found))))
    return tuple(sorted(found, key=lambda orphan: (orphan.created_at or 0.0, orphan.request_id)))


def _sent(connection: sqlite3.Connection) -> list[Sent]:
    files = {url: sha256 for sha256, url in connection.execute("SELECT sha256, url FROM uploads")}
    query = (
        "SELECT model, min(json_extract(body, '$.sent_at') - json_extract(body, '$.slack')) - ? FROM lines JOIN intents "
        "ON intents.line = lines.number WHERE json_extract(body, '$.sent_at') IS NOT NULL GROUP BY model ORDER BY model"
    )
    shapes = (
        "SELECT DISTINCT (SELECT json_group_array(key) FROM (SELECT key FROM json_each(payload) ORDER BY key)) "
        "FROM lines WHERE model = ?"
    )
    return [
        Sent(
            model=model,
            since=since,
            names=frozenset(
                frozenset(json.loads(names)) for (names,) in connection.execute(shapes, (model,))
            ),
            files=files,
        )
        for model, since in connection.execute(query, (EARLY,)).fetchall()
    ]


def _like(connection: sqlite3.Connection, *, sent: Sent, snapshot: Snapshot) -> int | None:
    """The line that a listed request is like, or None where it has an owner or is like none."""
    if snapshot.status is Status.FAILED or not snapshot.payload:
        return None
    owned = "SELECT 1 FROM claims WHERE request_id = ?"
    if connection.execute(owned, (snapshot.request_id,)).fetchone():
        return None
    for names in sent.names:
        if names <= set(snapshot.payload):
            said = {name: _content(snapshot.payload[name], sent.files) for name in names}
            digest = payload_digest(sent.model, said)
            found = connection.execute(
                "SELECT number FROM lines WHERE digest = ? ORDER BY state = 'done', number", (digest,)
            )
            if (row := found.fetchone()) is not None and _made(connection, digest, snapshot):
                return int(row[0])
    return None


def _made(connection: sqlite3.Connection, digest: bytes, snapshot: Snapshot) -> bool:
    """Whether a request may have been made by a submission of this payload: not where it was there before the first."""
    if snapshot.created_at is None:
        return True
    query = (
        "SELECT 1 FROM lines JOIN intents ON intents.line = lines.number WHERE digest = ? "
        "AND json_extract(body, '$.sent_at') - json_extract(body, '$.slack') - ? <= ?"
    )
    created = snapshot.created_at.timestamp()
    return connection.execute(query, (digest, EARLY, created)).fetchone() is not None


def _content(value: Any, files: Mapping[str, str]) -> Any:
    """An echoed value with the links of our uploads as the files that they are."""
    if isinstance(value, str) and value in files:
        return {FILE: files[value]}
    if isinstance(value, Mapping):
        return {name: _content(item, files) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_content(item, files) for item in value]
    return value


def adopt(connection: sqlite3.Connection, orphan: Orphan) -> int:
    """Gives an orphan to the line that it is like, or to a new one beside it where that has its own; its number.

    Raises `ConfigurationError` where it has an owner by now.
    """
    cost = None if orphan.cost is None else str(orphan.cost)
    number = orphan.number
    query = "SELECT request_id IS NULL OR (state = 'failed' AND money != 'spent'), key, model, digest, payload FROM lines WHERE number = ?"
    if (found := connection.execute(query, (number,)).fetchone()) is None:
        raise ConfigurationError(f"line {number} is not in the journal any more; audit it anew")
    free, *rest = found
    if not claimed(connection, orphan.request_id, f"adopted {orphan.request_id}"):
        raise ConfigurationError(f"request {orphan.request_id} belongs to another submission by now")
    if not free:
        who = hashlib.sha256(f"adopted\0{orphan.request_id}".encode()).digest()
        number = insert(connection, (who, *rest))
    closed = "UPDATE intents SET state = 'rejected' WHERE line = ? AND state != 'accepted'"
    connection.execute(closed, (number,))
    steps.change(
        connection,
        number,
        state="running",
        told=0,
        money="spent",
        cost=cost,
        request_id=orphan.request_id,
        snapshot=None,
        error=None,
        kind=None,
        reason="",
        candidates=None,
        submitted_at=orphan.created_at,
    )
    return number
