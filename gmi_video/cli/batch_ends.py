"""What is told of a batch's lines as they end, and of the whole at its end."""

import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gmi_video.batch.records import BatchStatistics, Finished, Row
from gmi_video.batch.words import readable
from gmi_video.cli import exits
from gmi_video.cli.batch_view import dollars
from gmi_video.cli.desk import Desk
from gmi_video.cli.plain import counted, printable
from gmi_video.cli.times import span

_LISTED = 20


def as_dict(done: Finished) -> dict[str, Any]:
    """An ended line as JSON-able data."""
    error = None if done.error is None else done.error.as_dict()
    return {
        "number": done.number,
        "key": done.key,
        "model": done.request.model,
        "state": done.state,
        "request_id": done.video.snapshot.request_id
        if done.video
        else getattr(done.error, "request_id", None),
        "attempts": done.attempts,
        "cost": None if done.cost is None else str(done.cost),
        "queued": done.queued,
        "processing": done.processing,
        "downloading": done.downloading,
        "url": done.video.url if done.video else None,
        "files": [file.as_dict() for file in done.stored],
        "error": error,
    }


def sentence(done: Finished) -> str:
    """An ended line as one line of text."""
    name = f"line {done.number}" if done.key is None else printable(done.key, 80)
    parts = [done.state, name, printable(done.request.model, 80)]
    if done.error is not None:
        return "  ".join([*parts, printable(readable(str(done.error)), 300)])
    took = sum(part for part in (done.queued, done.processing, done.downloading) if part is not None)
    parts += [span(took)] if took else []
    return "  ".join([*parts, *([dollars(done.cost)] if done.cost is not None else [])])


def code(statistics: BatchStatistics, kinds: Counter[str], left: int = 0) -> int:
    """The exit code of a run that came to its end; `kinds` are why lines were set aside in it, `left` were not its own."""
    lines = statistics.lines
    if lines.uncertain:
        return exits.DECISION
    if lines.parked and kinds.get("credit"):
        return exits.CREDITS
    return exits.FAILED if lines.failed or lines.total > lines.done + left else exits.OK


def undecided(desk: Desk, found: Sequence[Row], journal: Path, unlisted: int = 0) -> None:
    """Lists the lines of which nobody knows whether they run, each with its price and what decides it."""
    for row in found[:_LISTED]:
        price = "an unknown price" if row.cost is None else dollars(row.cost)
        name = f"line {row.number}" if row.key is None else f"line {row.number} ({printable(row.key, 60)})"
        words = printable(row.reason, 200) or "the answer to its submission was lost"
        desk.note(f"Undecided: {name} of {printable(row.model, 80)}, {price}: {words}")
        for candidate in row.candidates[:3]:
            desk.pointer(f"  it is that request: {resolve(journal, row.number, candidate)}")
        desk.pointer(f"  it never ran:       {resolve(journal, row.number, 'none')}")
    more = len(found) + unlisted - _LISTED
    if more > 0:
        desk.pointer(f"and {counted(more, 'more undecided line')}; the report has them")


def resolve(journal: Path, number: int, request_id: str) -> str:
    """The command that decides a line."""
    return shlex.join(["gmi-video", "batch", "resolve", str(journal), str(number), request_id])
