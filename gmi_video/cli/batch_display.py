"""What is seen of a batch while it runs: a live view on a terminal, lines elsewhere, JSON lines where asked for."""

import asyncio
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gmi_video.batch.records import BatchStatistics, Finished
from gmi_video.cli.batch_ends import as_dict, sentence
from gmi_video.cli.batch_rates import Pace, Rates
from gmi_video.cli.batch_view import line, picture
from gmi_video.cli.desk import Desk
from gmi_video.cli.live import begun

if TYPE_CHECKING:
    from rich.live import Live

_TICK = 0.25
_LINES_EVERY = 15.0
"""Seconds between the lines that a pipe gets on how far it is; a terminal is drawn anew every quarter of one."""


class Display:
    """Shows a batch while it runs: live on a terminal, else lines; what is saved is told on stdout as it comes."""

    def __init__(self, desk: Desk, statistics: Callable[[], BatchStatistics]) -> None:
        self._desk = desk
        self._ask = statistics
        self._seen = BatchStatistics()
        self._notes: tuple[str, ...] = ()
        self._rates = Rates()
        self._paces: Mapping[str, Pace] = {}
        self._live: Live | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._task = asyncio.current_task()

    def ended(self, done: Finished) -> None:
        """A line ended, or was set aside."""
        if self._desk.manner.json:
            self._desk.json(as_dict(done))
        elif self._live is None:
            self._desk.note(sentence(done))
            for file in done.stored:
                self._desk.data(file.location)
        elif done.error is not None:
            self._desk.note(sentence(done))

    def say(self, *sentences: str) -> None:
        """A remark for all the rest of the run."""
        if self._live is None:
            self._desk.note(" ".join(sentences))
        self._notes = sentences

    def cancel(self) -> None:
        """Leaves the run."""
        if self._task is not None:
            self._task.cancel()

    async def __aenter__(self) -> Self:
        self._seen = self._ask()
        self._rates.take(self._seen, asyncio.get_running_loop().time())
        if self._desk.manner.live:
            self._live = begun(
                self._desk,
                lambda width, height: picture(
                    self._seen, width, height, paces=self._paces, notes=self._notes
                ),
                1 / _TICK,
            )
        self._ticking = asyncio.get_running_loop().create_task(self._tick())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
        self._seen = self._ask()
        self._paces = self._rates.take(self._seen, asyncio.get_running_loop().time())
        if self._live is not None:
            self._live.stop()
            self._live = None

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK if self._live else _LINES_EVERY)
            before, self._seen = self._seen, self._ask()
            self._paces = self._rates.take(self._seen, asyncio.get_running_loop().time())
            if self._live is None and self._seen != before:
                self._desk.note(line(self._seen))
