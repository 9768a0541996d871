"""Commands that return to requests: `resume`, `status`, `list` and `download`."""

import asyncio
import shlex
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import cyclopts

from gmi_video import errors
from gmi_video.cli import exits, options
from gmi_video.cli.desk import Desk
from gmi_video.cli.durations import remembering
from gmi_video.cli.entrance import settings
from gmi_video.cli.guard import guarded
from gmi_video.cli.interrupt import Running
from gmi_video.cli.making import again
from gmi_video.cli.plain import printable, size
from gmi_video.cli.progress import Progress
from gmi_video.cli.show import HISTORY, STANDING, history, standing
from gmi_video.cli.times import deadline_of, moment_of
from gmi_video.errors import ConfigurationError, GmiVideoError
from gmi_video.events import Event
from gmi_video.records import Snapshot, Status

if TYPE_CHECKING:
    from gmi_video.session import Session

_TOGETHER = 16
"""Looks of `status` under way at once."""


def resume(
    request_id: options.RequestId,
    /,
    *,
    out: options.Out = None,
    into: options.Into = None,
    deadline: options.Deadline = "1h",
    json: options.Json = False,
) -> int:
    """Waits for a request of any day and any machine, and saves its file. Costs nothing."""

    async def work(desk: Desk, running: Running) -> int:
        options.one_place(out, into)
        wait = deadline_of(deadline)
        running.again = again("resume", out=out, into=into)

        def heard(event: Event) -> None:
            running.heard(event)
            progress.event("", event, saves=True)

        with Progress(desk) as progress:
            async with remembering(desk) as session:
                progress.take("", title=request_id)
                running.took(request_id, seen=False)
                video = await session.resume(
                    request_id,
                    to=out,
                    into=None if out else into or Path(),
                    deadline=wait,
                    on_event=heard,
                    progress=progress.carried,
                )
                progress.saved("", video.files)
                running.done(request_id)
        desk.record(video)
        if not json:
            for saved in video.files:
                desk.data(str(saved.path))
        return exits.OK

    return guarded(work, as_json=json)


def status(*ids: options.Id, json: options.Json = False) -> int:
    """Shows where requests stand now. Exits 1 where one has failed or could not be looked up."""

    async def work(desk: Desk, running: Running) -> int:
        from gmi_video.session import Session  # noqa: PLC0415  # start-up stays quick without the network

        _some(ids)
        running.again = lambda left: shlex.join(["gmi-video", "status", *left])
        limit = asyncio.Semaphore(_TOGETHER)

        async def look(session: "Session", request_id: str) -> Snapshot | GmiVideoError:
            async with limit:
                try:
                    return await session.snapshot(request_id)
                except (ConfigurationError, errors.Unauthorized):
                    raise
                except GmiVideoError as error:
                    return error

        async with Session(settings()) as session:
            found = await asyncio.gather(*(look(session, request_id) for request_id in dict.fromkeys(ids)))
        snapshots = [each for each in found if isinstance(each, Snapshot)]
        for each in found:
            desk.record(each)
        if snapshots and not json:
            desk.table(STANDING, [standing(snapshot) for snapshot in snapshots])
        refused = [each for each in found if isinstance(each, GmiVideoError)]
        for error in refused:
            desk.fail(printable(error))
        if refused:
            return max(map(exits.code_of, refused))
        bad = {Status.FAILED, Status.CANCELLED}
        return exits.FAILED if any(snapshot.status in bad for snapshot in snapshots) else exits.OK

    return guarded(work, as_json=json)


def list_requests(
    *,
    model: Annotated[
        str | None, cyclopts.Parameter(metavar="ID", help="Only requests of this model.")
    ] = None,
    since: Annotated[
        str | None,
        cyclopts.Parameter(metavar="TIME", help="Only those made since: 1h (ago), 2d, or 2026-11-20T08:00."),
    ] = None,
    limit: Annotated[int, cyclopts.Parameter(metavar="N", help="At most this many.")] = 20,
    json: options.Json = False,
) -> int:
    """Lists the account's requests, from any machine, failed ones included."""

    async def work(desk: Desk, _running: Running) -> int:
        from gmi_video.session import Session  # noqa: PLC0415  # as above

        if limit < 1:
            message = f"--limit {limit}: 1 or more is wanted"
            raise ConfigurationError(message)
        start = None if since is None else moment_of(since, datetime.now().astimezone())
        found: list[Snapshot] = []
        async with Session(settings()) as session:
            async for snapshot in session.requests(model, since=start):
                desk.record(snapshot)
                found.append(snapshot)
                if len(found) == limit:
                    break
        if found and not json:
            desk.table(HISTORY, [history(snapshot) for snapshot in found])
        if not found:
            desk.note("No such requests.")
        return exits.OK

    return guarded(work, as_json=json)


def download(
    request_id: options.RequestId,
    /,
    *,
    out: Annotated[options.Out, cyclopts.Parameter(help="The file to save it to.")] = None,
    into: Annotated[
        options.Into,
        cyclopts.Parameter(
            help="The folder to save it into, made where missing. Its name is the request's id. Without -o or "
            "--into it is the current folder."
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        cyclopts.Parameter(
            negative="", show_default=False, help="Replace a file that is there, at the very end."
        ),
    ] = False,
    json: options.Json = False,
) -> int:
    """Saves the first file of a request that has succeeded; does not wait. Prints its path.

    `gmi-video resume` waits for one that is still running, and with --into saves all files of a request.
    """

    async def work(desk: Desk, running: Running) -> int:
        from gmi_video.session import Session  # noqa: PLC0415  # as above

        options.one_place(out, into)
        async with Session(settings()) as session:
            snapshot = _finished(await session.snapshot(request_id))
            running.kept = again("download", out=out, into=into)([request_id])
            running.kept += " --overwrite" if overwrite else ""
            with Progress(desk) as progress:
                saved = await session.download(
                    snapshot, to=out, into=into, progress=progress.carried, overwrite=overwrite
                )
        desk.record(saved)
        desk.note(f"saved {printable(saved.path)} ({size(saved.size)})")
        if not json:
            desk.data(str(saved.path))
        return exits.OK

    return guarded(work, as_json=json)


def _some(ids: Sequence[str]) -> None:
    if not ids:
        message = "name at least one request id; `gmi-video list` shows them"
        raise ConfigurationError(message)


def _finished(snapshot: Snapshot) -> Snapshot:
    name = f"request {snapshot.request_id}"
    if not snapshot.final:
        message = f"{name} is still {printable(snapshot.word, 24)}; wait for it with: gmi-video resume {snapshot.request_id}"
        raise errors.GenerationOverdue(message, snapshot=snapshot, request_id=snapshot.request_id)
    if snapshot.status is not Status.SUCCESS:
        why = f": {snapshot.failure}" if snapshot.failure else ""
        message = f"{name} has no file, it is {printable(snapshot.word, 24)}{why}"
        raise errors.GenerationFailed(message, snapshot=snapshot, request_id=snapshot.request_id)
    return snapshot
