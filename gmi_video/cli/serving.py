"""The command `sandbox`: the local GMI Cloud as a server, until it is interrupted."""

import asyncio
import os
from typing import Annotated

import cyclopts

from gmi_video.cli import exits, options
from gmi_video.cli.desk import Desk
from gmi_video.cli.guard import guarded
from gmi_video.cli.interrupt import Running
from gmi_video.errors import ConfigurationError


def sandbox(
    *,
    port: Annotated[
        int, cyclopts.Parameter(help="Where to listen on this machine; 0 takes a free port.")
    ] = 8080,
    speed: Annotated[
        float,
        cyclopts.Parameter(help="How many times faster than GMI a request runs; 60 makes a minute a second."),
    ] = 1.0,
    seed: Annotated[int, cyclopts.Parameter(help="Of ids, durations and all else that is drawn.")] = 0,
    json: options.Json = False,
) -> int:
    """Serves a GMI Cloud of your own on this machine: real HTTP, real files, no key, no cost.

    It tells the two variables that make any command or program use it. Ctrl-C ends it.
    """

    async def work(desk: Desk, running: Running) -> int:
        from gmi_video.sandbox import Sandbox  # noqa: PLC0415  # aiohttp's server takes a while to load

        try:
            server = Sandbox(port=port, speed=speed, seed=seed)
        except ValueError as error:
            raise ConfigurationError(str(error)) from None
        try:
            async with server:
                _tell(desk, server.url, server.api_key, server.note)
                await asyncio.Event().wait()
        except (OSError, OverflowError) as error:
            why = getattr(error, "errno", None)
            reason = os.strerror(why).lower() if why else "there is no such port"
            message = f"cannot listen on port {port}: {reason}; name another with --port"
            raise ConfigurationError(message) from None
        except asyncio.CancelledError:
            if not running.interrupted:
                raise
            running.interrupted = False  # interrupting is how a server is asked to end
            desk.note("The sandbox has ended.")
        return exits.OK

    return guarded(work, as_json=json)


def _tell(desk: Desk, url: str, api_key: str, note: str | None) -> None:
    if desk.manner.json:
        desk.json({"base_url": url, "api_key": api_key})
    else:
        desk.data(f"export GMI_BASE_URL={url}")
        desk.data(f"export GMI_API_KEY={api_key}")
    desk.note("The sandbox runs; Ctrl-C ends it.")
    if note:
        desk.note(note)
