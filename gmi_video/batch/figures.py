"""What a report tells of all lines together: durations, money over time, and why lines failed.

Takes rows one by one and keeps a few numbers of each, so that a million of them are no matter.
"""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from statistics import quantiles

from attrs import define, field, frozen

from gmi_video.batch.records import Row
from gmi_video.batch.words import alike, readable

_GROUPS = 200
"""Different reasons that are told apart; what comes after them is counted together."""
_NAMED = 3


@define(kw_only=True)
class Reason:
    """Lines that ended for the same reason. `words` are those of the first; `names` of the first few lines."""

    kind: str
    words: str
    count: int = 0
    models: Counter[str] = field(factory=Counter)
    names: list[str] = field(factory=list)


@frozen(kw_only=True)
class Spread:
    """How long the finished lines of a model took, in seconds; medians of the parts, percentiles of the whole."""

    model: str
    count: int
    queued: float | None
    processing: float | None
    downloading: float | None
    whole: Sequence[float]
    """The percentiles 0 to 100."""

    @property
    def median(self) -> float:
        """The middle one."""
        return self.whole[50]

    @property
    def late(self) -> float:
        """Nineteen in twenty were quicker."""
        return self.whole[95]


@define
class Parts:
    """Seconds that a model's lines spent in each stage, as far as they were seen."""

    queued: "array[float]" = field(factory=lambda: array("d"))
    processing: "array[float]" = field(factory=lambda: array("d"))
    downloading: "array[float]" = field(factory=lambda: array("d"))
    whole: "array[float]" = field(factory=lambda: array("d"))


class Figures:
    """The sums of a batch's rows."""

    def __init__(self) -> None:
        self.count = 0
        self.undecided: list[Row] = []
        self.unlisted = 0
        self.begun: float | None = None
        self.ended: float | None = None
        self._parts: dict[str, Parts] = {}
        self._failed: dict[tuple[str, str], Reason] = {}
        self._parked: dict[tuple[str, str], Reason] = {}
        self._paid_at, self._paid = array("d"), array("d")

    def take(self, row: Row) -> None:
        """Counts a row in."""
        self.count += 1
        self._span(row)
        match row.state:
            case "failed":
                _reason(self._failed, row)
            case "parked":
                _reason(self._parked, row)
            case "uncertain" if len(self.undecided) < _GROUPS:
                self.undecided.append(row)
            case "uncertain":
                self.unlisted += 1
            case "done":
                self._took(row)
        if row.spent and row.cost:
            self._paid_at.append(row.added_at if row.submitted_at is None else row.submitted_at)
            self._paid.append(float(row.cost))

    @property
    def failures(self) -> list[Reason]:
        """Why lines failed, the most frequent reason first."""
        return sorted(self._failed.values(), key=lambda reason: -reason.count)

    @property
    def parked(self) -> list[Reason]:
        """Why lines are parked, the most frequent reason first."""
        return sorted(self._parked.values(), key=lambda reason: -reason.count)

    @property
    def at_stake(self) -> Decimal:
        """US dollars that the undecided lines would cost, as far as their prices are known."""
        return sum((row.cost or Decimal(0) for row in self.undecided), Decimal(0))

    def spreads(self) -> list[Spread]:
        """The models' durations, the quickest first."""
        found = [_spread(model, parts) for model, parts in self._parts.items() if parts.whole]
        return sorted(found, key=lambda spread: spread.median)

    def spending(self, points: int = 300) -> list[tuple[float, float]]:
        """US dollars spent until a moment (Unix seconds), at no more than `points` moments, the last included."""
        order = sorted(range(len(self._paid)), key=self._paid_at.__getitem__)
        step = max(1, -(-len(order) // points))
        sums = list(_sums(self._paid[index] for index in order))
        chosen = sorted({*range(step - 1, len(order), step), *([len(order) - 1] if order else [])})
        return [(self._paid_at[order[place]], sums[place]) for place in chosen]

    def _span(self, row: Row) -> None:
        for moment in (row.submitted_at, row.ended_at):
            if moment is not None:
                self.begun = moment if self.begun is None else min(self.begun, moment)
                self.ended = moment if self.ended is None else max(self.ended, moment)

    def _took(self, row: Row) -> None:
        parts = self._parts.setdefault(row.model, Parts())
        stages = (row.queued, row.processing, row.downloading)
        for seconds, seen in zip(stages, (parts.queued, parts.processing, parts.downloading), strict=True):
            if seconds is not None:
                seen.append(seconds)
        known = [seconds for seconds in stages if seconds is not None]
        if known:
            parts.whole.append(sum(known))


def _sums(amounts: Iterator[float]) -> Iterator[float]:
    total = 0.0
    for amount in amounts:
        total += amount
        yield total


def _reason(groups: dict[tuple[str, str], Reason], row: Row) -> None:
    kind, words = row.kind or "unknown", readable(row.reason) or "no reason was given"
    name = (kind, alike(words)[:300])
    if name not in groups and len(groups) >= _GROUPS:
        name, kind, words = ("unknown", ""), "unknown", "other reasons"
    group = groups.setdefault(name, Reason(kind=kind, words=words))
    group.count += 1
    group.models[row.model] += 1
    if len(group.names) < _NAMED:
        group.names.append(f"line {row.number}" if row.key is None else str(row.key))


def _spread(model: str, parts: Parts) -> Spread:
    whole = parts.whole if len(parts.whole) > 1 else parts.whole * 2
    ends = [min(whole), max(whole)]
    return Spread(
        model=model,
        count=len(parts.whole),
        queued=_median(parts.queued),
        processing=_median(parts.processing),
        downloading=_median(parts.downloading),
        whole=[ends[0], *quantiles(whole, n=100, method="inclusive"), ends[1]],
    )


def _median(seconds: Sequence[float]) -> float | None:
    ordered = sorted(seconds)
    return ordered[len(ordered) // 2] if ordered else None
