"""Reading the journal: its rows as values, whole or as far as a damaged file allows, and its sums."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
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
LEAST = 100
"""Bytes of a file that a line takes at least: its identity and its digest stand in it twice."""
COLUMNS = (
    "number, key, model, payload, state, request_id, attempts, cost, price_words, money, status, kind, reason, files, target, "
    "added_at, submitted_at, ended_at, queued, processing, downloading, candidates"
)


def row_of(values: tuple[Any, ...]) -> Row:
    """A row of `COLUMNS`."""
    told = dict(zip(COLUMNS.split(", "), values, strict=True))
    files = tuple(Stored(**file) for file in json.loads(told["files"] or "[]"))
    target, held = told.pop("target"), told.pop("money")
    return Row(
        **told
        | {
            "key": key_of(told["key"]),
            "payload": json.loads(told["payload"]),
            "cost": money(told["cost"]),
            "spent": held == "spent",
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
    last, end = 0, 0
    while True:
        found = _rows(do(partial(_page, last=last)))
        if found is None:  # somewhere here the file is damaged: one by one
            end = end or do(_end)
            for values in do(partial(_each, last=last)):
                yield from _rows([values]) or ()
            last += PAGE
            if last >= end:
                return
            continue
        if not found:
            return
        yield from found
        last = found[-1].number


def _rows(found: list[Any] | None) -> list[Row] | None:
    """Rows of `COLUMNS`, or None where one of them holds what nobody wrote there."""
    try:
        return None if found is None else [row_of(values) for values in found]
    except (ValueError, TypeError, ArithmeticError):
        return None


def _page(connection: sqlite3.Connection, last: int) -> list[Any] | None:
    """Rows after a number, or None where the file is damaged there."""
    query = f"SELECT {COLUMNS} FROM lines WHERE number > ? ORDER BY number LIMIT ?"  # noqa: S608  # no part of it is a caller's
    try:
        return connection.execute(query, (last, PAGE)).fetchall()
    except sqlite3.DatabaseError:
        return None


def _each(connection: sqlite3.Connection, last: int) -> list[Any]:
    """Those of the rows after a number that can be read."""
    found: list[Any] = []
    for number in range(last + 1, last + PAGE + 1):
        with suppress(sqlite3.DatabaseError):
            found += connection.execute(f"SELECT {COLUMNS} FROM lines WHERE number = ?", (number,)).fetchall()  # noqa: S608  # as above
    return found


def _end(connection: sqlite3.Connection) -> int:
    """A number that no line passes; where the last one cannot be read, as many as a file of this size may hold."""
    try:
        return int(connection.execute("SELECT max(number) FROM lines").fetchone()[0] or 0)
    except sqlite3.DatabaseError:
        (count,), (size,) = (
            connection.execute(f"PRAGMA page_{what}").fetchone() for what in ("count", "size")
        )
        return int(count * size // LEAST)


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
