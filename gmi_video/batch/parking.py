"""Setting lines aside: they are not given up, and another run tries them again."""

from collections.abc import Sequence
from functools import partial

from gmi_video.batch import facts, steps
from gmi_video.batch.errors import JournalError
from gmi_video.batch.lane import Lane
from gmi_video.batch.work import Line, Work
from gmi_video.errors import GmiVideoError
from gmi_video.records import Kind


async def park(work: Work, line: Line, kind: Kind, error: GmiVideoError) -> None:
    """Sets a line aside that was not sent, or was refused."""
    told = {"kind": kind, "reason": str(error), "error": steps.error_text(error), "money": ""}
    await work.move(line, "parked", **told)
    work.let_go(line)


async def park_all(work: Work, lines: Sequence[Line], kind: Kind, error: GmiVideoError) -> None:
    """Sets waiting lines of one model aside, for one reason, in one statement."""
    job = partial(steps.park_these, numbers=[line.number for line in lines], kind=kind, error=error)
    try:
        count = await work.journal.do(job)
    except JournalError as failed:
        work.stop(failed)
        return
    work.counts.move(lines[0].model, "waiting", "parked", count)


async def park_model(work: Work, lane: Lane, kind: Kind, error: GmiVideoError) -> None:
    """Sets all waiting lines of a model aside."""
    lane.ahead.clear()
    lane.again.clear()
    lane.dry = True
    job = partial(steps.park_waiting, model=lane.model, kind=kind, error=error)
    try:
        count = await work.journal.do(job)
    except JournalError as failed:
        work.stop(failed)
        return
    work.counts.move(lane.model, "waiting", "parked", count)


async def set_aside(work: Work, lane: Lane, error: GmiVideoError) -> None:
    """A model takes requests and does not run them: its others wait until it does."""
    if not lane.dead:
        lane.dead = True
        await park_model(work, lane, "service", error)
        work.bell.ring()


async def wake(work: Work, lane: Lane) -> None:
    """A model runs what it accepts, so its lines may go on."""
    lane.proven = True
    await work.keep(partial(facts.prove, model=lane.model))
    if lane.dead:
        lane.dead = False
        try:
            count = await work.journal.do(partial(steps.unpark, model=lane.model, kind="service"))
        except JournalError as error:
            work.stop(error)
        else:
            work.counts.move(lane.model, "parked", "waiting", count)
        lane.again.clear()  # the journal has them
        lane.after, lane.dry = 0, False
    work.bell.ring()
