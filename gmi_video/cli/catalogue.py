"""Commands that ask the catalog: `models` and `model`."""

from typing import Annotated

import cyclopts

from gmi_video.cli import exits, options
from gmi_video.cli.desk import Desk
from gmi_video.cli.guard import guarded
from gmi_video.cli.interrupt import Running
from gmi_video.cli.making import nearest
from gmi_video.cli.plain import printable
from gmi_video.cli.show import PARAMETERS, heading, parameter
from gmi_video.errors import NotFound


def models(
    text: Annotated[str, cyclopts.Parameter(help="Only ids that contain this text, in any case.")] = "",
    /,
    *,
    json: options.Json = False,
) -> int:
    """Lists the ids of all models, one a line. A listed model may still be refused to an account."""

    async def work(desk: Desk, _running: Running) -> int:
        from gmi_video.session import Session  # noqa: PLC0415  # start-up stays quick without the network

        async with Session() as session:
            ids = [name for name in await session.models() if text.casefold() in name.casefold()]
        for name in ids:
            if json:
                desk.json({"model": name})
            else:
                desk.data(printable(name))
        if not ids:
            desk.note("No such models.")
        return exits.OK

    return guarded(work, as_json=json)


def model(model_id: options.Model, /, *, json: options.Json = False) -> int:
    """Shows a model's parameters, what they may be, and its price."""

    async def work(desk: Desk, _running: Running) -> int:
        from gmi_video.session import Session  # noqa: PLC0415  # as above

        async with Session() as session:
            try:
                found = await session.model(model_id)
            except NotFound as error:
                desk.record(error)
                desk.fail(printable(error) + await nearest(session, model_id))
                return exits.code_of(error)
        if json:
            desk.record(found)
            return exits.OK
        for line in heading(found):
            desk.data(line)
        desk.data("")
        desk.table(PARAMETERS, [parameter(item) for item in found.parameters])
        return exits.OK

    return guarded(work, as_json=json)
