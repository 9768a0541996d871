"""What happens to lines in the journal, one job a step: each is a function of a connection, committed as a whole."""

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from attrs import evolve, frozen

from gmi_video.batch import passes
from gmi_video.batch.journal import keep
from gmi_video.batch.records import LineState
from gmi_video.errors import GmiVideoError
from gmi_video.ledger import Intent, State


def now() -> float:
    """Unix seconds, for people; nothing is decided by them."""
    return time.time()


@frozen(kw_only=True)
class Kept:
    """A line as the journal has it, for the stage that takes it up."""

    number: int
    key: str | None
    model: str
    payload: str
    state: LineState
    attempts: int
    cost: Decimal | None
    price_words: str
    money: str
    request_id: str | None
    snapshot: str | None
    error: str | None
    files: str | None
    target: str
    queued: float | None
    processing: float | None
    downloading: float | None


_KEPT = ", ".join(Kept.__annotations__)


def _kept(values: tuple[Any, ...]) -> Kept:
    told = dict(zip(Kept.__annotations__, values, strict=True))
    told["cost"] = None if told["cost"] is None else Decimal(told["cost"])
    return Kept(**told)


def take(connection: sqlite3.Connection, model: str, after: int, most: int, *, narrow: bool) -> list[Kept]:
    """Waiting lines of a model, in their order, after a number; `narrow` as for `Batch.narrow`."""
    query = (
        f"SELECT {_KEPT} FROM lines WHERE state = 'waiting' AND model = ? AND number > ? "  # noqa: S608  # our own columns
        f"{passes.GIVEN if narrow else ''} ORDER BY number LIMIT ?"
    )
    return [_kept(row) for row in connection.execute(query, (model, after, most))]


def begun(connection: sqlite3.Connection, after: int, most: int) -> list[Kept]:
    """Lines that an earlier run began and did not end, after a number."""
    query = (
        f"SELECT {_KEPT} FROM lines WHERE state IN ('submitting', 'running', 'saving', 'uncertain') AND number > ? "  # noqa: S608  # as above
        "ORDER BY number LIMIT ?"
    )
    return [_kept(row) for row in connection.execute(query, (after, most))]


def untold(connection: sqlite3.Connection, after: int, most: int) -> list[Kept]:
    """Lines that ended, and whose end nobody was told of."""
    query = f"SELECT {_KEPT} FROM lines WHERE told = 0 AND state IN ('done', 'failed') AND number > ? ORDER BY number LIMIT ?"  # noqa: S608  # as above
    return [_kept(row) for row in connection.execute(query, (after, most))]


def parked(connection: sqlite3.Connection, after: int, most: int) -> list[Kept]:
    """Lines that were set aside, after a number."""
    query = f"SELECT {_KEPT} FROM lines WHERE state = 'parked' AND error NOT LIKE '{{\"error\": \"BudgetExceeded\"%' AND number > ? ORDER BY number LIMIT ?"  # noqa: S608  # as above
    return [_kept(row) for row in connection.execute(query, (after, most))]


def one(connection: sqlite3.Connection, number: int) -> Kept:
    """One line."""
    return _kept(connection.execute(f"SELECT {_KEPT} FROM lines WHERE number = ?", (number,)).fetchone())  # noqa: S608  # as above


def waiting_models(connection: sqlite3.Connection, *, narrow: bool) -> list[str]:
    """The models that lines wait for."""
    query = f"SELECT DISTINCT model FROM lines WHERE state = 'waiting' {passes.GIVEN if narrow else ''} ORDER BY model"  # noqa: S608  # as above
    return [model for (model,) in connection.execute(query)]


