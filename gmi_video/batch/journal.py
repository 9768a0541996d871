"""The journal: a SQLite file that remembers every line of a batch, and every submission before its first byte leaves.

It is the ledger's store as well, so `Session(store=journal)` makes any program's submissions outlive it.
"""

import json
import os
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from gmi_video.batch import rows, tables
from gmi_video.batch.database import DAMAGED, Database, Job, T, told
from gmi_video.batch.errors import JournalCorrupt, JournalError
from gmi_video.batch.owner import Owner, real, refuse_names, refuse_network
from gmi_video.batch.records import BatchStatistics, Row
from gmi_video.ledger import Intent, State

CHECKED = 1 << 28
"""Bytes of a journal up to which it is read through before it is used: below a second of work."""


class Journal:
    """A journal's file. `open` and `close` it, or use it with `with`; a `Batch` that was given a path does it.

    Args:
        path: the file, made if missing, readable by its owner only; None keeps everything in a file of this
            process's own, which nobody sees and which is gone afterwards.
        force: takes a network file system, or a file of several names, where locks may let a second owner in.
        readonly: reads only, beside an owner at work, and of a damaged file what is left of it.
    """

    shared = False

    def __init__(
        self, path: str | os.PathLike[str] | None, *, force: bool = False, readonly: bool = False
    ) -> None:
        self.path = None if path is None else Path(path)
        self._force = force
        self._readonly = readonly
        self._owner: Owner | None = None
        self._open: Database | None = None

    def open(self) -> Self:
        """Opens the file; an open journal stays as it is.

        Raises:
            JournalLocked: another process owns it.
            JournalCorrupt: the file is damaged.
            JournalError: it cannot be opened, is of a newer version, lies on a network file system, or has a second
                name beside symbolic links.
        """
        if self._open is not None and not self._open.closed:
            return self
        if self._readonly:
            self._open = Database(self._read(), self.path, reading=True)
        elif self.path is None:
            self._open = Database(_connected("", None), None)
        else:
            if not self._force:
                refuse_network(self.path)
                refuse_names(self.path)
            owner = Owner(self.path)
            try:
                self._open = Database(_connected(str(self.path), self.path), self.path)
            except BaseException:
                owner.release()
                raise
            self._owner = owner
        return self

    def close(self) -> None:
        """Closes the file once everything is written; a second call does nothing."""
        if self._open is not None:
            self._open.close()
        if self._owner is not None:
            self._owner.release()
            self._owner = None

    def abandon(self) -> None:
        """What a finaliser can do: lets go of a file that nobody sees."""
        if self._open is not None:
            self._open.abandon()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        """Whether it is open."""
        return self._open is not None and not self._open.closed

    @property
    def failure(self) -> JournalError | None:
        """Why nothing can be written any more, where that is so."""
        return self._open.failure if self._open is not None else None

    @property
    def _database(self) -> Database:
        if self._open is None:
            raise JournalError("the journal is not open", path=str(self.path))
        return self._open

    async def do(self, job: Job[T]) -> T:
        """What a job returns, once what it wrote is on disk; raises `JournalError` leaves."""
        return await self._database.do(job)

    async def idle(self) -> None:
        """Waits until nothing is being written."""
        await self._database.idle()

    def rows(self) -> Iterator[Row]:
        """All lines in the order in which they were added, read as they are taken."""
        return rows.pages(self._database.do_now)

    def statistics(self) -> BatchStatistics:
        """The sums over all lines; they are added up by reading the file."""
        return self._database.do_now(rows.statistics_of)

    async def put(self, intent: Intent, reply: bytes = b"") -> None:
        """As the protocol says: on disk before it returns, together with whatever else waited, the line that waits for it as well."""

        def job(connection: sqlite3.Connection) -> None:
            keep(connection, intent, None, reply)
            if not intent.state.open:
                decide(connection, intent)

        await self.do(job)

    async def claim(self, request_id: str, intent_id: str) -> bool:
        """As the protocol says."""
        return await self.do(lambda connection: claimed(connection, request_id, intent_id))

    async def claims(self, request_ids: Collection[str]) -> Mapping[str, str]:
        """As the protocol says."""
        wanted = json.dumps(list(request_ids))
        query = "SELECT request_id, intent FROM claims WHERE request_id IN (SELECT value FROM json_each(?))"
        return dict(await self.do(lambda connection: connection.execute(query, (wanted,)).fetchall()))

    async def undecided(self) -> tuple[Intent, ...]:
        """As the protocol says."""
        return tuple([intent for _, intent in await self.do(open_intents)])

    def _read(self) -> sqlite3.Connection:
        if self.path is None or not self.path.is_file():
            raise JournalError(f"there is no journal {str(self.path)!r}", path=str(self.path))
        connection = _uri(self.path, "mode=ro")
        try:
            version = _readable(connection)
        except sqlite3.Error as error:
            connection.close()
            if not _lies_still(self.path, error):
                raise told(error, self.path, "read") from None
            connection = _uri(self.path, "mode=ro&immutable=1")
            version = _readable(connection)
        if version != tables.VERSION:
            connection.close()
            message = f"{str(self.path)!r} is no journal that this gmi_video reads (version {version})"
            raise JournalError(message, path=str(self.path))
        return connection


