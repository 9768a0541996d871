"""What was typed for a request, made ready to be sent: typed by the model's schema, checked by it, and priced."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from attrs import frozen

from gmi_video.catalog import Cost, Model, Problem
from gmi_video.cli import exits
from gmi_video.cli.desk import Desk
from gmi_video.cli.plain import printable
from gmi_video.cli.values import Told, base_of, filled, pairs_of, read_text
from gmi_video.errors import ConfigurationError, GmiVideoError, NotFound, PayloadInvalid, Unauthorized
from gmi_video.inputs import LocalFile, examined, files_in
from gmi_video.records import VideoRequest

if TYPE_CHECKING:
    from gmi_video.session import Session


@frozen(kw_only=True)
class Wish:
    """What was typed: a model, a payload from a file, and texts to be typed and put over it."""

    model: str
    base: Mapping[str, Any]
    pairs: Mapping[str, Sequence[Told]]
    key: str | None = None

    @classmethod
    def typed(cls, model: str, param: Sequence[str], payload: str | None, key: str | None = None) -> "Wish":
        """The wish, its files read; raises `ConfigurationError`."""
        return cls(model=model, base=common(payload), pairs=pairs_of(param), key=key)


@frozen(kw_only=True)
class Ready:
    """A request as it would be sent, what its model's schema says against it, and what it costs."""

    request: VideoRequest
    problems: tuple[Problem, ...] = ()
    cost: Cost | None = None

    @property
    def refused(self) -> bool:
        """Whether the service would certainly refuse it."""
        return any(problem.certain for problem in self.problems)


def common(path: str | None) -> dict[str, Any]:
    """The parameters of `--payload`, none where it was not given; raises `ConfigurationError`."""
    if path is None:
        return {}
    text = sys.stdin.read() if path == "-" else read_text(path, "--payload")
    return base_of(text, f"--payload {path}")


async def ready(desk: Desk, session: "Session", wish: Wish) -> Ready:
    """The request as it would be sent; says what the user should know first. Raises `ConfigurationError`."""
    model = await _described(desk, session, wish.model)
    typed = filled(wish.model, wish.base, wish.pairs, model.parameters if model else ())
    for warning in typed.warnings:
        desk.warn(printable(warning))
    payload = await asyncio.get_running_loop().run_in_executor(None, examined, typed.payload)
    try:
        request = VideoRequest(wish.model, payload, key=wish.key)
    except (TypeError, ValueError) as error:
        message = printable(error)
    else:
        if model is None:
            return Ready(request=request)
        return priced(model, request)
    raise ConfigurationError(message)


def priced(model: Model, request: VideoRequest) -> Ready:
    """The request with what its model says of it."""
    payload = request.payload
    return Ready(request=request, problems=model.check(payload), cost=model.price_of(payload))


def admitted(desk: Desk, made: Ready) -> VideoRequest:
    """The request where nothing certain stands against it; what is doubtful is warned of.

    Raises `PayloadInvalid`.
    """
    if made.refused:
        told = "; ".join(problem.sentence for problem in made.problems if problem.certain)
        message = f"{printable(made.request.model)} would refuse this: {printable(told)}; nothing was sent"
        raise PayloadInvalid(message, problems=made.problems, key=made.request.key)
    for problem in made.problems:
        lost = problem.kind == "unknown" and problem.suggestion is None
        desk.warn(
            printable(problem)
            + (f"; `gmi-video model {printable(made.request.model)}` lists them" if lost else "")
        )
    for name, file in _files(made.request):
        desk.note(f"{'Sending along' if file.inline else 'Uploading'} {name}: {printable(file)}")
    if made.cost is not None:
        desk.note(f"This request costs {printable(made.cost)}")
    return made.request


def _files(request: VideoRequest) -> list[tuple[str, LocalFile]]:
    """The files of this machine in a request, by their place in the payload."""
    found = files_in(request.payload)
    return [
        (printable(place.removeprefix("payload.")), file)
        for place, file in found
        if isinstance(file, LocalFile)
    ]


def _shown(value: object) -> str:
    """A file as it was typed."""
    return f"{'data:' * value.inline}@{value.path}" if isinstance(value, LocalFile) else str(value)


def told(desk: Desk, made: Ready) -> int:
    """Shows what would be sent, its problems and its price, on stdout; the exit code says whether it could be."""
    request, cost = made.request, made.cost
    if desk.manner.json:
        desk.json(
            {
                "model": request.model,
                "payload": request.payload,
                "files": [file.as_dict() | {"place": place} for place, file in _files(request)],
                "problems": [problem.as_dict() for problem in made.problems],
                "cost": cost.as_dict() if cost else None,
            }
        )
    else:
        desk.data(f"Payload: {printable(json.dumps(request.payload, ensure_ascii=False, default=_shown))}")
        for name, file in _files(request):
            desk.data(f"{'Sent along' if file.inline else 'To be uploaded'}: {name}: {printable(file)}")
        for problem in made.problems:
            desk.data(f"{'Refused' if problem.certain else 'Doubtful'}: {printable(problem)}")
        desk.data(f"Price: {printable(cost) if cost else 'the catalog does not say'}")
    desk.note("Nothing was sent.")
    return exits.USAGE if made.refused else exits.OK


async def _described(desk: Desk, session: "Session", model: str) -> Model | None:
    from gmi_video.settings import Patience  # noqa: PLC0415  # start-up stays quick without the network

    try:
        known = await session.using(patience=Patience(attempts=2)).model(model)
    except (ConfigurationError, Unauthorized):
        raise
    except GmiVideoError as error:
        why = printable(await explained(session, model, error))
        desk.warn(
            f"{why}{'' if why.endswith('?') else '.'} So values are sent as given, text or JSON, without its schema"
        )
        return None
    if known.price is not None:
        desk.note(f"{printable(model)} costs {printable(known.price)}")
    return known


async def explained(session: "Session", model: str, error: GmiVideoError) -> GmiVideoError:
    """The error, with the nearest ids of the catalog where the model is not there and the list can be had."""
    if isinstance(error, NotFound) and not error.suggestions:
        try:
            with suppress(Unauthorized):
                await session.models()
                await session.model(model)
        except NotFound as better:
            return better
        except GmiVideoError:
            return error
    return error
