"""One walk through a part of the list that stands for many looks: which page next, and when it is enough. Pure.

The service promises neither an order nor a longest page nor that `has_more` is there, so the walk believes only
what the pages themselves show.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Literal, NamedTuple

from attrs import define, field, frozen

from gmi_video.records import Snapshot

PROBES = 6
"""Pages that may be read without a hit, in search of the right place."""
ENOUGH = 0.75
"""Of the wanted ids, seen amid others, after which the rest is not sought on more pages."""
POOR = 0.02
"""Of an unfiltered page so many records must be of interest, else it was read in vain."""
WORTH = 4
"""Pages full of unknown ids for which one unfiltered page may be read in vain before the walk ends."""
BACK = 4
"""Pages whose ids are remembered, to notice a list that does not turn them."""


class Listed(NamedTuple):  # a page has a hundred, and a frozen class takes three times as long to make
    """One record of a page: `snapshot` is None where nothing changed, or nobody follows it. Unix seconds.

    `alone` are those of the unchanged that no page stands for, as a rule.
    """

    request_id: str
    created: float | None
    snapshot: Snapshot | None = None
    alone: bool = False


@frozen(kw_only=True)
class Sheet:
    """One page, read for a sweep: `size` in bytes, `seconds` from call to reply."""

    records: tuple[Listed, ...]
    skipped: int = 0
    total: int | None = None
    more: bool | None = None
    size: int = 0
    seconds: float = 0.0


@define(eq=False)
class Sweep:
    """The walk for some ids of one model (newest first, created from `newest` back to `oldest`), or of all models.

    Of all models up to `most` records are asked for, where pages come full. `wanted` may lose ids while it is walked: `left` is how many there were (of all models it may grow as well). `seen` are those listed, `first` and `last` the positions of the first and the last, `ended` how many of them are new ends, and `given` the records of the longest page.
    """

    model: str | None
    wanted: Mapping[str, object]
    left: int
    offset: int
    limit: int
    most: int = 0
    newest: float = float("inf")
    oldest: float = float("-inf")
    seen: set[str] = field(factory=set)
    pages: int = 0
    size: int = 0
    count: int = 0
    given: int = 0
    slowest: float = 0.0
    ended: int = 0
    first: int | None = None
    last: int | None = None
    longest: int | None = None
    fault: Literal["unordered", "repeats"] | None = None
    done: bool = False
    _probes: int = 0
    _younger: int = 0
    _older: float = float("inf")
    _top: tuple[int, float] | None = None
    _bottom: tuple[int, float] | None = None
    _vain: int = 0
    _short: tuple[int, int] | None = None
    _read: deque[set[str]] = field(factory=lambda: deque(maxlen=BACK))
    _spans: list[tuple[int, int]] = field(factory=list)

    def read(self, sheet: Sheet) -> None:
        """Takes a page; `done` says whether it was the last, else `offset` and `limit` name the next."""
        records = sheet.records
        self.pages += 1
        self.size += sheet.size
        self.count += len(records) + sheet.skipped
        names = {listed.request_id for listed in records}
        records = records if len(names) == len(records) else _once(records)
        length = len(records) + sheet.skipped
        self.given = max(self.given, length)
        self.slowest = max(self.slowest, sheet.seconds)
        fresh = names.difference(*self._read)
        self._read.append(names)
        if fresh:
            self._spans.append((self.offset, self.offset + length))
        hits, wanted, seen = 0, self.wanted, self.seen
        for position, (request_id, _, snapshot, _) in enumerate(records, self.offset):
            if request_id not in wanted or request_id in seen:
                continue
            seen.add(request_id)
            hits += 1
            if snapshot is not None:
                self.ended += snapshot.final
            if self.first is None or position < self.first:
                self.first = position
            if self.last is None or position > self.last:
                self.last = position
        whole = sheet.more is not True and (
            sheet.total <= self.offset + length if sheet.total is not None else sheet.more is False
        )
        self._measure(sheet, 0 if whole else length, fresh=bool(fresh))
        enough = hits >= len(self.wanted) if self.model is None else len(self.seen) >= self.left
        if not length and self.offset and self.model is not None and self._probes < PROBES:
            self._probes += 1
            self._back(self.limit if sheet.total is None else max(self.limit, self.offset - sheet.total))
            return
        if enough or not fresh or (whole and (self.model is None or not self.offset)):
            self._end("repeats" if records and not (fresh or whole) and self._is_elsewhere(length) else None)
            return
        created = [listed.created for listed in records if listed.created is not None]
        ordered = len(created) == len(records) and all(after <= before for before, after in pairwise(created))
        if not ordered:
            self._end("unordered")
        elif self.model is None:
            self.offset += length
            self.limit = max(self.limit, min(2 * self.limit, self.most)) if length >= self.limit else length
            self._vain = 0 if hits >= POOR * length else self._vain + 1
            self.done = self._vain > len(self.wanted) // (WORTH * length)
        else:
            self._turn(created[0], float("-inf") if whole else created[-1], length, hits)

    def _measure(self, sheet: Sheet, length: int, *, fresh: bool) -> None:
        """How long pages are, where more was asked for: a short one tells it if the list goes on behind it."""
        if self._short is not None and fresh and self.offset >= self._short[0]:
            self.longest = max(self.longest or 0, self._short[1])
        self._short = None
        if 0 < length < self.limit:
            if sheet.total is not None or sheet.more is not None:
                self.longest = max(self.longest or 0, length)
            else:
                self._short = self.offset + length, length

    def _is_elsewhere(self, length: int) -> bool:
        """Whether what this page shows cannot be what was read before: not a part that was, nor the end of the list.

        A few known ones at its end only say that others came meanwhile.
        """
        near = any(begin < self.offset + length and self.offset < end for begin, end in self._spans)
        return length >= self.given and not near

    def _turn(self, first: float, last: float, length: int, hits: int) -> None:
        """Where to read next, from the times of the page's first and last record."""
        self._probes = 0 if hits else self._probes + 1
        if self._probes >= PROBES:
            self.done = True
        elif last > self.newest:
            self._younger = max(self._younger, self.offset + length)
            self.offset += self._jump(last - self.newest, first - last, length)
        elif first < self.oldest:
            span = max(first - last, 1.0) if last > float("-inf") else 1.0
            self._back(self._jump(self.newest - first, span, length))
        else:
            self._widen(first, last, length)

    def _back(self, step: int) -> None:
        """From here on all is older than what is wanted, or there is nothing."""
        self._older = min(self._older, self.offset)
        self.done = self.offset == 0
        self.offset = max(0, self.offset - step)

    def _widen(self, first: float, last: float, length: int) -> None:
        """The page touches the span: down to its end, then up to its beginning."""
        begin, end = self.offset, self.offset + length
        if self._top is None or begin < self._top[0]:
            self._top = begin, first
        if self._bottom is None or end > self._bottom[0]:
            self._bottom = end, last
        up = self._top[0] > self._younger and self._top[1] <= self.newest
        down = self._bottom[0] < self._older and self._bottom[1] >= self.oldest
        heads = self.first is not None and self.first <= self._top[0]
        tails = self.last is not None and self.last >= self._bottom[0] - 1
        crowded = self._top[1] - self._bottom[1] <= 1.0  # the place is not told by the time
        if crowded and not (heads or tails) and ENOUGH * self.left <= len(self.seen):
            self.done = True
        elif down and (tails or not (up and heads)):
            self.offset = self._bottom[0]
        elif up:
            self.offset = max(0, self._top[0] - self.limit)
        else:
            self.done = True

    @staticmethod
    def _jump(distance: float, span: float, length: int) -> int:
        """How many records lie in `distance` seconds, if they are as dense as on this page."""
        return max(length, min(int(length * distance / span), 50 * length)) if span > 0 else length

    def _end(self, fault: Literal["unordered", "repeats"] | None) -> None:
        self.fault = fault
        self.done = True


def _once(records: Iterable[Listed]) -> tuple[Listed, ...]:
    """Records of which some are repeated: an id's place is where it comes first."""
    firsts: dict[str, Listed] = {}
    for listed in records:
        firsts.setdefault(listed.request_id, listed)
    return tuple(firsts.values())
