"""What the journal knows beside its lines: facts of the whole batch, models that run, files that were uploaded."""

import sqlite3

from gmi_video.batch.steps import now


def fact(connection: sqlite3.Connection, name: str) -> str | None:
    """A fact about the whole batch."""
    found = connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
    return None if found is None else str(found[0])


def set_fact(connection: sqlite3.Connection, name: str, value: str | None) -> None:
    """Keeps a fact, or forgets it."""
    if value is None:
        connection.execute("DELETE FROM facts WHERE name = ?", (name,))
    else:
        connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))


def prove(connection: sqlite3.Connection, model: str) -> None:
    """A request of this model was seen to leave the queue."""
    connection.execute("INSERT OR IGNORE INTO proven VALUES (?)", (model,))


def proven(connection: sqlite3.Connection) -> set[str]:
    """The models of which some request left the queue."""
    return {model for (model,) in connection.execute("SELECT model FROM proven")}


def upload_of(connection: sqlite3.Connection, sha256: str) -> str | None:
    """The public link of a file that was uploaded before."""
    found = connection.execute("SELECT url FROM uploads WHERE sha256 = ?", (sha256,)).fetchone()
    return None if found is None else str(found[0])


def uploaded(connection: sqlite3.Connection, sha256: str, url: str) -> None:
    """A file was uploaded."""
    connection.execute("INSERT OR REPLACE INTO uploads VALUES (?, ?, ?)", (sha256, url, now()))
