"""Reading the journal: its rows as values, whole or as far as a damaged file allows, and its sums."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

from attrs import evolve

from gmi_video.batch.lines import given
from gmi_video.batch.records import LINE_STATES, BatchStatistics, Row, Stored, Tally
from gmi_video.records import Snapshot, VideoRequest
from gmi_video.wire import Reply, read_snapshot, snapshot_call

Do = Callable[[Callable[[sqlite3.Connection], Any]], Any]

PAGE = 500
COLUMNS = (
    "number, key, model, payload, state, request_id, attempts, cost, price_words, status, kind, reason, files, target, "
    "added_at, submitted_at, ended_at, queued, processing, downloading, candidates"
)


def row_of(values: tuple[Any, ...]) -> Row:
    """A row of `COLUMNS`."""
    told = dict(zip(COLUMNS.split(", "), values, strict=True))
    files = tuple(Stored(**file) for file in json.loads(told["files"] or "[]"))
    target = told.pop("target")
    return Row(
        **told
        | {
            "key": key_of(told["key"]),
            "payload": json.loads(told["payload"]),
            "cost": money(told["cost"]),
            "files": files,
            "candidates": tuple(json.loads(told["candidates"] or "[]")),
            "name": (files[0].location if files else target).replace("\\", "/").rpartition("/")[2],
        }
    )


def key_of(text: str | None) -> Any:
    """The caller's key, or what JSON kept of it."""
    return None if text is None else json.loads(text)


def money(text: str | None) -> Decimal | None:
    """Exact dollars."""
    return None if text is None else Decimal(text)


def snapshot_from(text: str | None, request_id: str | None, model: str) -> Snapshot | None:
    """The record that the journal keeps as the service wrote it, read anew."""
    if text is None or request_id is None:
        return None
    snapshot = read_snapshot(
        snapshot_call(request_id), Reply(status=200, headers={}, body=text.encode("utf-8", "surrogatepass"))
    )
    return snapshot if snapshot.model else evolve(snapshot, model=model)


def request_from(model: str, payload: str, key: str | None) -> VideoRequest:
    """The request that a row stands for; its local files are as `lines.FILE` has them."""
    return VideoRequest(model, json.loads(payload), key=key_of(key))


def as_given(kept: VideoRequest) -> VideoRequest:
    """The equal of what the caller added: with local files as paths."""
    return evolve(kept, payload=given(kept.payload))


def pages(do: Do) -> Iterator[Row]:
    """All rows in their order, a page at a time; of a damaged file, those that can be read."""
    last, size = 0, PAGE
    while True:
        found = do(partial(_page, last=last, size=size))
        if found is None and size > 1:
            size = 1  # somewhere here the file is damaged: one by one
            continue
        if found is None:
            last += 1
            if last > do(_highest):
                return
            continue
        if not found:
            return
        yield from map(row_of, found)
        last = found[-1][0]


def _page(connection: sqlite3.Connection, last: int, size: int) -> list[Any] | None:
    """Rows after a number, or None where the file is damaged there."""
    where = "number > ? ORDER BY number LIMIT ?" if size > 1 else "number = ? + ?"
    try:
        return connection.execute(f"SELECT {COLUMNS} FROM lines WHERE {where}", (last, size)).fetchall()  # noqa: S608  # no part of it is a caller's
    except sqlite3.DatabaseError:
        return None


def _highest(connection: sqlite3.Connection) -> int:
    try:
        return int(connection.execute("SELECT max(number) FROM lines").fetchone()[0] or 0)
    except sqlite3.DatabaseError:
        return 0


SUMS = "SELECT model, state, money, cost, count(*) FROM lines GROUP BY model, state, money, cost"


def statistics_of(connection: sqlite3.Connection) -> BatchStatistics:
    """The sums over all lines, as the file has them."""
    models: dict[str, Tally] = {}
    reserved = Decimal(0)
    for model, state, held, cost, count in connection.execute(SUMS):
        tally = models.get(model, Tally())
        dollars = Decimal(cost or 0) * count
        spent = tally.spent + (dollars if held == "spent" else 0)
        models[model] = evolve(tally, spent=spent, **{state: getattr(tally, state) + count})
        reserved += dollars if held == "reserved" else 0
    facts = dict(connection.execute("SELECT name, value FROM facts"))
    at_work = (
        "SELECT model, count(*) FROM lines WHERE state = 'running' AND status = 'processing' GROUP BY model"
    )
    for model, count in connection.execute(at_work):
        models[model] = evolve(models[model], processing=count)
    lines = total(models.values())
    return BatchStatistics(
        lines=lines,
        models=models,
        queued=lines.running - lines.processing,
        processing=lines.processing,
        spent=sum((tally.spent for tally in models.values()), Decimal(0)),
        reserved=reserved,
        budget=money(facts.get("budget")),
        orphans=int(facts.get("orphans", 0)),
    )


def total(tallies: Any) -> Tally:
    """The sum of several tallies."""
    summed = Tally()
    for tally in tallies:
        summed = Tally(
            **{
                name: getattr(summed, name) + getattr(tally, name)
                for name in (*LINE_STATES, "processing", "spent")
            }
        )
    return summed
