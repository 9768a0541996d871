"""The command `watch`: any number of requests, a bar each, or a line a model where they are many."""

import asyncio
import itertools
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Protocol

import cyclopts

from gmi_video.cli import exits, options
from gmi_video.cli.desk import Desk
from gmi_video.cli.durations import remembering
from gmi_video.cli.fleet import Fleet
from gmi_video.cli.guard import guarded
from gmi_video.cli.ids import Complain, Source
from gmi_video.cli.interrupt import Running
from gmi_video.cli.progress import Progress
from gmi_video.cli.times import deadline_of
from gmi_video.errors import ConfigurationError
from gmi_video.events import GaveUp, Succeeded

if TYPE_CHECKING:
    from gmi_video.session import Session


class Follows(Protocol):
    """What feeding needs of a watch."""

    async def add(self, ids: Sequence[str], /) -> None:
        """Follows more ids."""

    def finish(self) -> None:
        """Says that no more come."""


COMPLAINTS = 10
"""Lines without an id of which each is told; more of them are counted."""
_FIRST = 0.5
"""Seconds that a pipe is given to show whether it brings many ids."""
_LOOK = 1.0
"""Seconds between two looks at what a fleet costs."""

File = Annotated[
    str | None,
    cyclopts.Parameter(
        name="--ids",
        allow_leading_hyphen=True,
        metavar="FILE",
        help="A file of request ids, one a line, - for stdin; blank lines and what follows a # are passed over.",
    ),
]


def watch(
    *ids: options.Id,
    file: File = None,
    deadline: options.Deadline = "never",
    json: options.Json = False,
) -> int:
    """Follows any number of requests until each has ended. Exits 1 where one did not succeed.

    gmi-video watch --ids ids.txt

    More of them than fit on the screen are shown as one line a model. A million are no problem.
    """

    async def work(desk: Desk, running: Running) -> int:
        wait = deadline_of(deadline)
        source = Source(file, _complaints(desk)) if file else None
        first, most = list(dict.fromkeys(ids)), desk.screen
        if source is not None:
            first += await source.gather(most, _FIRST)
        _some(first, source)
        if len(first) <= most and (source is None or source.over):
            good = await _rows(desk, running, first, wait)
        else:
            if source is not None and source.again:
                running.file = shlex.join(["gmi-video", "watch", *ids, "--ids", str(file)])
            good = await _fleet(desk, running, first, source, wait)
        if source is not None and source.roll.wrong > COMPLAINTS:
            desk.warn(f"{source.roll.wrong:,} lines of {source.roll.name} hold no id and were left out")
        return exits.OK if good and (source is None or source.whole) else exits.FAILED

    return guarded(work, as_json=json)


async def _rows(desk: Desk, running: Running, ids: Sequence[str], wait: float | None) -> bool:
    """A row each; whether all succeeded."""
    good = True
    with Progress(desk) as progress:
        async with remembering(desk) as session:
            for request_id in ids:
                progress.take(request_id, title=request_id)
            running.took(*ids, seen=False)
            async with session.watch(dict.fromkeys(ids), deadline=wait) as events:
                async for event in events:
                    running.heard(event)
                    progress.event(event.request_id, event)
                    good = good and (not event.final or isinstance(event, Succeeded))
                    if event.final and not (isinstance(event, GaveUp) and event.reason == "deadline"):
                        running.done(event.request_id)
    return good


async def _fleet(
    desk: Desk, running: Running, first: list[str], source: Source | None, wait: float | None
) -> bool:
    """A line a model; whether all succeeded."""
    with Fleet(desk) as fleet:
        running.shares(fleet.tally.ids)
        async with (
            remembering(desk) as session,
            session.watch(deadline=wait, keep_open=True) as events,
        ):
            helpers = (
                asyncio.create_task(_fed(desk, fleet, events, first, source)),
                asyncio.create_task(_counted(fleet, session)),
            )
            try:
                async for event in events:
                    fleet.event(event)
            finally:
                if source is not None and not source.over:
                    running.unread = source.roll.name
                for helper in helpers:
                    helper.cancel()
                await asyncio.gather(*helpers, return_exceptions=True)
                fleet.cost = session.statistics()
    fleet.end()
    return fleet.tally.good


async def _fed(desk: Desk, fleet: Fleet, events: "Follows", first: list[str], source: Source | None) -> None:
    """Gives the watch what the file has, as fast as it takes it."""
    try:
        ids = first
        while ids:
            await events.add(fleet.tally.take(ids))
            ids = await source.read() if source is not None else []
    except ConfigurationError as error:
        desk.fail(f"{error}; what was read before is followed")
    finally:
        fleet.reading = False
        events.finish()
        if source is not None:
            source.close()


async def _counted(fleet: Fleet, session: "Session") -> None:
    while True:
        fleet.look(session.statistics())
        await asyncio.sleep(_LOOK)


def _complaints(desk: Desk) -> Complain:
    """Tells of the first lines that hold no id."""
    told = itertools.count(1)

    def complain(text: str) -> None:
        number = next(told)
        if number <= COMPLAINTS:
            desk.warn(f"{text}; this line is left out")
        elif number == COMPLAINTS + 1:
            desk.warn("more such lines are left out, and counted at the end")

    return complain


def _some(ids: Sequence[str], source: Source | None) -> None:
    """Raises `ConfigurationError` where there is nothing to follow."""
    if ids:
        return
    if source is None:
        message = "name at least one request id, or a file of them with --ids; `gmi-video list` shows them"
    else:
        message = (
            f"{source.roll.name} names no request: one id a line is wanted, as `gmi-video submit` prints it"
        )
    raise ConfigurationError(message)
