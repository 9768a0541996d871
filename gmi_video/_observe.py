"""Telling observers: the default one writes to the logger `gmi_video`; what one raises is logged, never raised."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from gmi_video.notices import Abandoned, Exchange, Notice, Throttled, Uncertain

Observer = Callable[[Notice], object]

logger = logging.getLogger("gmi_video")
logger.addHandler(logging.NullHandler())


def log(notice: Notice) -> None:
    """The default observer: exchanges at DEBUG, what needs a person at WARNING, the rest at INFO."""
    level = logging.INFO
    if isinstance(notice, Exchange):
        level = logging.DEBUG
    elif isinstance(notice, Abandoned | Throttled | Uncertain):
        level = logging.WARNING
    logger.log(level, "%r", notice, extra={"notice": notice})


def shielded(callback: Callable[[Any], object], value: object) -> None:
    """Calls what is not ours; what it raises is logged and goes no further: money may be under way."""
    try:
        callback(value)
    except Exception:
        logger.exception("a callback failed on %s", type(value).__name__)


class Observers:
    """The observers of one session; cheap where nobody listens."""

    def __init__(self, observers: Iterable[Observer]) -> None:
        self._observers = (log, *observers)

    @property
    def exchanges(self) -> bool:
        """Whether anybody wants to hear of single exchanges."""
        return len(self._observers) > 1 or logger.isEnabledFor(logging.DEBUG)

    def tell(self, notice: Notice) -> None:
        """Hands a notice to each observer."""
        for observer in self._observers:
            shielded(observer, notice)
