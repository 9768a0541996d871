"""`export`: the lines of a batch as a table for other programs, in CSV, JSON lines or Parquet.

Rows are written as they are read, so that a million of them take no memory, and a file is there whole or not at all.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal, get_args

from gmi_video.batch.cards import main, prompt
from gmi_video.batch.records import Row
from gmi_video.batch.targets import spared
from gmi_video.errors import ConfigurationError

Format = Literal["csv", "jsonl", "parquet"]
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
FORMATS: tuple[Format, ...] = get_args(Format)

COLUMNS: Mapping[str, Callable[[Row], Any]] = {
    "number": lambda row: row.number,
    "key": lambda row: row.key if row.key is None or isinstance(row.key, str) else _json(row.key),
    "model": lambda row: row.model,
    "state": lambda row: row.state,
    "request_id": lambda row: row.request_id,
    "attempts": lambda row: row.attempts,
    "cost": lambda row: row.cost,
    "price_words": lambda row: row.price_words or None,
    "status": lambda row: row.status or None,
    "kind": lambda row: row.kind,
    "reason": lambda row: row.reason or None,
    "file": lambda row: file.location if (file := main(row)) else None,
    "size": lambda row: file.size if (file := main(row)) else None,
    "sha256": lambda row: file.sha256 if (file := main(row)) else None,
    "files": lambda row: _json([file.as_dict() for file in row.files]) if len(row.files) > 1 else None,
    "added_at": lambda row: _moment(row.added_at),
    "submitted_at": lambda row: _moment(row.submitted_at),
    "ended_at": lambda row: _moment(row.ended_at),
    "queued": lambda row: row.queued,
    "processing": lambda row: row.processing,
    "downloading": lambda row: row.downloading,
    "candidates": lambda row: " ".join(row.candidates) or None,
    "prompt": lambda row: prompt(row, limit=None) or None,
    "payload": lambda row: _json(row.payload),
}
"""The columns of CSV and Parquet. Moments are UTC, spans seconds, money US dollars; `files` is there for lines of
several, as JSON, like `payload`."""


def format_of(target: Path) -> Format:
    """The format that a file's ending names; raises `ConfigurationError`."""
    found = next((name for name in FORMATS if target.suffix.lower() == f".{name}"), None)
    if found is None:
        message = (
            f"{target}: its ending says no format; results.csv, results.jsonl or results.parquet is wanted"
        )
        raise ConfigurationError(message)
    return found


def export(target: str | Path, rows: Iterable[Row], *, format: Format | None = None) -> int:  # noqa: A002  # the common word
    """Writes the rows to a file and returns how many they are; what stood there is replaced at the very end.

    Raises `ConfigurationError` for an ending that names no format, for a target that is a database, and where Parquet
    is wanted and pyarrow (the extra `parquet`) is not installed.
    """
    target = spared(Path(target))
    wanted = format or format_of(target)
    draft = target.with_name(f".{target.name}.part")
    try:
        with draft.open("wb") as file:
            count = _WRITERS[wanted](file, rows)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return count


def lines_of(rows: Iterable[Row], *, format: Literal["csv", "jsonl"] = "jsonl") -> Iterator[str]:  # noqa: A002  # as above
    """The rows as lines of text, with their ends."""
    if format == "jsonl":
        for row in rows:
            yield f"{json.dumps(row.as_dict(), ensure_ascii=False)}\n"
        return
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\r\n")  # RFC 4180, and what spreadsheets expect
    writer.writerow(COLUMNS)
    for row in rows:
        yield _taken(held)
        writer.writerow([_cell(read(row)) for read in COLUMNS.values()])
    yield _taken(held)


def _taken(held: io.StringIO) -> str:
    text = held.getvalue()
    held.seek(0)
    held.truncate()
    return text


def _cell(value: Any) -> Any:
    """A value as CSV has it. A text that a spreadsheet would run as a formula gets the sign that makes it a text.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    if isinstance(value, str) and value.startswith(_FORMULAS) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value.isoformat() if isinstance(value, datetime) else value


def _text(format: Literal["csv", "jsonl"]) -> Callable[[IO[bytes], Iterable[Row]], int]:  # noqa: A002  # as above
    def write(file: IO[bytes], rows: Iterable[Row]) -> int:
        count = 0

        def counted() -> Iterator[Row]:
            nonlocal count
            for count, row in enumerate(rows, 1):  # noqa: B007  # told at the end
                yield row

        if format == "csv":
            file.write(b"\xef\xbb\xbf")  # without the mark Excel takes UTF-8 for the code page of the machine
        file.writelines(line.encode("utf-8", "replace") for line in lines_of(counted(), format=format))
        return count

    return write


def _parquet(file: IO[bytes], rows: Iterable[Row]) -> int:
    try:
        from gmi_video.batch.columnar import write  # noqa: PLC0415  # its library has 170 MB, and is optional
    except ModuleNotFoundError as error:
        if error.name != "pyarrow":
            raise
        message = "Parquet is written by pyarrow: pip install 'gmi_video[parquet]'"
        raise ConfigurationError(message) from None
    return write(file, ({name: read(row) for name, read in COLUMNS.items()} for row in rows))


_WRITERS: Mapping[Format, Callable[[IO[bytes], Iterable[Row]], int]] = {
    "csv": _text("csv"),
    "jsonl": _text("jsonl"),
    "parquet": _parquet,
}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
