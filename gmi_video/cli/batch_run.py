"""`gmi-video batch FILE` at work: the file is checked, sent, followed and saved, and everybody is told."""

import asyncio
import os
import shlex
import sys
from collections import Counter
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from gmi_video.batch import Batch, Retry
from gmi_video.batch.errors import BudgetExceeded, JournalCorrupt
from gmi_video.batch.records import BatchStatistics, Orphan
from gmi_video.cli import exits
from gmi_video.cli.batch_audit import audited, unowned
from gmi_video.cli.batch_display import Display
from gmi_video.cli.batch_ends import code
from gmi_video.cli.batch_journal import reported, troubled
from gmi_video.cli.batch_lines import Typist, requests
from gmi_video.cli.batch_rehearsal import rehearsed, unlike
from gmi_video.cli.batch_rest import Rest, of_others
from gmi_video.cli.batch_survey import Survey, priced, problems
from gmi_video.cli.batch_view import line
from gmi_video.cli.desk import Desk
from gmi_video.cli.entrance import settings
from gmi_video.cli.interrupt import Running
from gmi_video.cli.plain import counted, printable
from gmi_video.cli.times import span
from gmi_video.cli.wishes import common
from gmi_video.errors import ConfigurationError, GmiVideoError

if TYPE_CHECKING:
    from gmi_video.session import Session

_LEAVE = 2.0
"""Seconds after a second interruption in which the process may close; then it leaves. All is in the journal."""


@frozen(kw_only=True)
class Told:
    """What was typed. `again` is the command line that continues where this one is left."""

    file: Path
    model: str | None
    payload: str | None
    out: Path | None
    journal: Path
    name: str
    max_cost: Decimal | None
    assume_price: Decimal | None
    max_in_flight: int | None
    attempts: int
    retry_failed: bool
    resubmit_absent: int
    skip_invalid: bool
    dry_run: bool
    rest: Rest
    report: bool
    grace: float
    again: str


@frozen(kw_only=True)
class End:
    """How a run ended: `kinds` are why lines did not succeed in it, `stopped` what stopped it before the last one.

    `left` lines were not the run's.
    """

    statistics: BatchStatistics
    kinds: Counter[str]
    stopped: GmiVideoError | None = None
    orphans: tuple[Orphan, ...] = ()
    left: int = 0


async def run(desk: Desk, running: Running, told: Told) -> int:
    """The whole of a batch; the exit code says how it ended."""
    from gmi_video.session import Session  # noqa: PLC0415  # its network takes a while to load

    base = common(told.payload)
    async with Session(settings()) as session:
        view = session.using(
            check="off"
        )  # each line is checked, and what is doubtful told, before it is sent
        batch = _batch(view, told)
        typist = Typist(desk, session, told.model, base)
        if told.dry_run:
            return await rehearsed(
                desk,
                typist.each(told.file),
                journal=told.journal,
                max_cost=told.max_cost,
                assumed=told.assume_price,
                retry_failed=told.retry_failed,
                skip_invalid=told.skip_invalid,
                rest=told.rest,
            )
        try:
            survey, clashes = await unlike(desk, typist.each(told.file), told.journal)
        except JournalCorrupt:
            _rescue(desk, told.journal)
            raise
        if not _admitted(desk, survey, told, clashes):
            return exits.USAGE
        _made(told.journal.parent)
        return await _run(desk, running, told, batch, typist)


def _admitted(desk: Desk, survey: Survey, told: Told, clashes: int) -> bool:
    """Whether the file may be sent; says what is wrong with it, and what it costs.

    A key that stands for something else in the journal is no line to leave out: it may be the wrong journal.
    """
    whole = survey.all
    for problem in problems(survey):
        desk.warn(problem)
    if clashes and told.skip_invalid:
        keys = counted(clashes, "key")
        desk.fail(
            f"{keys} of {printable(told.file)} stand for something else in {printable(told.journal)}; nothing was sent"
        )
        return False
    if whole.refused and not told.skip_invalid:
        mend = "mend it" if whole.refused == 1 else "mend them"
        others = ", or send the others with --skip-invalid" if whole.lines > whole.refused else ""
        desk.fail(f"{counted(whole.refused, 'line')} would be refused, so nothing was sent; {mend}{others}")
        return False
    if whole.lines == whole.refused:
        desk.fail(f"{printable(told.file)} holds no line that could be sent")
        return False
    desk.note(priced(whole, told.assume_price))
    return True


def _batch(session: "Session", told: Told) -> Batch:
    retry = None if told.attempts == 1 else Retry(attempts=told.attempts)
    return Batch(
        session,
        journal=told.journal,
        out=told.out,
        name=told.name,
        budget=told.max_cost,
        assume_price=told.assume_price,
        max_in_flight=told.max_in_flight,
        retry=retry,
        resubmit_absent=told.resubmit_absent,
    )


