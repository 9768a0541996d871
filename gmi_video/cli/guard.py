"""One command's work, run with the desk and the signals that every command has."""

import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from gmi_video.cli.desk import Desk, desk_for
from gmi_video.cli.interrupt import Running, run
from gmi_video.cli.plain import printable

Work = Callable[[Desk, Running], Awaitable[int]]


class _Warnings(logging.Handler):
    """Says at the desk what the library warns of. Notices are told in the command's own words already."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(logging.WARNING)
        self._desk = desk

    def emit(self, record: logging.LogRecord) -> None:
        if not hasattr(record, "notice"):
            self._desk.warn(printable(record.getMessage()))


def guarded(work: Work, *, as_json: bool) -> int:
    """The exit code of `work`, which gets a desk to speak at and a book of what goes on at the service."""
    desk = desk_for(as_json=as_json, environ=os.environ)
    with _heard(desk):
        return run(desk, lambda running: work(desk, running))


@contextmanager
def _heard(desk: Desk) -> Iterator[None]:
    """For as long as it lasts, warnings are said; not where GMI_VIDEO_LOG asks for all of them on stderr."""
    logger, handler = logging.getLogger("gmi_video"), _Warnings(desk)
    if not os.environ.get("GMI_VIDEO_LOG"):
        logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
