"""Rows of a CSV file by column name, with the line on which each begins."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from gmi_video.batch.physical import lines_in
from gmi_video.errors import ConfigurationError

Cells = tuple[int, Mapping[str, str] | ConfigurationError]
"""A line number, and the cells that are not empty by the names of their columns, or what is wrong with them."""

_QUOTED = re.compile(r'"[^"]*"?')


def rows_of(path: Path) -> Iterator[Cells]:
    """The rows under the heading; empty ones are skipped.

    Raises `ConfigurationError` where the heading is none, or nothing from some line on can be understood.
    """
    lines = lines_in(path)
    top, first = next(((top, line) for top, line in enumerate(lines, 1) if line.strip()), (0, ""))
    if not first:
        return
    rows = _numbered(chain([first], lines), _delimiter(first), path, top)
    names = _heading(path, top, next(rows)[1])
    for number, cells in rows:
        if len(cells) == len(names):
            filled = {name: cell for name, cell in zip(names, cells, strict=True) if cell}
            if filled:
                yield number, filled
        elif any(cells):
            yield number, ConfigurationError(_mismatch(path, number, cells, names))


def _delimiter(heading: str) -> str:
    """What parts the columns: spreadsheets write semicolons where the comma is a decimal sign."""
    bare = _QUOTED.sub("", heading)
    return max(",;\t", key=bare.count)


def _numbered(lines: Iterator[str], delimiter: str, path: Path, top: int) -> Iterator[tuple[int, list[str]]]:
    reader, begins = csv.reader(lines, delimiter=delimiter, strict=True), top
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            message = f"{path}, line {begins}: {_words(str(error))}"
        else:
            yield begins, cells
            begins = reader.line_num + top
            continue
        raise ConfigurationError(message)


def _words(said: str) -> str:
    if "end of data" in said:
        return 'a quote opens here and is never closed; a quote inside a text is written twice ("")'
    if "field limit" in said:
        limit = csv.field_size_limit()
        return f"a cell of more than {limit:,} characters; is its quote closed? JSON lines have no such limit"
    if "expected after" in said:
        return 'text follows a closing quote; a quote inside a text is written twice ("")'
    if "new-line" in said:
        return "a carriage return stands in a cell without quotes; save the file with line ends of CRLF or LF"
    return said


def _heading(path: Path, top: int, cells: Sequence[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    twice = next((name for name in names if names.count(name) > 1 and name), None)
    if twice is not None:
        message = f"{path}, line {top}: the column {twice!r} stands there twice"
    elif "" in names:
        message = f"{path}, line {top}: column {names.index('') + 1} has no name; name it after a parameter of the model"
    else:
        return names
    raise ConfigurationError(message)


def _mismatch(path: Path, number: int, cells: Sequence[str], names: Sequence[str]) -> str:
    found = f"{len(cells)} cell{'s' if len(cells) > 1 else ''} under {len(names)} columns"
    hint = "; a text with commas in it wants quotes round it" if len(cells) > len(names) else ""
    return f"{path}, line {number}: {found}{hint}"
