"""Which lines of a file a journal has already, as `add` would find them, with nothing added."""

import sqlite3
from collections import Counter
from collections.abc import Iterable

from attrs import frozen

from gmi_video.batch.lines import NewLine, identity
from gmi_video.batch.records import LineState


@frozen(kw_only=True)
class Standing:
    """A line that is there: `same` says whether its payload is the one that is asked for, `held` whether it has money."""

    number: int
    state: LineState
    same: bool
    held: bool

    @property
    def unsent(self) -> bool:
        """Whether it waits to be sent, or was set aside before it was."""
        return self.state in {"waiting", "parked"} and not self.held


class Known:
    """One pass over a file: equal lines without a key are told apart by how many came before."""

    def __init__(self) -> None:
        self._passed: Counter[bytes] = Counter()

    def of(self, connection: sqlite3.Connection, new: Iterable[NewLine]) -> list[Standing | None]:
        """The lines of the journal that these are, None for each that is new."""
        return [self._one(connection, line) for line in new]

    def _one(self, connection: sqlite3.Connection, line: NewLine) -> Standing | None:
        before = 0
        if line.key is None:
            before = self._passed[line.digest]
            self._passed[line.digest] += 1
        query = "SELECT number, state, digest, money FROM lines WHERE identity = ?"
        found = connection.execute(query, (identity(line, before),)).fetchone()
        if found is None:
            return None
        number, state, digest, money = found
        return Standing(number=number, state=state, same=digest == line.digest, held=money != "")
