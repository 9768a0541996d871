"""Commands that ask the catalog: `models`, `model` and `stubs`. None of them costs anything."""

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import cyclopts

from gmi_video.catalog import Model
from gmi_video.cli import durations, exits, options
from gmi_video.cli.desk import Desk
from gmi_video.cli.durations import remembering, typical
from gmi_video.cli.entrance import settings
from gmi_video.cli.guard import guarded
from gmi_video.cli.interrupt import Running
from gmi_video.cli.plain import printable
from gmi_video.cli.show import MODELS, PARAMETERS, heading, listed, parameter
from gmi_video.cli.values import dollars_of
from gmi_video.cli.wishes import Wish, explained, priced, told
from gmi_video.errors import GmiVideoError
from gmi_video.records import VideoRequest

if TYPE_CHECKING:
    from gmi_video.session import Session


def models(
    text: Annotated[str, cyclopts.Parameter(help="Only ids that contain this text, in any case.")] = "",
    /,
    *,
    search: Annotated[
        str, cyclopts.Parameter(name="--search", metavar="TEXT", help="The same, as an option.")
    ] = "",
    modality: Annotated[
        str,
        cyclopts.Parameter(
            name="--modality",
            metavar="KIND",
            help="Only models that take or make text, image, video or audio.",
        ),
    ] = "",
    max_price: Annotated[
        str,
        cyclopts.Parameter(
            name="--max-price",
            metavar="DOLLARS",
            help="Only models whose list price is at most so much a unit (a second, a video, a picture).",
        ),
    ] = "",
    json: options.Json = False,
) -> int:
    """Lists the ids of all models, one a line. A listed model may still be refused to an account.

    gmi-video models --search wan --modality image --max-price 0.10

    With --modality or --max-price each model is asked for, and shown in a table.
    """

    async def work(desk: Desk, _running: Running) -> int:
        from gmi_video.session import Session  # noqa: PLC0415  # start-up stays quick without the network

        wanted, limit = (text.casefold(), search.casefold()), dollars_of(max_price, "--max-price")
        async with Session(settings()) as session:
            ids = [name for name in await session.models() if all(part in name.casefold() for part in wanted)]
            if modality or limit is not None:
                known = await _described(desk, session, ids)
                return _table(desk, [model for model in known if _fits(model, modality.casefold(), limit)])
        for name in ids:
            if json:
                desk.json({"model": name})
            else:
                desk.data(printable(name))
        if not ids:
            desk.note("No such models.")
        return exits.OK

    return guarded(work, as_json=json)


def model(
    model_id: options.Model,
    /,
    *,
    param: options.Values = (),
    payload: options.Base = None,
    json: options.Json = False,
) -> int:
    """Shows a model's parameters, what they may be, its price, and how long it takes.

    How long is learnt by earlier runs, or else read from the account's own records of the model. With -p or --payload it shows what the model has against that payload, and what it would cost.
    """

    async def work(desk: Desk, _running: Running) -> int:
        from gmi_video.cli.values import filled  # noqa: PLC0415  # for a payload only

        wish = Wish.typed(model_id, param, payload)
        takes = None
        async with remembering(desk) as session:
            found = await _one(session, model_id)
            if not (param or payload):
                takes = await typical(session, model_id)
        if param or payload:
            typed = filled(model_id, wish.base, wish.pairs, found.parameters)
            return told(desk, priced(found, VideoRequest(model_id, typed.payload)))
        if json:
            desk.json({**found.as_dict(), **({"typical": takes[0].as_dict()} if takes else {})})
            return exits.OK
        for line in (*heading(found), *((durations.told(takes),) if takes else ())):
            desk.data(line)
        desk.data("")
        desk.table(PARAMETERS, [parameter(item) for item in found.parameters])
        return exits.OK

    return guarded(work, as_json=json)


def stubs(
    *ids: Annotated[str, cyclopts.Parameter(help="The models' ids; all models where none is named.")],
    out: Annotated[
        Path | None,
        cyclopts.Parameter(
            name=["--out", "-o"],
            metavar="FILE",
            help="The file to write the module to, in place of the one that stands there. Without it: stdout.",
        ),
    ] = None,
) -> int:
    """Writes typed payload classes for an editor: `VideoRequest.of(Wan27T2v(prompt="a river"))`.

    gmi-video stubs wan2.7-t2v Veo3 -o payloads.py

    The same catalog gives the same text; the day in it is today's, or that of SOURCE_DATE_EPOCH.
    """

    async def work(desk: Desk, _running: Running) -> int:
        from gmi_video.session import Session  # noqa: PLC0415  # as above
        from gmi_video.stubs import module_of  # noqa: PLC0415  # as above

        day = _today()
        async with Session(settings()) as session:
            source = session.settings.base_url
            if ids:
                known = [await _one(session, name) for name in dict.fromkeys(ids)]
            else:
                known = await _described(desk, session, await session.models())
        text = module_of(known, source=source, date=day)
        if out is None:
            desk.data(text.rstrip("\n"))
        else:
            await asyncio.get_running_loop().run_in_executor(None, _write, out, text)
            desk.note(f"Wrote {len(known)} payload classes to {printable(out)}")
        return exits.OK

    return guarded(work, as_json=False)


def _write(path: Path, text: str) -> None:
    """Puts the text at its place, whole; what stood there is an older version of it."""
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _today() -> str:
    """The day to name, in UTC; https://reproducible-builds.org says how a build fixes it."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else datetime.now(UTC)
    return now.date().isoformat()


async def _one(session: "Session", model_id: str) -> Model:
    """A model; one that is not there is answered with the nearest ids of the list."""
    try:
        return await session.model(model_id)
    except GmiVideoError as error:
        raise await explained(session, model_id, error) from None


async def _described(desk: Desk, session: "Session", ids: Sequence[str]) -> list[Model]:
    """The models of these ids, as many at once as the session allows; those that cannot be had are told."""
    found = await asyncio.gather(*(session.model(name) for name in ids), return_exceptions=True)
    for name, model in zip(ids, found, strict=True):
        if isinstance(model, GmiVideoError):
            desk.warn(f"{printable(name)} is left out: {printable(model)}")
        elif isinstance(model, BaseException):
            raise model
    return [model for model in found if isinstance(model, Model)]


def _fits(model: Model, modality: str, limit: Decimal | None) -> bool:
    """Whether a model takes or makes `modality`, and its list price is known and within the limit."""
    if modality and modality not in map(str.casefold, (*model.inputs, *model.outputs)):
        return False
    return limit is None or (model.price is not None and model.price.dollars <= limit)


def _table(desk: Desk, chosen: Sequence[Model]) -> int:
    if desk.manner.json:
        for model in chosen:
            desk.record(model)
    elif chosen:
        desk.table(MODELS, [listed(model) for model in chosen])
    if not chosen:
        desk.note("No such models.")
    return exits.OK
