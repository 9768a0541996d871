"""Progress of a fleet: one line a model instead of a bar each; on a pipe a few lines at a bounded rate."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gmi_video.cli.board import line
from gmi_video.cli.desk import Desk
from gmi_video.cli.live import begun
from gmi_video.cli.plain import size
from gmi_video.cli.tally import DONE, FAILED, OVERDUE, PROCESSING, QUEUED, Group, Rate, Tally
from gmi_video.cli.times import span
from gmi_video.events import Event, Succeeded
from gmi_video.statistics import SessionStatistics

if TYPE_CHECKING:
    from rich.live import Live

TOLD = 10
"""Requests that ended badly of which each gets a line; more of them are counted."""
OFTEN, SELDOM = 10.0, 60.0
"""Seconds between two blocks of plain lines: in the first five minutes, and from then on."""
_EARLY = 300.0
_MODELS = 20
"""Models that are named in a block of plain lines, those with the most requests left."""
_PER_SECOND = 4


class Fleet:
    """Shows a fleet moving, and counts what it costs. `look` is to be called about once a second."""

    def __init__(self, desk: Desk) -> None:
        self.begun = self._said_at = time.monotonic()
        self.tally = Tally(self.begun)
        self.cost = SessionStatistics()
        self.reading = True
        self._desk = desk
        self._live: Live | None = None
        self._said: tuple[int, ...] = ()

    def event(self, event: Event) -> None:
        """Something happened to one of them."""
        self.tally.tell(event, time.monotonic())
        self._desk.record(event)
        if not event.final or isinstance(event, Succeeded):
            return
        bad = self.tally.ended - self.tally.ends[DONE]
        if bad <= TOLD:
            self._desk.note(line(event))
        elif bad == TOLD + 1:
            self._desk.note("More requests end like that; from here on they are only counted.")

    def look(self, cost: SessionStatistics) -> None:
        """What it costs by now; plain lines where they are due and anything has changed."""
        self.cost = cost
        now = time.monotonic()
        often = OFTEN if now - self.begun < _EARLY else SELDOM
        if self._live is None and now - self._said_at >= often and self._changed():
            self._said_at = now
            self._lines(now)

    def end(self) -> None:
        """All have ended: how, how long it took, and what it cost, below what was drawn."""
        now = time.monotonic()
        if self._changed() and not self._desk.manner.live:
            self._lines(now)
        for text in summary(self.tally, self.cost, now - self.begun):
            self._desk.note(text)
        if self._desk.manner.json:
            self._desk.json({"statistics": {"ends": dict(self.tally.ends), **self.cost.as_dict()}})

    def _changed(self) -> bool:
        said, self._said = self._said, (self.tally.taken, self.tally.moves)
        return said != self._said

    def _lines(self, now: float) -> None:
        clock = f"{now - self.begun:7.1f} s"
        for group in self.tally.groups()[:_MODELS]:
            self._desk.note(f"{clock}  {group.model or 'of no model'}  {phrase(group, now)}")
        self._desk.note(f"{clock}  {'; '.join(standing(self, now))}")

    def __enter__(self) -> Self:
        if self._desk.manner.live:
            from gmi_video.cli.fleetview import picture  # noqa: PLC0415  # not needed for plain lines

            self._live = begun(
                self._desk,
                lambda width, height: picture(self, width, height, time.monotonic()),
                _PER_SECOND,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def left(count: int, rate: Rate, now: float) -> str:
    """How long it will take until `count` more have ended, by how fast they end now; a dash where none does."""
    speed = rate.value(now)
    return f"about {span(count / speed)}" if count and speed else "-"


def phrase(group: Group, now: float) -> str:
    """How one model stands, for a log."""
    columns = group.columns
    parts = [f"{columns[name]:,} {name}" for name in (QUEUED, PROCESSING, DONE, FAILED)]
    if group.stuck:
        parts.append(f"{group.stuck:,} stuck")
    speed = group.rate.value(now)
    if speed:
        parts.append(f"{60 * speed:.1f} a minute")
    if group.left and speed:
        parts.append(f"{left(group.left, group.rate, now)} left")
    return ", ".join(parts)


def standing(fleet: Fleet, now: float) -> list[str]:
    """What is to be said of all models together, in a few phrases."""
    tally, cost = fleet.tally, fleet.cost
    said = [f"{tally.ended:,} of {tally.taken:,}{' so far' if fleet.reading else ''} ended"]
    if tally.unseen:
        said.append(f"{tally.unseen:,} not seen yet")
    if tally.ends[OVERDUE]:
        said.append(f"{tally.ends[OVERDUE]:,} overdue")
    if tally.left and tally.rate.value(now):
        said.append(f"{left(tally.left, tally.rate, now)} left")
    if cost.oldest is not None and tally.left:
        said.append(f"oldest unseen for {span(min(max(0.0, cost.oldest), now - fleet.begun))}")
    said.append(f"{cost.calls_per_second:.1f} calls a second")
    if cost.away:
        said.append("the service does not answer")
    return said


def spent(cost: SessionStatistics) -> str:
    """What following them has cost so far."""
    calls = f"{cost.looks + cost.pages:,} calls"
    kinds = f"{cost.looks:,} looks, {cost.pages:,} pages of the list, {size(cost.bytes)}"
    refused = f", {cost.throttled:,} answered 429" if cost.throttled else ""
    return f"{calls} ({kinds}{refused})"


def summary(tally: Tally, cost: SessionStatistics, seconds: float) -> list[str]:
    """How a fleet ended, and what it cost to know."""
    ends = ", ".join(f"{count:,} {how}" for how, count in tally.ends.most_common())
    each = (cost.looks + cost.pages) / tally.ended if tally.ended else 0.0
    return [
        f"{tally.ended:,} of {tally.taken:,} requests ended in {span(seconds)}: {ends or 'none'}.",
        f"{spent(cost)}, {each:.2f} a request.",
    ]
