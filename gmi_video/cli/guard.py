"""One command's work, run with the desk and the signals that every command has."""

import os
from collections.abc import Awaitable, Callable

from gmi_video.cli.desk import Desk, desk_for
from gmi_video.cli.interrupt import Running, run

Work = Callable[[Desk, Running], Awaitable[int]]


def guarded(work: Work, *, as_json: bool) -> int:
    """The exit code of `work`, which gets a desk to speak at and a book of what goes on at the service."""
    desk = desk_for(as_json=as_json, environ=os.environ)
    return run(desk, lambda running: work(desk, running))
