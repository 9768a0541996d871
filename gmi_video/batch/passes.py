"""One call of `add` is one pass over one file: which of its requests are lines already, and which lines it gave.

What a pass counts, and what was given, is remembered by the connection alone, and is forgotten with it.
"""

import sqlite3
import time
from collections.abc import Iterable, Sequence

from attrs import frozen

from gmi_video.batch import facts
from gmi_video.batch.lines import NewLine, Refusal, identity
from gmi_video.errors import ConfigurationError

GIVEN = "AND number IN (SELECT number FROM temp.given)"
"""Of a query about lines: those that were given through this connection."""

HIGHEST = "highest"
"""The fact that holds the largest number of a line that was taken out."""
_NEXT = (
    "(SELECT 1 + max(coalesce((SELECT max(number) FROM lines), 0), "
    "coalesce((SELECT CAST(value AS INTEGER) FROM facts WHERE name = 'highest'), 0)))"
)
"""The number of a new line: one that none had before it, for somebody may still know that one by it."""

_TABLES = """
CREATE TEMP TABLE IF NOT EXISTS passed (pass INTEGER, digest BLOB, count INTEGER, PRIMARY KEY (pass, digest)) WITHOUT ROWID;
CREATE TEMP TABLE IF NOT EXISTS given (number INTEGER PRIMARY KEY);
"""


@frozen(kw_only=True)
class Added:
    """A line that was added, or was there: `new` says which."""

    number: int
    model: str
    new: bool


def begin(connection: sqlite3.Connection) -> None:
    """Begins to count equal lines anew."""
    for statement in _TABLES.strip().splitlines():
        connection.execute(statement)


def end(connection: sqlite3.Connection, number: int) -> None:
    """Forgets what one pass counted."""
    connection.execute("DELETE FROM temp.passed WHERE pass = ?", (number,))


def add(connection: sqlite3.Connection, one_pass: int, new: Iterable[NewLine]) -> tuple[list[Added], Refusal]:
    """Adds those lines that are not there yet, up to one whose key stands for another payload, and says so of that."""
    added: list[Added] = []
    refusal: Refusal = None
    for line in new:
        try:
            added.append(_added(connection, one_pass, line))
        except ConfigurationError as error:
            refusal = error
            break
    connection.executemany("INSERT OR IGNORE INTO temp.given VALUES (?)", [(one.number,) for one in added])
    return added, refusal


def _added(connection: sqlite3.Connection, one_pass: int, line: NewLine) -> Added:
    before = 0
    if line.key is None:
        counting = "INSERT INTO temp.passed VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count"
        before = connection.execute(counting, (one_pass, line.digest)).fetchone()[0] - 1
    who = identity(line, before)
    found = connection.execute("SELECT number, digest FROM lines WHERE identity = ?", (who,)).fetchone()
    model = line.request.model
    if found is None:
        number = insert(connection, (who, line.key, model, line.digest, line.payload))
        return Added(number=number, model=model, new=True)
    if found[1] != line.digest:
        message = (
            f"key {line.key} already stands for another payload (line {found[0]} of the journal); "
            "give the changed line a key of its own"
        )
        raise ConfigurationError(message)
    return Added(number=found[0], model=model, new=False)


def insert(connection: sqlite3.Connection, row: Sequence[object]) -> int:
    """A new line's number; `row` is its identity, key, model, digest and payload."""
    query = (
        "INSERT INTO lines (number, identity, key, model, digest, payload, added_at) "  # noqa: S608  # our own words
        f"VALUES ({_NEXT}, ?, ?, ?, ?, ?, ?)"
    )
    return connection.execute(query, (*row, time.time())).lastrowid or 0


_UNSENT = "FROM lines WHERE state IN ('waiting', 'parked') AND request_id IS NULL AND money = ''"
_OTHERS = f"{_UNSENT} AND number NOT IN (SELECT number FROM temp.given)"  # noqa: S608  # our own words


def unsent(connection: sqlite3.Connection) -> int:
    """How many lines wait to be sent, those that were set aside among them."""
    count: int = connection.execute(f"SELECT count(*) {_UNSENT}").fetchone()[0]
    return count


def others(connection: sqlite3.Connection, *, drop: bool) -> int:
    """How many of them were not given; `drop` takes them out, with their submissions that came to nothing."""
    begin(connection)
    count: int = connection.execute(f"SELECT count(*) {_OTHERS}").fetchone()[0]
    if drop and count:
        highest = connection.execute("SELECT max(number) FROM lines").fetchone()[0]
        facts.set_fact(connection, HIGHEST, str(max(highest, int(facts.fact(connection, HIGHEST) or 0))))
        connection.execute(f"DELETE FROM intents WHERE line IN (SELECT number {_OTHERS})")  # noqa: S608  # as above
        connection.execute(f"DELETE {_OTHERS}")
    return count
