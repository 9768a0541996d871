"""`write_report`: a batch as one HTML file that opens from disk and asks no network for anything.

Needs jinja2 and pygal (the extra `report`); with PyAV and Pillow (the extra `thumbnails`) the videos are seen on it.
"""

import os
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gmi_video.batch.cards import card, located, pictured
from gmi_video.batch.figures import Figures
from gmi_video.batch.plots import durations, spending
from gmi_video.batch.prices import shown
from gmi_video.batch.records import LINE_STATES, BatchStatistics, Row
from gmi_video.batch.targets import page_of

MOST = 20_000
"""Cards in one file: some 80 MB with all thumbnails, about what a browser opens in seconds."""
_AT_ONCE = 64

Picture = Callable[[Path], bytes | None]


def write_report(
    target: str | Path,
    rows: Callable[[], Iterable[Row]],
    statistics: BatchStatistics,
    *,
    title: str = "Batch",
    decide: str = "gmi-video batch resolve JOURNAL LINE REQUEST_ID|none",
    picture: Picture | None = None,
    most: int = MOST,
    home: str | Path | None = None,
    told: Callable[[int], None] = lambda _count: None,
) -> Path:
    """Writes the report of `rows` to `target`, whole or not at all, and returns its path.

    `rows` is called twice, as a journal's `rows` may be, and read as it goes: sums first, then cards, at most
    `most` of them. `picture` makes a WebP thumbnail of a local file; without it that is PyAV's, where it is
    installed. `told` hears how many cards are written. Links to files are relative to the report;
    a file that is not where its row says is looked for below `home`, the journal's folder, or the report's.
    Raises `ConfigurationError` for a target that is not called .html or .htm, or that is a database.
    """
    target = page_of(target)
    figures = Figures()
    for row in rows():
        figures.take(row)
    shown = islice(rows(), most)
    below = target.parent if home is None else Path(home)
    cards = _cards((located(row, below) for row in shown), target.parent, picture or _picture(), told)
    page = _page(figures, statistics, title=title, decide=decide, most=most, cards=cards)
    draft = target.with_name(f".{target.name}.part")
    try:
        with draft.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
            file.writelines(page)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return target


def _picture() -> Picture | None:
    if find_spec("av") is None or find_spec("PIL") is None:
        return None
    from gmi_video.batch.thumbnails import thumbnail  # noqa: PLC0415  # a hundred megabytes, which are optional

    return thumbnail


def _cards(
    rows: Iterable[Row], folder: Path, picture: Picture | None, told: Callable[[int], None]
) -> Iterator[dict[str, Any]]:
    """The cards in order; their pictures are made on all cores, for the decoder works outside the interpreter."""

    def made(row: Row) -> dict[str, Any]:
        path = pictured(row) if picture else None
        return card(row, folder, picture(path) if picture and path else None)

    count = 0
    with ThreadPoolExecutor(os.cpu_count() or 1, "thumbnails") as pool:
        source = iter(rows)
        while some := list(islice(source, _AT_ONCE)):
            yield from pool.map(made, some)
            count += len(some)
            told(count)


def _page(
    figures: Figures,
    statistics: BatchStatistics,
    *,
    title: str,
    decide: str,
    most: int,
    cards: Iterator[dict[str, Any]],
) -> Iterator[str]:
    world = Environment(
        loader=PackageLoader("gmi_video.batch", "page"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    world.filters |= {"count": _count, "dollars": _dollars, "span": _span}
    source = world.loader.get_source(world, "report.js")[0] if world.loader else ""
    script = f"\n{source}"
    spreads, points = figures.spreads(), figures.spending()
    budget = statistics.budget
    stream = world.get_template("report.html").stream(
        title=title,
        decide=decide,
        figures=figures,
        statistics=statistics,
        states=[(state, getattr(statistics.lines, state)) for state in LINE_STATES],
        took=_between(figures.begun, figures.ended),
        moment=_moment(figures.ended),
        spreads=spreads,
        durations=Markup(durations(spreads)) if spreads else "",  # noqa: S704  # pygal escapes what it is given
        spending=Markup(spending(points, float(budget) if budget else None, figures.ended)) if points else "",  # noqa: S704
        spent_share=_share(statistics.spent, budget),
        held_share=_share(statistics.reserved, budget),
        most=most,
        cards=cards,
        script=Markup(script),  # noqa: S704  # our own file
        script_hash=f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}",
    )
    stream.enable_buffering(200)
    return stream


def _share(amount: Decimal, budget: Decimal | None) -> str:
    return f"{min(100, amount / budget * 100):.2f}" if budget else "0"


def _count(number: int) -> str:
    return f"{number:,}"


def _dollars(amount: Decimal | None) -> str:
    return "–" if amount is None else shown(amount)


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def _between(begun: float | None, ended: float | None) -> str:
    return "" if begun is None or ended is None else _span(ended - begun)


def _moment(moment: float | None) -> str:
    return "" if moment is None else datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M")