def _lies_still(path: Path, error: sqlite3.Error) -> bool:
    """Whether a file could not be opened for want of a place beside it, and needs none: it has no log of its own."""
    unplaced = getattr(error, "sqlite_errorcode", 0) & 0xFF in {
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
    }
    log = path.with_name(f"{path.name}-wal")
    return unplaced and os.access(path, os.R_OK) and not (log.exists() and log.stat().st_size)


def _readable(connection: sqlite3.Connection) -> int:
    """The version of the tables, where they can be read at all.

    A file that was cut off is refused by SQLite as a whole, until it is told that somebody is mending: then each page
    that is there is read. `PRAGMA writable_schema` says so; on a connection that only reads nothing else comes of it.
    """
    try:
        connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_CORRUPT:
            raise
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("SELECT count(*) FROM sqlite_master")
    return tables.version_of(connection)


def _uri(path: Path, options: str) -> sqlite3.Connection:
    address = f"file:{quote(os.fsencode(path.absolute()))}?{options}"
    return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False, timeout=10)


def _connected(name: str, path: Path | None) -> sqlite3.Connection:
    """A connection to a file that is ours alone, prepared and looked through."""
    if path is not None:
        _made(path)
    connection = sqlite3.connect(name, isolation_level=None, check_same_thread=False, timeout=10)
    try:
        tables.prepare(connection, path)
        if path is not None and path.stat().st_size <= CHECKED:
            _look_through(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise told(error, path) from None
    except BaseException:
        connection.close()
        raise
    return connection


def _made(path: Path) -> None:
    """Makes the file, for its owner's eyes only. One that is there is not opened: closing it would drop SQLite's locks."""
    try:
        os.close(os.open(real(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        if not path.is_dir() and os.access(path, os.R_OK | os.W_OK):
            return
        why = "Is a directory" if path.is_dir() else "Permission denied"
    except OSError as error:
        why = error.strerror or "it cannot be made"
    else:
        return
    raise JournalError(f"{str(path)!r}: {why}", path=str(path))


def _look_through(connection: sqlite3.Connection, path: Path) -> None:
    (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise JournalCorrupt(DAMAGED.format(str(path)), path=str(path))


def keep(connection: sqlite3.Connection, intent: Intent, line: int | None, reply: bytes = b"") -> None:
    """Writes an intent's present state. Once it has ended its payload is dropped: the line has it."""
    kept: dict[str, Any] = intent.as_dict()
    if line is not None and not intent.state.open:
        kept["payload"] = {}
    connection.execute(
        "INSERT INTO intents (id, line, state, request_id, body, reply) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) "
        "DO UPDATE SET state = excluded.state, request_id = excluded.request_id, body = excluded.body, "
        "reply = coalesce(excluded.reply, reply)",
        (
            intent.id,
            line,
            intent.state.value,
            intent.request_id,
            json.dumps(kept, default=str),
            reply or None,
        ),
    )


def decide(connection: sqlite3.Connection, intent: Intent) -> None:
    """Brings the line of a submission whose fate is known by now, if it has one and waits for that, where it belongs."""
    state, money = ("running", "spent") if intent.state is State.ACCEPTED else ("waiting", "")
    connection.execute(
        "UPDATE lines SET state = ?, money = ?, request_id = ?, candidates = NULL, reason = '' "
        "WHERE state IN ('submitting', 'uncertain') AND ? = "
        "(SELECT id FROM intents WHERE line = lines.number ORDER BY number DESC LIMIT 1)",
        (state, money, intent.request_id, intent.id),
    )


def claimed(connection: sqlite3.Connection, request_id: str, intent_id: str) -> bool:
    """Makes an intent the owner of a request id, unless it has one."""
    connection.execute("INSERT OR IGNORE INTO claims VALUES (?, ?)", (request_id, intent_id))
    query = "SELECT intent FROM claims WHERE request_id = ?"
    return bool(connection.execute(query, (request_id,)).fetchone()[0] == intent_id)


def open_intents(connection: sqlite3.Connection) -> list[tuple[int | None, Intent]]:
    """The undecided intents with their lines, oldest first."""
    query = (
        "SELECT line, body FROM intents WHERE state IN ('sending', 'ambiguous', 'absent', 'needs_decision') "
        "ORDER BY number"
    )
    return [(line, Intent.from_dict(json.loads(body))) for line, body in connection.execute(query)]
