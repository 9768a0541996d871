"""Setting lines aside: they are not given up, and another run tries them again."""

from collections.abc import Sequence
from functools import partial

from gmi_video.batch import facts, steps
from gmi_video.batch.errors import JournalError
from gmi_video.batch.lane import Lane
from gmi_video.batch.records import LineState
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
    """Sets all waiting lines of a model aside, and those that are added to it from now on."""
    lane.ahead.clear()
    lane.again.clear()
    lane.dry = True
    lane.closed = kind, error
    job = partial(
        steps.park_waiting,
        model=lane.model,
        kind=kind,
        error=error,
        under_way=_standing(work, lane),
        narrow=work.options.narrow,
    )
    try:
        count, numbers = await work.journal.do(job)
    except JournalError as failed:
        work.stop(failed)
        return
    work.counts.move(lane.model, "waiting", "parked", count)
    _with_them(work, numbers, "parked")


def _standing(work: Work, lane: Lane) -> list[int]:
    """Lines of a model that stand before the account's limits: under way, and unsent."""
    return [line.number for line in work.lines.values() if line.model == lane.model]


def _with_them(work: Work, numbers: set[int], after: LineState) -> None:
    """They went with the others, and are counted with them."""
    for number in numbers:
        if number in work.lines:
            work.lines[number].state = after


async def close(work: Work, lane: Lane, line: Line, kind: Kind, error: GmiVideoError) -> None:
    """Sets a line and all that wait for its model aside: it would be refused to each of them."""
    lane.refused = True
    await park(work, line, kind, error)
    await park_model(work, lane, kind, error)


async def keep_closed(work: Work, lane: Lane) -> None:
    """What was added to a model that takes nothing is set aside like what came before it."""
    lane.standing += 1
    try:
        if lane.closed is not None:
            await park_model(work, lane, *lane.closed)
    finally:
        lane.standing -= 1
        work.bell.ring()


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
        lane.closed = None  # from here on none of its lines is set aside
        job = partial(steps.unpark, model=lane.model, kind="service", under_way=_standing(work, lane))
        try:
            count, numbers = await work.journal.do(job)
        except JournalError as error:
            work.stop(error)
        else:
            work.counts.move(lane.model, "parked", "waiting", count)
            _with_them(work, numbers, "waiting")
        lane.dead = False
        lane.again.clear()  # the journal has them
        lane.begin()
    work.bell.ring()
