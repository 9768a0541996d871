"""The live view: a board as rich draws it, fitted to any width from thirty columns on."""

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from gmi_video.cli.board import Board, Row
from gmi_video.cli.desk import BELOW
from gmi_video.cli.times import span

_STYLES = {
    "success": "green",
    "saving": "green",
    "saved": "green",
    "failed": "red",
    "cancelled": "red",
    "given up": "yellow",
    "processing": "cyan",
    "dispatched": "magenta",
    "queued": "yellow",
}
_FIXED = 25
"""Columns that a wide row takes beside model, title and bar: sign, state, seconds and the gaps between."""


class View:
    """Draws a board. One spinner serves all rows, so that they turn together."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._spinner = Spinner("dots", style="cyan")

    def picture(self, width: int, height: int, now: float) -> RenderableType:
        """The board at this moment."""
        rows = self._board.pick(max(1, height - BELOW))
        names = max((cell_len(row.model or row.title) for row in rows), default=0)
        wide, barred = width >= names + 60, width >= 48
        titles = max((cell_len(row.title) for row in rows), default=0)
        bar = max(14, min(26, width - names - titles - _FIXED)) if wide else max(6, width // 6)
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(width=1)
        if wide:
            grid.add_column(width=names, no_wrap=True)
        grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        grid.add_column(width=10, no_wrap=True, overflow="ellipsis")
        if barred:
            grid.add_column(width=bar)
        grid.add_column(justify="right", min_width=6, no_wrap=True)
        for row in rows:
            cells: list[RenderableType] = [self._sign(row, now), Text(row.model or row.title, style="bold")]
            if wide:
                cells.append(Text(row.remark or (row.title if row.model else ""), style=_remark_style(row)))
            cells.append(Text(row.word, style=_STYLES.get(row.word, "")))
            if barred:
                cells.append(_bar(row, now, bar))
            cells.append(Text(span(row.seconds(now)), style="dim"))
            grid.add_row(*cells)
        return Group(grid, self._sum(len(rows)), *(() if wide else _remarks(rows)))

    def _sign(self, row: Row, now: float) -> RenderableType:
        if row.over is None or row.word == "saving":
            return self._spinner.render(now)
        return Text("✓", style="green") if row.good else Text("✗", style="red")

    def _sum(self, shown: int) -> Text:
        hidden = len(self._board) - shown
        counts = ", ".join(f"{count} {word}" for word, count in self._board.counts())
        more = f" ({hidden} not shown)" if hidden else ""
        return Text(f"{counts}{more}", style="dim", no_wrap=True, overflow="ellipsis")


def _remark_style(row: Row) -> str:
    if not row.remark:
        return ""
    return "yellow" if row.over is None else "red"


def _remarks(rows: list[Row]) -> list[Text]:
    return [Text(f"{row.model}: {row.remark}", style=_remark_style(row)) for row in rows if row.remark]


def _bar(row: Row, now: float, width: int) -> ProgressBar:
    share = row.share(now)
    if share is None:
        return ProgressBar(total=1.0, pulse=True, animation_time=now, width=width)
    done = "green" if row.good else "red" if row.over is not None else "cyan"
    return ProgressBar(total=1.0, completed=share, width=width, complete_style=done, finished_style=done)
