"""Draws a fleet on a terminal: a row a model, and what all of it costs below."""

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gmi_video.cli.fleet import left, spent, standing
from gmi_video.cli.tally import DONE, FAILED, PROCESSING, QUEUED
from gmi_video.cli.tally import Group as Models

if TYPE_CHECKING:
    from gmi_video.cli.fleet import Fleet

_BELOW = 6
"""Lines kept free: the heading, what stands below the rows, and the prompt of the shell."""
_STYLES = {QUEUED: "", PROCESSING: "cyan", DONE: "green", FAILED: "red"}
_NARROW, _WIDE = 72, 96
"""Columns from which on times, and bars, have room."""


def picture(fleet: "Fleet", width: int, height: int, now: float) -> RenderableType:
    """The fleet at this moment."""
    groups = fleet.tally.groups()
    shown = groups[: max(1, height - _BELOW)]
    timed, barred = width >= _NARROW, width >= _WIDE
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    for _ in _STYLES:
        table.add_column(justify="right", no_wrap=True)
    if timed:
        table.add_column(justify="right", no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
    if barred:
        table.add_column(width=16)
    if shown:
        heads = ["", *_STYLES, *(("a minute", "left") if timed else ()), *(("",) if barred else ())]
        table.add_row(*(Text(head, style="dim") for head in heads))
    for group in shown:
        table.add_row(*_row(group, now, timed=timed, barred=barred))
    hidden = len(groups) - len(shown)
    lines = [Text(f"{hidden} more models", style="dim")] if hidden else []
    lines += [Text(" · ".join(standing(fleet, now))), Text(spent(fleet.cost), style="dim")]
    if fleet.tally.misses:
        looks = "1 look failed" if fleet.tally.misses == 1 else f"{fleet.tally.misses:,} looks failed"
        lines.append(Text(f"{looks}, the last: {fleet.tally.trouble}", style="yellow"))
    for text in lines:
        text.no_wrap, text.overflow = True, "ellipsis"
    return Group(table, *lines)


def _row(group: Models, now: float, *, timed: bool, barred: bool) -> list[RenderableType]:
    name = Text(group.model or "of no model", style="bold")
    if group.stuck:
        name.append(f"  {group.stuck:,} stuck", style="yellow")
    cells: list[RenderableType] = [name]
    for column, style in _STYLES.items():
        count = group.columns[column]
        cells.append(Text(f"{count:,}", style=style if count else "dim"))
    if timed:
        speed = group.rate.value(now)
        cells += [Text(f"{60 * speed:,.0f}" if speed else "-"), Text(left(group.left, group.rate, now))]
    if barred:
        cells.append(ProgressBar(total=max(1, group.total), completed=group.total - group.left, width=16))
    return cells
