"""Text that is safe and whole on any terminal: control signs out, columns aligned without a frame. Pure."""

import codecs
from collections.abc import Sequence

from attrs import frozen
from rich.cells import cell_len

_JOINER = "\u200d"
"""Zero-width joiner: not printable by Python's rules, yet what holds an emoji family together."""


BYTES = "gmi_video"
"""How stdout writes what its encoding has not: a byte of a file's name as it is, and `?` for any other sign."""


def _bytes(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    signs = error.object[error.start : error.end]
    told = [bytes([ord(sign) - 0xDC00]) if "\udc80" <= sign <= "\udcff" else b"?" for sign in signs]
    return b"".join(told), error.end


codecs.register_error(BYTES, _bytes)


def printable(text: object, limit: int = 2000) -> str:
    """`text` as one line without control signs, at most `limit` signs long.

    Prompts, options and the service's words come from elsewhere: an escape sequence in one of them must not
    move the cursor, and a right-to-left override must not turn a line round.
    """
    seen = "".join(sign if sign.isprintable() or sign == _JOINER else " " for sign in str(text)[: 4 * limit])
    seen = " ".join(seen.split())
    return seen if len(seen) <= limit else seen[: limit - 1] + "…"


def counted(count: int, noun: str) -> str:
    """So many of what the noun names, e.g. "1 line" and "2,000 lines"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


@frozen
class Column:
    """A column of a table: its heading, whether it holds numbers, whether it is folded last of all."""

    name: str
    right: bool = False
    whole: bool = False


def lines_of(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[str]:
    """The table as lines of text: aligned by two spaces, nothing cut, no blanks at the end of a line."""
    shown = [[printable(cell) for cell in row] for row in rows]
    heads = [column.name.upper() for column in columns]
    widths = [max(map(cell_len, cells)) for cells in zip(heads, *shown, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = (
            " " * (width - cell_len(cell)) + cell if column.right else cell + " " * (width - cell_len(cell))
            for cell, width, column in zip(cells, widths, columns, strict=True)
        )
        return "  ".join(padded).rstrip()

    return [line(heads), *map(line, shown)]


def size(count: int) -> str:
    """Bytes as people read them, e.g. "2.4 MB"."""
    value = float(count)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
