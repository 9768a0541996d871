"""Commands that ask for a video: `generate` and `submit`."""

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from gmi_video.cli import exits, options
from gmi_video.cli.desk import Desk
from gmi_video.cli.durations import remembering
from gmi_video.cli.entrance import settings
from gmi_video.cli.guard import guarded
from gmi_video.cli.interrupt import Running
from gmi_video.cli.plain import printable
from gmi_video.cli.progress import Progress
from gmi_video.cli.times import deadline_of
from gmi_video.cli.wishes import Wish, admitted, ready, told


def generate(
    model: options.Model,
    /,
    *,
    param: options.Values = (),
    out: options.Out = None,
    into: options.Into = None,
    payload: options.Base = None,
    deadline: options.Deadline = "1h",
    key: options.Key = None,
    dry_run: options.DryRun = False,
    json: options.Json = False,
) -> int:
    """Makes a video: submits, waits, and saves the file. Prints its path.

    gmi-video generate wan2.7-t2v -p prompt="a paper boat on a river" -p duration=5 -o boat.mp4

    Interrupting it loses nothing: it tells the id, and the command that picks the request up again.
    """

    async def work(desk: Desk, running: Running) -> int:
        options.one_place(out, into)
        wait, wish = deadline_of(deadline), Wish.typed(model, param, payload, key)
        running.again = again("resume", out=out, into=into)
        with Progress(desk) as progress:
            async with remembering(desk, [running.observe]) as session:
                made = await ready(desk, session, wish)
                if dry_run:
                    return told(desk, made)
                request = admitted(desk, made)
                known = session.cadence.typical(model)
                title = str(request.payload.get("prompt", ""))
                progress.take(
                    "", "submitting", title=title, model=model, typical=known.median if known else None
                )
                running.asking = True
                video = await session.using(check="off").generate(
                    request,
                    to=out,
                    into=None if out else into or Path(),
                    deadline=wait,
                    on_event=lambda event: progress.event("", event, saves=True),
                    progress=progress.carried,
                )
                progress.saved("", video.files)
                running.done(video.snapshot.request_id)
        desk.record(video)
        if not json:
            for saved in video.files:
                desk.data(str(saved.path))
        return exits.OK

    return guarded(work, as_json=json)


def submit(
    model: options.Model,
    /,
    *,
    param: options.Values = (),
    payload: options.Base = None,
    key: options.Key = None,
    json: options.Json = False,
) -> int:
    """Asks for a video and does not wait for it. Prints the request's id.

    id=$(gmi-video submit wan2.7-t2v -p prompt="a paper boat on a river")

    `gmi-video resume ID` fetches the file, today or tomorrow, here or on another machine.
    """

    async def work(desk: Desk, running: Running) -> int:
        from gmi_video.session import Session  # noqa: PLC0415  # start-up stays quick without the network

        wish = Wish.typed(model, param, payload, key)
        running.again = again("resume")
        async with Session(settings(), observers=[running.observe]) as session:
            request = admitted(desk, await ready(desk, session, wish))
            running.asking = True
            snapshot = await session.using(check="off").submit(request)
        running.done(snapshot.request_id)
        if json:
            desk.record(snapshot)
        else:
            desk.data(snapshot.request_id)
        word = printable(snapshot.word, 24)
        desk.pointer(f"{printable(model)}: {word}; fetch it with: gmi-video resume {snapshot.request_id}")
        return exits.OK

    return guarded(work, as_json=json)


def again(
    command: str, *, out: Path | None = None, into: Path | None = None
) -> Callable[[Sequence[str]], str]:
    """Writes the command that returns to some ids; with several of them `watch` follows them together."""
    place = ["-o", str(out)] if out else ["--into", str(into)] if into else []

    def written(ids: Sequence[str]) -> str:
        verb = command if len(ids) == 1 else "watch"
        return shlex.join(["gmi-video", verb, *ids, *(place if len(ids) == 1 else [])])

    return written