def reopen(connection: sqlite3.Connection) -> None:
    """What a new run does first: what was set aside is tried again, what provably was not sent waits again."""
    connection.execute(
        "UPDATE lines SET kind = NULL, reason = '', error = NULL, state = CASE WHEN request_id IS NULL THEN 'waiting' "
        "WHEN snapshot IS NOT NULL AND status = 'success' THEN 'saving' ELSE 'running' END WHERE state = 'parked'"
    )
    latest = "(SELECT {} FROM intents WHERE line = lines.number ORDER BY number DESC LIMIT 1)"
    state, request_id = latest.format("state"), latest.format("request_id")
    sent = "WHERE state IN ('submitting', 'uncertain')"
    connection.execute(
        "UPDATE lines SET state = 'running', money = 'spent', candidates = NULL, reason = '', "  # noqa: S608  # our own words
        f"request_id = {request_id} {sent} AND {state} = 'accepted'"
    )
    connection.execute(
        f"UPDATE lines SET state = 'waiting', money = '', candidates = NULL, reason = '' {sent} "  # noqa: S608  # as above
        f"AND coalesce({state}, 'prepared') IN ('prepared', 'rejected')"
    )


def retry_failed(connection: sqlite3.Connection, *, narrow: bool) -> int:
    """Sends failed lines that cost nothing once more, and looks again for what was paid for; returns how many."""
    paid = connection.execute(
        "UPDATE lines SET told = 0, kind = NULL, reason = '', error = NULL, ended_at = NULL, state = CASE "
        "WHEN snapshot IS NOT NULL AND status = 'success' THEN 'saving' ELSE 'running' END "
        "WHERE state = 'failed' AND money = 'spent' AND status NOT IN ('failed', 'cancelled')"
    )
    given = passes.GIVEN if narrow else ""
    free = connection.execute(
        "UPDATE lines SET state = 'waiting', told = 0, kind = NULL, reason = '', error = NULL, request_id = NULL, "  # noqa: S608  # as above
        f"snapshot = NULL, status = '', ended_at = NULL, attempts = 0 WHERE state = 'failed' AND money != 'spent' {given}"
    )
    return paid.rowcount + free.rowcount


def change(connection: sqlite3.Connection, number: int, **columns: Any) -> None:
    """Sets columns of a line."""
    names = ", ".join(f"{name} = ?" for name in columns)
    connection.execute(f"UPDATE lines SET {names} WHERE number = ?", (*columns.values(), number))  # noqa: S608  # names are our own


def park_waiting(
    connection: sqlite3.Connection,
    model: str,
    kind: str | None,
    error: GmiVideoError,
    under_way: Sequence[int] = (),
    *,
    narrow: bool,
) -> tuple[int, set[int]]:
    """Sets the waiting lines of a model aside; returns how many, and which of those under way."""
    waited, given = _of(connection, under_way, "waiting"), passes.GIVEN if narrow else ""
    done = connection.execute(
        f"UPDATE lines SET state = 'parked', kind = ?, reason = ?, error = ? WHERE state = 'waiting' AND model = ? {given}",  # noqa: S608  # as above
        (kind, str(error), error_text(error), model),
    )
    return done.rowcount, waited & _of(connection, under_way, "parked")


def _of(connection: sqlite3.Connection, numbers: Sequence[int], state: LineState) -> set[int]:
    """Those of some lines that are in a state."""
    query = "SELECT number FROM lines WHERE state = ? AND number IN (SELECT value FROM json_each(?))"
    return {number for (number,) in connection.execute(query, (state, json.dumps(numbers)))}


def park_these(
    connection: sqlite3.Connection, numbers: Sequence[int], kind: str | None, error: GmiVideoError
) -> int:
    """Sets these lines aside, as far as they wait; returns how many."""
    done = connection.execute(
        "UPDATE lines SET state = 'parked', kind = ?, reason = ?, error = ? WHERE state = 'waiting' "
        "AND number IN (SELECT value FROM json_each(?))",
        (kind, str(error), error_text(error), json.dumps(numbers)),
    )
    return done.rowcount


