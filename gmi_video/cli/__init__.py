"""The command `gmi-video`. Needs the extra `cli`; the core never imports this room."""

import logging
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cyclopts import App, CycloptsError, Group

from gmi_video import __version__
from gmi_video.cli import batch, exits
from gmi_video.cli.catalogue import model, models, stubs
from gmi_video.cli.demo import demo
from gmi_video.cli.doctor import doctor
from gmi_video.cli.entering import login, logout
from gmi_video.cli.following import download, list_requests, resume, status
from gmi_video.cli.making import generate, submit
from gmi_video.cli.plain import BYTES, printable
from gmi_video.cli.sending import upload
from gmi_video.cli.serving import sandbox
from gmi_video.cli.watching import watch

_HELP = """\
Video generation on GMI Cloud: never pays twice, never loses a video that was paid for.

Try it without a key: gmi-video demo
"""
_EPILOGUE = f"""\
Set GMI_API_KEY to your key (console.gmicloud.ai), or log in once: gmi-video login. GMI_ORG_ID names an organisation, \
GMI_BASE_URL another address, GMI_VIDEO_LOG=debug|info|warning logs to stderr, NO_COLOR asks for plain lines, \
GMI_VIDEO_CACHE=off keeps no durations.

{exits.TABLE}
"""
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}

_BEGIN = Group("Begin", sort_key=1)
_MAKE = Group("Make videos", sort_key=2)
_FOLLOW = Group("Return to requests", sort_key=3)
_ENTER = Group("Key and login", sort_key=4)
_LOCAL = Group("Local service", sort_key=5)
_HELP_GROUP = Group("About the command", sort_key=6)


def _app() -> App:
    app = App(
        name="gmi-video",
        help=_HELP,
        help_epilogue=_EPILOGUE,
        help_format="plaintext",
        group_commands=_HELP_GROUP,
        version=f"gmi-video {__version__}",
        result_action="return_value",
        exit_on_error=False,
        print_error=False,
        suppress_keyboard_interrupt=False,
    )
    groups: tuple[tuple[Group, Mapping[str, Callable[..., int]]], ...] = (
        (_BEGIN, {"demo": demo, "models": models, "model": model, "stubs": stubs}),
        (_MAKE, {"generate": generate, "submit": submit, "upload": upload}),
        (
            _FOLLOW,
            {"resume": resume, "watch": watch, "status": status, "list": list_requests, "download": download},
        ),
        (_ENTER, {"doctor": doctor, "login": login, "logout": logout}),
        (_LOCAL, {"sandbox": sandbox}),
    )
    for group, commands in groups:
        for number, (name, command) in enumerate(commands.items()):
            app.command(command, name=name, group=group, sort_key=number)
    app.command(batch.app(_MAKE, sort_key=2))
    app.register_install_completion_command()
    return app


app = _app()
"""The command line as cyclopts knows it."""


def run(tokens: Sequence[str]) -> int:
    """The exit code of one command line. Writes to stdout and stderr; never shows a traceback unasked."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=BYTES if stream is sys.stdout else "replace")  # nothing fails for a sign
    try:
        return (app(list(tokens)) or exits.OK) if _logging() else exits.USAGE
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        return exits.INTERRUPTED
    except BrokenPipeError:
        return (
            exits.FAILED
        )  # every line is flushed as it is written, so Python has nothing left to complain of
    except Exception as error:  # noqa: BLE001  # the border to the user: a fault of ours is a sentence, too
        return _explained(error)


def _logging() -> bool:
    level = os.environ.get("GMI_VIDEO_LOG", "").strip().lower()
    if level and level not in _LEVELS:
        sys.stderr.write(f"error: GMI_VIDEO_LOG is {level!r}; debug, info or warning is wanted\n")
        return False
    if level:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger = logging.getLogger("gmi_video")
        logger.addHandler(handler)
        logger.setLevel(_LEVELS[level])
    return True


def _explained(error: Exception) -> int:
    """An error as a sentence, and its exit code.

    The text of a foreign error is not shown, for it may quote a key or a link; the system's own words of an
    `OSError` are.
    """
    if isinstance(error, CycloptsError):
        name = " ".join(("gmi-video", *(error.command_chain or ())))
        sys.stderr.write(f"error: {printable(error)}\nSee {name} --help\n")
        return exits.USAGE
    if os.environ.get("GMI_VIDEO_DEBUG"):
        traceback.print_exception(error)
    if isinstance(error, OSError) and error.strerror:
        sys.stderr.write(f"error: {printable(error.strerror)}\n")
    else:
        what = type(error).__name__
        sys.stderr.write(f"error: gmi-video itself failed ({what}); GMI_VIDEO_DEBUG=1 shows where\n")
    return exits.FAILED
