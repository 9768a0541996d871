"""Commands about the login that is kept on this machine: `login` and `logout`."""

import os
import sys
from typing import Annotated

import cyclopts
from attrs import evolve

from gmi_video.cli import ask, exits, options
from gmi_video.cli.desk import Desk
from gmi_video.cli.guard import guarded
from gmi_video.cli.interrupt import Running
from gmi_video.cli.kept import Kept
from gmi_video.cli.plain import printable
from gmi_video.errors import ConfigurationError
from gmi_video.login import EMAIL_VARIABLE, PASSWORD_VARIABLE, Login
from gmi_video.settings import Settings


def login(
    *,
    email: Annotated[
        str, cyclopts.Parameter(metavar="ADDRESS", help="Whose login it is; asked for otherwise.")
    ] = "",
    password_stdin: Annotated[
        bool,
        cyclopts.Parameter(
            name="--password-stdin",
            negative="",
            show_default=False,
            help="Read the password from stdin instead of asking for it.",
        ),
    ] = False,
    json: options.Json = False,
) -> int:
    """Logs in at the console, and keeps the login on this machine until `gmi-video logout`.

    It is kept as a token in a file that only you can read. It is used where no API key is set. The password is
    kept nowhere, and never given on the command line. GMI_CLOUD_EMAIL and GMI_CLOUD_PASSWORD are taken if set.
    """

    async def work(desk: Desk, _running: Running) -> int:
        from gmi_video.session import Session  # noqa: PLC0415  # start-up stays quick without the network

        who = email or os.environ.get(EMAIL_VARIABLE, "") or ask.text("E-mail")
        typed = (
            sys.stdin.readline().rstrip("\r\n") if password_stdin else os.environ.get(PASSWORD_VARIABLE, "")
        )
        given = Login(email=who, password=typed or ask.text("Password", hidden=True), one_time_code=ask.code)
        wanted = Settings(door="console", login=given).completed(os.environ)
        kept = Kept.new(wanted.base_url)
        async with Session(_keeping(wanted, given, kept)) as session:
            profile = await session.profile()
        if not kept.saved:
            message = f"the login was right, but could not be kept in {kept.path}: is the disk full, or not yours to write?"
            raise ConfigurationError(message)
        if json:
            desk.record(profile)
        else:
            desk.data(profile.email or profile.user_id)
        place = f" for organisation {printable(profile.organization)}" if profile.organization else ""
        desk.note(f"Logged in{place}; the login is kept in {kept.path}")
        desk.pointer("To forget it: gmi-video logout")
        return exits.OK

    return guarded(work, as_json=json)


def _keeping(wanted: Settings, given: Login, kept: Kept) -> Settings:
    return evolve(wanted, login=evolve(given, keep=kept))


def logout(*, json: options.Json = False) -> int:
    """Forgets the login that is kept on this machine. Requests that run go on running."""

    async def work(desk: Desk, _running: Running) -> int:
        gone = await Kept.new("").forget()
        if json:
            desk.json({"forgotten": gone})
        desk.note("The login is forgotten." if gone else "No login is kept on this machine.")
        return exits.OK

    return guarded(work, as_json=json)