def submission(
    connection: sqlite3.Connection, line: int, intent: Intent, reply: bytes, told: dict[str, Any]
) -> None:
    """Keeps a submission's present state, and what it means for its line; `told` are further columns.

    One that came to nothing means nothing for a line that another one has.
    """
    if intent.state in {State.PREPARED, State.REJECTED} and not _has(connection, line, intent):
        keep(connection, intent, None)
        return
    keep(connection, intent, line)
    columns: dict[str, Any] = {}
    match intent.state:
        case State.SENDING:
            columns = {
                "state": "submitting",
                "money": "reserved",
                "submitted_at": now(),
                "request_id": None,
            }
        case State.ACCEPTED:
            columns = {
                "state": "running",
                "money": "spent",
                "request_id": intent.request_id,
                "snapshot": reply.decode("utf-8", "replace") or None,
                "candidates": None,
                "reason": "",
            }
        case State.PREPARED:
            columns = {"state": "waiting", "money": ""}
        case State.REJECTED:
            columns = {"money": ""}
        case State.NEEDS_DECISION:
            columns = {
                "state": "uncertain",
                "reason": intent.evidence,
                "candidates": json.dumps(intent.candidates),
            }
        case State.AMBIGUOUS | State.ABSENT:
            columns = {"reason": intent.evidence}
    change(connection, line, **columns, **told)


def _has(connection: sqlite3.Connection, line: int, intent: Intent) -> bool:
    """Whether a line waits, or is on its way by this submission."""
    state = state_of(connection, line)
    return state == "waiting" or (
        state in {"submitting", "uncertain"} and not rivals(connection, line, intent)
    )


def rivals(connection: sqlite3.Connection, line: int, intent: Intent) -> bool:
    """Whether another submission of a line may have been, or still be, accepted."""
    query = "SELECT state FROM intents WHERE line = ? AND id != ?"
    return any(State(state).open for (state,) in connection.execute(query, (line, intent.id)))


def intent_of(connection: sqlite3.Connection, line: int) -> Intent | None:
    """The latest submission of a line."""
    query = "SELECT body, state FROM intents WHERE line = ? ORDER BY number DESC LIMIT 1"
    found = connection.execute(query, (line,)).fetchone()
    return None if found is None else evolve(Intent.from_dict(json.loads(found[0])), state=State(found[1]))


def state_of(connection: sqlite3.Connection, number: int) -> LineState:
    """Where a line is."""
    found: LineState = connection.execute("SELECT state FROM lines WHERE number = ?", (number,)).fetchone()[0]
    return found


def unpark(
    connection: sqlite3.Connection, model: str, kind: str, under_way: Sequence[int] = ()
) -> tuple[int, set[int]]:
    """Lines of a model that were set aside unsent wait again; returns how many, and which of those under way."""
    parked = _of(connection, under_way, "parked")
    done = connection.execute(
        "UPDATE lines SET state = 'waiting', kind = NULL, reason = '', error = NULL "
        "WHERE state = 'parked' AND model = ? AND kind = ? AND request_id IS NULL",
        (model, kind),
    )
    return done.rowcount, parked & _of(connection, under_way, "waiting")


def unpark_beyond(connection: sqlite3.Connection) -> dict[str, int]:
    """Lines that a budget set aside wait again; returns how many of each model."""
    where = "WHERE state = 'parked' AND error LIKE '{\"error\": \"BudgetExceeded\"%'"
    found = connection.execute(f"SELECT model, count(*) FROM lines {where} GROUP BY model").fetchall()  # noqa: S608  # our own words
    connection.execute(f"UPDATE lines SET state = 'waiting', kind = NULL, reason = '', error = NULL {where}")  # noqa: S608  # as above
    return dict(found)


def aim(connection: sqlite3.Connection, number: int, target: str) -> bool:
    """Takes a file name for a line; False where another line has it."""
    query = "UPDATE OR IGNORE lines SET target = ? WHERE number = ?"
    return connection.execute(query, (target, number)).rowcount == 1


def tell(connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """The ends of these lines were handed out."""
    connection.executemany("UPDATE lines SET told = 1 WHERE number = ?", [(number,) for number in numbers])


def error_text(error: GmiVideoError) -> str:
    """An error as the journal keeps it."""
    return json.dumps({"error": type(error).__name__, **error.as_dict()}, default=str)


def is_open(connection: sqlite3.Connection, line: int) -> bool:
    """Whether the latest submission of a line may have been accepted, and nobody knows."""
    query = "SELECT state FROM intents WHERE line = ? ORDER BY number DESC LIMIT 1"
    found = connection.execute(query, (line,)).fetchone()
    return found is not None and State(found[0]).open
