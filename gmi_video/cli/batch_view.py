"""How a batch is seen while it runs: a row a model on a terminal, one line now and then elsewhere. Pure."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gmi_video.batch.prices import shown
from gmi_video.batch.records import BatchStatistics, Tally
from gmi_video.cli.batch_rates import Pace
from gmi_video.cli.plain import Column, counted, printable
from gmi_video.cli.times import span

_BELOW = 5
"""Lines kept free beside remarks: the heading, what stands below the rows, and the prompt of the shell."""
_ECHO = 4
"""Columns kept free at the right: a terminal that shows ^C there must not break the line."""
_NARROW, _TIMED, _WIDE = 76, 104, 124
"""Columns from which on money, times and bars have room."""
_LEAST = {"saving": _NARROW, "waiting": 56, "aside": 56}
"""Columns from which on these counts have room; the sum below has them anyway."""

_COUNTS: dict[str, tuple[Callable[[Tally], int], str]] = {
    "waiting": (lambda tally: tally.waiting + tally.submitting, ""),
    "queued": (lambda tally: max(0, tally.running - tally.processing), ""),
    "processing": (lambda tally: min(tally.processing, tally.running), "cyan"),
    "saving": (lambda tally: tally.saving, "cyan"),
    "done": (lambda tally: tally.done, "green"),
    "failed": (lambda tally: tally.failed, "red"),
    "aside": (lambda tally: tally.parked + tally.uncertain, "yellow"),
}

TABLE = (
    Column("model", whole=True),
    *(Column(name, right=True) for name in _COUNTS),
    Column("spent", right=True),
)
"""The columns of `rows`. "aside" are lines that are parked or undecided."""


def rows(statistics: BatchStatistics) -> list[tuple[str, ...]]:
    """The models of a batch as rows of `TABLE`, those with the most lines first."""
    return [
        (printable(model, 80), *(f"{count(tally):,}" for count, _ in _COUNTS.values()), dollars(tally.spent))
        for model, tally in _ordered(statistics)
    ]


def line(statistics: BatchStatistics) -> str:
    """A batch as one line of text: how far it is, what it cost, how long it will take."""
    return " · ".join([*_standing(statistics), *_pace(statistics)])


def dollars(amount: Decimal | None) -> str:
    """Money as people read it, whole to the cent, exact beyond it; a dash where it is not known."""
    return "-" if amount is None else shown(amount)


def picture(
    statistics: BatchStatistics,
    width: int,
    height: int,
    *,
    paces: Mapping[str, Pace] | None = None,
    notes: Sequence[str] = (),
) -> RenderableType:
    """A batch at this moment, as rich draws it, with each model's pace and remarks below, a line each."""
    models = _ordered(statistics)
    shown = models[: max(1, height - _BELOW - max(1, len(notes)))]
    named = [name for name in _COUNTS if width >= _LEAST.get(name, 0)]
    priced, timed, barred = width >= _NARROW, width >= _TIMED, width >= _WIDE
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis", min_width=8)
    for _ in range(len(named) + priced + 2 * timed):
        table.add_column(justify="right", no_wrap=True)
    if barred:
        table.add_column(width=16)
    heads = [
        "",
        *named,
        *(("spent",) if priced else ()),
        *(("a minute", "left") if timed else ()),
        *(("",) if barred else ()),
    ]
    table.add_row(*(Text(head, style="dim") for head in heads))
    for model, tally in shown:
        cells: list[RenderableType] = [Text(printable(model, 80), style="bold")]
        for name in named:
            count, style = _COUNTS[name]
            cells.append(Text(f"{count(tally):,}", style=style if count(tally) else "dim"))
        if priced:
            cells.append(Text(dollars(tally.spent)))
        if timed:
            cells += _timed((paces or {}).get(model))
        if barred:
            cells.append(
                ProgressBar(total=max(1, tally.total), completed=tally.done + tally.failed, width=16)
            )
        table.add_row(*cells)
    hidden = len(models) - len(shown)
    texts = [Text(counted(hidden, "more model"), style="dim")] if hidden else []
    texts += [Text(" · ".join(_standing(statistics)))]
    texts += [Text(" · ".join(_pace(statistics)), style="dim")] if _pace(statistics) else []
    texts += [Text(note, style="yellow") for note in notes]
    for text in texts:
        text.truncate(max(8, width - _ECHO), overflow="ellipsis")
    return Group(table, *texts)


def _timed(pace: Pace | None) -> list[RenderableType]:
    if pace is None:
        return [Text("-", style="dim"), Text("-", style="dim")]
    return [Text(_a_minute(pace.rate)), Text(span(pace.left) if pace.left else "-")]


def _a_minute(rate: float) -> str:
    each = rate * 60
    return f"{each:,.0f}" if each >= 10 else f"{each:.1f}"


def _ordered(statistics: BatchStatistics) -> list[tuple[str, Tally]]:
    return sorted(statistics.models.items(), key=lambda item: (-item[1].total, item[0]))


def _standing(statistics: BatchStatistics) -> list[str]:
    """Where the lines are, and the money."""
    lines = statistics.lines
    told = [f"{lines.done + lines.failed:,} of {lines.total:,} ended"]
    told += [
        f"{count(lines):,} {name}" for name, (count, _) in _COUNTS.items() if name != "done" and count(lines)
    ]
    money = f"{dollars(statistics.spent)} spent"
    if statistics.budget is not None:
        money = f"{money} of {dollars(statistics.budget)}"
    if statistics.reserved:
        money = f"{money}, {dollars(statistics.reserved)} reserved"
    return [*told, money]


def _pace(statistics: BatchStatistics) -> list[str]:
    """How fast lines end, and how long the rest will take at that."""
    if not statistics.rate:
        return []
    told = [f"{_a_minute(statistics.rate)} a minute"]
    return [*told, f"{span(statistics.eta)} left"] if statistics.eta else told
