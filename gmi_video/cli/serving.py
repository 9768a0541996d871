"""The command `sandbox`: the local GMI Cloud as a server, until it is interrupted."""

import asyncio
import os
from typing import TYPE_CHECKING, Annotated

import cyclopts

from gmi_video.cli import exits, options
from gmi_video.cli.desk import Desk
from gmi_video.cli.guard import guarded
from gmi_video.cli.interrupt import Running
from gmi_video.errors import ConfigurationError

if TYPE_CHECKING:
    from gmi_video.sandbox import Sandbox


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
                _tell(desk, server)
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


def _tell(desk: Desk, server: "Sandbox") -> None:
    email, password = server.login
    if desk.manner.json:
        key = {"base_url": server.url, "api_key": server.api_key}
        console = {"console_url": server.console_url, "email": email, "password": password}
        desk.json({**key, **console, "early_url": server.early_url, "catalog_url": server.catalog_url})
    else:
        desk.data(f"export GMI_BASE_URL={server.url}")
        desk.data(f"export GMI_API_KEY={server.api_key}")
    desk.note("The sandbox runs; Ctrl-C ends it. Its other doors:")
    login = f"GMI_CLOUD_EMAIL={email} GMI_CLOUD_PASSWORD={password}"
    desk.pointer(f"  GMI_DOOR=console GMI_BASE_URL={server.console_url} {login}")
    early = f"GMI_BASE_URL={server.early_url} GMI_CATALOG_URL={server.catalog_url}"
    desk.pointer(f"  GMI_DOOR=early {early} GMI_API_KEY={server.api_key}")
    if server.note:
        desk.note(server.note)
