"""How many lines are where, and what they cost: kept while things move, so that asking is cheap at any time."""

import asyncio
import sqlite3
from collections import deque
from decimal import Decimal

from attrs import define, evolve, field

from gmi_video.batch.records import ENDED, BatchStatistics, LineState, Tally
from gmi_video.batch.rows import statistics_of, total

REMEMBERED = 200
"""Ends that the rate is taken from."""


def clock() -> float:
    """The running loop's time; 0 where there is none."""
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        return 0.0


@define(eq=False)
class Money:
    """A budget and what was taken of it. Sums are exact; a reservation is taken before the POST, never after."""

    budget: Decimal | None = None
    spent: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)

    def fits(self, cost: Decimal) -> bool:
        """Whether a submission of this cost stays within the budget, all others under way counted."""
        return self.budget is None or self.spent + self.reserved + cost <= self.budget

    def reserve(self, cost: Decimal) -> None:
        """Takes it aside, before anything is sent."""
        self.reserved += cost

    def release(self, cost: Decimal) -> None:
        """It was provably not accepted."""
        self.reserved -= cost

    def commit(self, cost: Decimal) -> None:
        """It was accepted."""
        self.reserved -= cost
        self.spent += cost

    def give_back(self, cost: Decimal) -> None:
        """It was accepted, and failed: failed requests are not charged."""
        self.spent -= cost


@define(eq=False)
class Counts:
    """Lines by model and state, in memory. `ends` are the moments of the last ones, on the loop's clock."""

    money: Money = field(factory=Money)
    models: dict[str, Tally] = field(factory=dict)
    orphans: int = 0
    ends: deque[float] = field(factory=lambda: deque(maxlen=REMEMBERED))

    @classmethod
    def read(cls, connection: sqlite3.Connection) -> "Counts":
        """The counts of a journal."""
        found = statistics_of(connection)
        money = Money(budget=found.budget, spent=found.spent, reserved=found.reserved)
        return cls(
            money=money,
            models={model: evolve(tally, processing=0) for model, tally in found.models.items()},
            orphans=found.orphans,
        )

    def become(self, other: "Counts") -> None:
        """Takes over the sums of another one, for whoever holds this."""
        self.money, self.models, self.orphans = other.money, other.models, other.orphans

    def move(self, model: str, before: LineState | None, after: LineState, lines: int = 1) -> None:
        """Lines of a model went from one state to another; from None: they are new."""
        tally = self.models.get(model, Tally())
        if before is not None:
            tally = evolve(tally, **{before: getattr(tally, before) - lines})
        self.models[model] = evolve(tally, **{after: getattr(tally, after) + lines})

    def works(self, model: str, lines: int) -> None:
        """So many more of a model's lines have left its queue and are at work."""
        tally = self.models.get(model, Tally())
        self.models[model] = evolve(tally, processing=max(0, tally.processing + lines))

    def spent(self, model: str, dollars: Decimal) -> None:
        """A model's lines cost so much more, or less."""
        tally = self.models.get(model, Tally())
        self.models[model] = evolve(tally, spent=tally.spent + dollars)

    def statistics(self, now: float) -> BatchStatistics:
        """These counts as a value."""
        lines = total(self.models.values())
        left = lines.total - lines.parked - lines.uncertain - sum(getattr(lines, state) for state in ENDED)
        rate = 0.0
        if len(self.ends) > 1 and now > self.ends[0]:
            rate = (len(self.ends) - 1) / (now - self.ends[0])
        return BatchStatistics(
            lines=lines,
            models=dict(self.models),
            queued=max(lines.running - lines.processing, 0),
            processing=min(lines.processing, lines.running),
            spent=self.money.spent,
            reserved=self.money.reserved,
            budget=self.money.budget,
            rate=rate,
            eta=left / rate if rate and left else None if left else 0.0,
            orphans=self.orphans,
        )
