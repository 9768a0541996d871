"""`Desk`: where one run of the command speaks. Data goes to stdout, everything else to stderr."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from gmi_video.cli.plain import Column, lines_of, printable
from gmi_video.records import Record

if TYPE_CHECKING:
    from rich.console import Console


BELOW = 4
"""Lines of a terminal kept free under the rows of a live view: a blank, the sum, the prompt of the shell."""
SCREEN = 40
"""Requests that are each told where there is no terminal to fill."""


@frozen(kw_only=True)
class Manner:
    """How a run speaks: JSON lines on stdout or text; a live view or plain lines; in colour or not."""

    json: bool = False
    live: bool = False
    colour: bool = False


def manner_of(*, as_json: bool, stdout: bool, stderr: bool, environ: Mapping[str, str]) -> Manner:
    """The manner for streams that are terminals (True) or not.

    A live view needs both: with only one of them its lines would be torn by what the other writes. NO_COLOR
    and CI ask for plain lines (no-color.org; every CI service sets CI), and so does a log on stderr.
    """
    plain = any(environ.get(name) for name in ("NO_COLOR", "CI", "GMI_VIDEO_LOG"))
    plain = plain or environ.get("TERM") == "dumb"
    terminal = stdout and stderr and not as_json
    return Manner(json=as_json, live=terminal and not plain, colour=terminal and not plain)


class Desk:
    """Writes what a command has to say, in one manner."""

    def __init__(self, manner: Manner) -> None:
        self.manner = manner
        self._console: Console | None = None

    @property
    def screen(self) -> int:
        """How many requests may each be told: as many rows as a live view has, else about a screen."""
        return max(1, self.console.height - BELOW) if self.manner.live else SCREEN

    @property
    def console(self) -> "Console":
        """The terminal behind stderr; live views and what is said beside them must share it."""
        if self._console is None:
            from rich.console import Console  # noqa: PLC0415  # not needed for plain lines

            self._console = Console(stderr=True, highlight=False, emoji=False)
        return self._console

    def data(self, text: str) -> None:
        """A line of result."""
        print(text, flush=True)

    def record(self, record: Record) -> None:
        """A record or an event as one line of JSON, links whole; nothing where text was asked for."""
        if self.manner.json:
            self.json(record.as_dict())

    def json(self, value: Mapping[str, Any]) -> None:
        """A line of JSON."""
        text = json.dumps(value, ensure_ascii=False, default=str)
        try:
            text.encode()
        except UnicodeEncodeError:  # half a sign, of a file's name: JSON has a way to say it
            text = json.dumps(value, default=str)
        print(text, flush=True)

    def note(self, text: str) -> None:
        """A remark that is no result."""
        self._say(text, "")

    def pointer(self, text: str) -> None:
        """A remark that names a command to type next: never broken into lines, so that it can be copied."""
        self._say(text, "", whole=True)

    def warn(self, text: str) -> None:
        """Something that the user ought to know before it costs money."""
        self._say(f"warning: {text}", "yellow")

    def fail(self, text: str) -> None:
        """Why it did not work, in one sentence."""
        self._say(f"error: {text}", "bold red")

    def _say(self, text: str, style: str, *, whole: bool = False) -> None:
        if not self.manner.colour:
            print(text, file=sys.stderr, flush=True)
            return
        from rich.text import Text  # noqa: PLC0415  # as above

        self.console.print(Text(text, style=style), soft_wrap=whole)

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        """A table on stdout: framed and fitted on a terminal, else aligned and whole."""
        if not self.manner.colour:
            for line in lines_of(columns, rows):
                self.data(line)
            return
        from rich import box  # noqa: PLC0415  # as above
        from rich.console import Console  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        table = Table(
            box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold"
        )
        for column in columns:
            table.add_column(
                column.name,
                justify="right" if column.right else "left",
                overflow="fold",
                no_wrap=column.whole or column.right,
            )
        for row in rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        Console(highlight=False, emoji=False).print(table)


def desk_for(*, as_json: bool, environ: Mapping[str, str]) -> Desk:
    """The desk of this process's own streams."""
    return Desk(
        manner_of(as_json=as_json, stdout=sys.stdout.isatty(), stderr=sys.stderr.isatty(), environ=environ)
    )