def _made(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{folder}: {(error.strerror or 'the folder cannot be made').lower()}"
        raise ConfigurationError(message) from None


async def _run(desk: Desk, running: Running, told: Told, batch: Batch, typist: Typist) -> int:
    kinds: Counter[str] = Counter()
    stopped: GmiVideoError | None = None
    orphans: tuple[Orphan, ...] = ()
    try:
        async with batch:
            new = await batch.add(requests(typist, told.file, skip=told.skip_invalid))
            others = 0 if told.rest == "send" else await batch.narrow(drop=told.rest == "drop")
            _begins(desk, batch, new, await batch.retry_failed() if told.retry_failed else 0)
            if others:
                desk.note(of_others(others, told.rest))
            async with Display(desk, batch.statistics) as display:
                running.drain = lambda: _drain(batch, display, told)
                try:
                    async for done in batch.run():
                        display.ended(done)
                        kinds[getattr(done.error, "kind", "") or type(done.error).__name__] += 1
                except GmiVideoError as error:
                    stopped = error
            running.drain = None
            if not running.interrupted and (stopped is None or isinstance(stopped, BudgetExceeded)):
                orphans = await audited(desk, batch)
            statistics = batch.statistics()
    except JournalCorrupt:
        _rescue(desk, told.journal)
        raise
    except BrokenPipeError:
        _resume(desk, told, batch.statistics())
        raise
    except asyncio.CancelledError:
        if running.interrupted:
            asyncio.get_running_loop().call_later(_LEAVE, _leave)
            _resume(desk, told, batch.statistics())
        raise
    left = others if told.rest == "leave" else 0
    end = End(statistics=statistics, kinds=kinds, stopped=stopped, orphans=orphans, left=left)
    return await _over(desk, running, told, end)


def _rescue(desk: Desk, journal: Path) -> None:
    rescue = shlex.join(["gmi-video", "batch", "export", str(journal), "-o", "rescued.jsonl"])
    desk.pointer(f"What can still be read of it: {rescue}")


def _begins(desk: Desk, batch: Batch, new: int, again: int) -> None:
    lines = batch.statistics().lines
    known = lines.total - new
    if known:
        over = f", {lines.done:,} of them done" if lines.done else ""
        before = f"{counted(known, 'line')} known from before{over}"
        desk.note(f"Continuing: {before}; {new:,} new")
    if again:
        desk.note(f"Trying {counted(again, 'failed line')} once more")


def _drain(batch: Batch, display: Display, told: Told) -> None:
    """Submits nothing more, and gives what is in flight some time."""
    batch.drain()
    flying = _flying(batch.statistics())
    words = f"Submitting nothing more; waiting up to {span(told.grace)} for the {flying:,} in flight."
    display.say(words, "Interrupt again to leave at once; nothing is lost either way.")
    asyncio.get_running_loop().call_later(told.grace, display.cancel)


def _flying(statistics: BatchStatistics) -> int:
    return statistics.lines.submitting + statistics.lines.running + statistics.lines.saving


def _leave() -> None:
    """Ends the process as a kill would: the journal knows of every submission from before its first byte."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(exits.INTERRUPTED)


def _resume(desk: Desk, told: Told, statistics: BatchStatistics) -> None:
    if _flying(statistics):
        desk.note("What was accepted runs on at the service, and is in the journal; nothing is lost.")
    else:
        desk.note("What was accepted is done, and the rest is in the journal; nothing is lost.")
    desk.pointer(f"To pick up where this left off: {told.again}")


async def _over(desk: Desk, running: Running, told: Told, end: End) -> int:
    """Tells how it ended."""
    statistics = end.statistics
    if desk.manner.json:
        desk.json({"statistics": statistics.as_dict()})
    elif not desk.manner.live:
        desk.note(line(statistics))
    if running.interrupted:
        _resume(desk, told, statistics)
        return exits.INTERRUPTED
    loop = asyncio.get_running_loop()
    if statistics.lines.failed or statistics.lines.parked or statistics.lines.uncertain:
        await loop.run_in_executor(None, troubled, desk, told.journal)
    unowned(desk, end.orphans, told.journal)
    if told.report:
        await loop.run_in_executor(None, reported, desk, told.journal, None)
    if statistics.lines.failed:
        desk.pointer(f"To try the failed lines again: {told.again} --retry failed")
    match end.stopped:
        case None:
            return code(statistics, end.kinds, end.left)
        case BudgetExceeded():
            desk.fail(printable(end.stopped))
            desk.pointer("Run it again with a larger --max-cost to go on.")
            return code(statistics, end.kinds, end.left)
    desk.record(end.stopped)
    desk.fail(printable(end.stopped))
    desk.pointer(f"Nothing is lost. To pick up where this left off: {told.again}")
    return exits.code_of(end.stopped)
