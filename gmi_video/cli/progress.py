"""Progress as it comes: a live view on a terminal, plain lines elsewhere, JSON lines beside either."""

import time
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gmi_video.cli.board import Board, line
from gmi_video.cli.desk import Desk
from gmi_video.cli.live import begun
from gmi_video.cli.plain import printable, size
from gmi_video.cli.times import span
from gmi_video.events import Event, Succeeded
from gmi_video.records import Saved
from gmi_video.transfer import Transfer

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

    from gmi_video.cli.bars import Bars
    from gmi_video.cli.view import View

_PER_SECOND = 12
"""Redraws of the live view: enough to look alive, about one per cent of a core."""


class Progress:
    """Shows requests moving. Each has a name of the command's choice: its id, or its place in the list."""

    def __init__(self, desk: Desk) -> None:
        self.board = Board()
        self._desk = desk
        self._live: Live | None = None
        self._bars: Bars | None = None

    def take(
        self,
        name: str,
        word: str = "looking",
        *,
        title: str = "",
        model: str = "",
        typical: float | None = None,
    ) -> None:
        """A request is followed from now on, or one is made; `typical` are the seconds that its model usually takes."""
        self.board.put(name, word, title=title, model=model, now=time.monotonic(), typical=typical)

    def event(self, name: str, event: Event, *, saves: bool = False) -> None:
        """Something happened to it; `saves` says that after a success its file is still to come."""
        self.board.tell(name, event, time.monotonic())
        self._desk.record(event)
        if self._live is None:
            self._desk.note(line(event, self.board.row(name).model))
        elif saves and isinstance(event, Succeeded):
            self.board.row(name).word = "saving"

    def carried(self, transfer: Transfer) -> None:
        """A file has come so far; plain lines are not filled with that."""
        if self._bars is not None:
            self._bars.tell(transfer)

    def saved(self, name: str, files: tuple[Saved, ...]) -> None:
        """Its files are on disk."""
        row = self.board.row(name)
        row.word = "saved"
        took = span(row.seconds(time.monotonic()))
        for saved in files if self._live is None else ():
            self._desk.note(f"saved {printable(saved.path)} ({size(saved.size)}) after {took}")

    def __enter__(self) -> Self:
        if self._desk.manner.live:
            from gmi_video.cli.bars import Bars  # noqa: PLC0415  # not needed for plain lines
            from gmi_video.cli.view import View  # noqa: PLC0415  # as above

            view, bars = View(self.board), Bars()
            self._bars = bars
            self._live = begun(self._desk, partial(self._picture, view, bars), _PER_SECOND)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = self._bars = None

    def _picture(self, view: "View", bars: "Bars", width: int, height: int) -> "RenderableType":
        """The requests, and below them the files that come."""
        from rich.console import Group  # noqa: PLC0415  # as above

        rows = len(self.board)
        told = [view.picture(width, height - len(bars), time.monotonic())] if rows else []
        return Group(*told, *([bars.picture()] if len(bars) else []))
