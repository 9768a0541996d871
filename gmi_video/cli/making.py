"""Commands that ask for a video: `generate` and `submit`."""

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from gmi_video.catalog import Parameter
from gmi_video.cli import exits, options
from gmi_video.cli.desk import Desk
from gmi_video.cli.guard import guarded
from gmi_video.cli.interrupt import Running
from gmi_video.cli.plain import printable
from gmi_video.cli.progress import Progress
from gmi_video.cli.times import deadline_of
from gmi_video.cli.values import base_of, filled, pairs_of, read_text
from gmi_video.errors import ConfigurationError, GmiVideoError, NotFound, Unauthorized
from gmi_video.records import VideoRequest

if TYPE_CHECKING:
    from gmi_video.session import Session


@frozen(kw_only=True)
class Wish:
    """What was typed: a model, a payload from a file, and texts to be typed and put over it."""

    model: str
    base: Mapping[str, Any]
    pairs: Mapping[str, Sequence[str]]
    key: str | None

    @classmethod
    def typed(cls, model: str, param: Sequence[str], payload: str | None, key: str | None) -> "Wish":
        """The wish, its files read; raises `ConfigurationError`."""
        return cls(model=model, base=_base(payload), pairs=pairs_of(param), key=key)


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
    json: options.Json = False,
) -> int:
    """Makes a video: submits, waits, and saves the file. Prints its path.

    gmi-video generate wan2.7-t2v -p prompt="a paper boat on a river" -p duration=5 -o boat.mp4

    Interrupting it loses nothing: it tells the id, and the command that picks the request up again.
    """

    async def work(desk: Desk, running: Running) -> int:
        from gmi_video.session import Session  # noqa: PLC0415  # start-up stays quick without the network

        options.one_place(out, into)
        wait, wish = deadline_of(deadline), Wish.typed(model, param, payload, key)
        running.again = again("resume", out=out, into=into)
        with Progress(desk) as progress:
            async with Session(observers=[running.observe]) as session:
                request = await _request(desk, session, wish)
                progress.take("", title=str(request.payload.get("prompt", "")), model=model)
                running.asking = True
                place = {"to": out} if out else {"into": into or Path()}
                video = await session.generate(
                    request,
                    **place,
                    deadline=wait,
                    on_event=lambda event: progress.event("", event, saves=True),
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
        from gmi_video.session import Session  # noqa: PLC0415  # as above

        wish = Wish.typed(model, param, payload, key)
        running.again = again("resume")
        async with Session(observers=[running.observe]) as session:
            request = await _request(desk, session, wish)
            running.asking = True
            snapshot = await session.submit(request)
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


def _base(path: str | None) -> dict[str, Any]:
    if path is None:
        return {}
    text = sys.stdin.read() if path == "-" else read_text(path, "--payload")
    return base_of(text, f"--payload {path}")


async def _request(desk: Desk, session: "Session", wish: Wish) -> VideoRequest:
    """The request to send, its values typed by the model's schema; tells what the user should know first."""
    model = wish.model
    ready = filled(model, wish.base, wish.pairs, await _parameters(desk, session, model))
    for warning in ready.warnings:
        desk.warn(printable(warning))
    try:
        return VideoRequest(model, ready.payload, key=wish.key)
    except (TypeError, ValueError) as error:
        message = printable(error)
    raise ConfigurationError(message)


async def _parameters(desk: Desk, session: "Session", model: str) -> tuple[Parameter, ...]:
    from gmi_video.settings import Patience  # noqa: PLC0415  # as above

    try:
        known = await session.using(patience=Patience(attempts=2)).model(model)
    except (ConfigurationError, Unauthorized):
        raise
    except GmiVideoError as error:
        hint = await nearest(session, model) if isinstance(error, NotFound) else ""
        desk.warn(f"{printable(error)}{hint}. So values are sent as given, text or JSON, without its schema")
        return ()
    if known.price is not None:
        desk.note(f"{printable(model)} costs {printable(known.price)}")
    return known.parameters


async def nearest(session: "Session", model: str) -> str:
    """`; did you mean …?`, where the service lists a model whose id is nearly this one."""
    from difflib import get_close_matches  # noqa: PLC0415  # for a misspelling only

    try:
        ids = {name.casefold(): name for name in await session.models()}
    except GmiVideoError:
        return ""
    near = get_close_matches(model.casefold(), ids, n=1, cutoff=0.6)
    return f"; did you mean {printable(ids[near[0]])}?" if near else ""
