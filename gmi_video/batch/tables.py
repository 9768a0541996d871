"""The journal's tables, the pragmas that make a commit durable, and the way from an older file to this one.

A line's columns are few and flat; what the service says stays raw, and is read anew through `wire`, so that this
schema does not chase our classes.
"""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from gmi_video.batch.errors import JournalError

VERSION = 1

_TABLES = """
CREATE TABLE lines (
    number INTEGER PRIMARY KEY,
    identity BLOB NOT NULL UNIQUE,
    key TEXT,
    model TEXT NOT NULL,
    digest BLOB NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting',
    told INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    cost TEXT,
    price_words TEXT NOT NULL DEFAULT '',
    money TEXT NOT NULL DEFAULT '',
    request_id TEXT,
    status TEXT NOT NULL DEFAULT '',
    kind TEXT,
    reason TEXT NOT NULL DEFAULT '',
    error TEXT,
    candidates TEXT,
    snapshot TEXT,
    target TEXT NOT NULL DEFAULT '',
    files TEXT,
    added_at REAL NOT NULL,
    submitted_at REAL,
    ended_at REAL,
    queued REAL,
    processing REAL,
    downloading REAL
);
CREATE INDEX lines_by_state ON lines (state, model, number);
CREATE INDEX lines_by_digest ON lines (digest);
CREATE UNIQUE INDEX lines_by_target ON lines (target) WHERE target != '';
CREATE INDEX lines_untold ON lines (number) WHERE told = 0 AND state IN ('done', 'failed');
CREATE TABLE intents (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    line INTEGER,
    state TEXT NOT NULL,
    request_id TEXT,
    body TEXT NOT NULL,
    reply BLOB
);
CREATE INDEX intents_by_line ON intents (line, number);
CREATE INDEX intents_open ON intents (number) WHERE state IN ('sending', 'ambiguous', 'absent', 'needs_decision');
CREATE TABLE claims (request_id TEXT PRIMARY KEY, intent TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE uploads (sha256 TEXT PRIMARY KEY, url TEXT NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE proven (model TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

MIGRATIONS: dict[int, str] = {0: _TABLES}
"""What brings a file of one version to the next; an empty file is of version 0."""


def prepare(
    connection: sqlite3.Connection,
    path: Path | None,
    *,
    migrations: Mapping[int, str] = MIGRATIONS,
    version: int = VERSION,
) -> None:
    """Sets how commits are made, and brings an older file to this version, in one transaction, after a backup.

    WAL with `synchronous=FULL` syncs the log at each commit: what was committed outlives a loss of power.
    """
    found = version_of(connection)
    if found > version:
        message = f"{str(path)!r} was written by a newer gmi_video (journal version {found}, this one reads {version})"
        raise JournalError(message, path=str(path))
    if found == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        message = f"{str(path)!r} is a database of something else; a journal is a file of its own"
        raise JournalError(message, path=str(path))
    connection.execute("PRAGMA cache_size = -8000")
    if path is None:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
    else:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA journal_size_limit = 67108864")
    if found == version:
        return
    if found and path is not None:
        _back_up(connection, path, found)
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in range(found, version):
            for statement in migrations[step].split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("COMMIT")
    except sqlite3.Error:
        connection.execute("ROLLBACK")
        raise


def version_of(connection: sqlite3.Connection) -> int:
    """The version of a journal's tables; 0 where it has none."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _back_up(connection: sqlite3.Connection, path: Path, version: int) -> None:
    copy = sqlite3.connect(path.with_name(f"{path.name}.v{version}.bak"))
    try:
        connection.backup(copy)
    finally:
        copy.close()
