"""Commands that read a batch's journal, beside a run or after it: `status`, `export` and `report`."""

import sys
from collections import Counter
from pathlib import Path

from gmi_video.batch import Journal
from gmi_video.batch.export import export, format_of, lines_of
from gmi_video.batch.figures import Figures
from gmi_video.batch.targets import is_ours, page_of
from gmi_video.cli import exits
from gmi_video.cli.batch_ends import code, undecided
from gmi_video.cli.batch_view import TABLE, line, rows
from gmi_video.cli.desk import Desk
from gmi_video.cli.plain import counted, printable, size
from gmi_video.errors import ConfigurationError

_EXTRA = frozenset({"jinja2", "markupsafe", "pygal"})
REPORT = "report.html"
_REASONS = 8
"""Reasons that a terminal shows; the report has all of them."""


def present(path: Path) -> Path:
    """The path, where a journal is there; raises `ConfigurationError` where none is."""
    if path.is_file():
        return path
    message = f"{path}: no such journal; a batch keeps its own as batch.db in its output folder"
    raise ConfigurationError(message)


def opened(path: Path) -> Journal:
    """The journal, to be read only; raises `ConfigurationError` where there is none."""
    return Journal(present(path), readonly=True)


def status(desk: Desk, path: Path) -> int:
    """Tells where a batch stands; the exit code is that of a run which ended so."""
    with opened(path) as journal:
        statistics = journal.statistics()
        if desk.manner.json:
            desk.record(statistics)
        else:
            if statistics.models:
                desk.table(TABLE, rows(statistics))
            desk.data(line(statistics))
        _trouble(desk, journal, path)
    return code(statistics, Counter())


def troubled(desk: Desk, path: Path) -> None:
    """Says why lines of a journal failed or were set aside, and what there is to decide."""
    with opened(path) as journal:
        _trouble(desk, journal, path)


def _trouble(desk: Desk, journal: Journal, path: Path) -> None:
    figures = Figures()
    for row in journal.rows():
        figures.take(row)
    for word, reasons in (("Failed", figures.failures), ("Parked", figures.parked)):
        for reason in reasons[:_REASONS]:
            names = printable(", ".join(reason.names), 80)
            desk.note(f"{word}: {counted(reason.count, 'line')} ({names}): {printable(reason.words, 300)}")
        if len(reasons) > _REASONS:
            rest = sum(reason.count for reason in reasons[_REASONS:])
            others = counted(len(reasons) - _REASONS, "other reason")
            desk.note(f"{word}: {counted(rest, 'line')} for {others}; report.html has them")
    undecided(desk, figures.undecided, path, figures.unlisted)


def exported(desk: Desk, path: Path, target: Path | None) -> int:
    """Writes the lines as a table, or as JSON lines to stdout."""
    if target is not None:
        format_of(target)
    with opened(path) as journal:
        if target is None:
            for text in lines_of(journal.rows()):
                sys.stdout.write(text)
            return exits.OK
        try:
            count = export(target, journal.rows())
        except OSError as error:
            return _unwritten(desk, target, error)
    desk.note(f"{counted(count, 'line')} written to {printable(target)}")
    return exits.OK


def reported(desk: Desk, path: Path, target: Path | None) -> int:
    """Writes the report; where its libraries are missing, says how to install them."""
    try:
        from gmi_video.batch.report import write_report  # noqa: PLC0415  # an extra, and only for this
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        desk.pointer(f"{REPORT} needs an extra: pip install 'gmi_video[report]'")
        return exits.USAGE
    target = page_of(target or _free(path))

    def told(count: int) -> None:
        if count % 2048 == 0:
            desk.note(f"{count:,} thumbnails made")

    with opened(path) as journal:
        try:
            write_report(
                target,
                journal.rows,
                journal.statistics(),
                title=path.resolve().parent.name or path.name,
                decide=f"gmi-video batch resolve {path} LINE REQUEST_ID|none",
                home=path.resolve().parent,
                told=told,
            )
        except OSError as error:
            return _unwritten(desk, target, error)
    desk.note(f"Report: {printable(target)} ({size(target.stat().st_size)})")
    return exits.OK


def _free(journal: Path) -> Path:
    """Where the report goes unasked: never over a page of somebody else's."""
    for name in (REPORT, f"gmi_video-{REPORT}"):
        if is_ours(journal.with_name(name)):
            return journal.with_name(name)
    message = f"{journal.with_name(REPORT)} is no report of a batch, and is not replaced; say where with batch report -o"
    raise ConfigurationError(message)


def _unwritten(desk: Desk, target: Path, error: OSError) -> int:
    desk.fail(
        f"{printable(target)} cannot be written: {(error.strerror or 'the system says no more').lower()}"
    )
    return exits.FAILED
