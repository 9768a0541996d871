"""How fast each model's lines end, lately. Pure."""

from collections import deque
from collections.abc import Mapping

from attrs import frozen

from gmi_video.batch.records import BatchStatistics, Tally

WINDOW = 120.0
"""Seconds over which a rate is taken: some models take minutes for a line."""
_STEP = 1.0
"""Seconds between the counts that are remembered."""


@frozen
class Pace:
    """Lines that end each second, and seconds until a model's last one at that."""

    rate: float
    left: float


class Rates:
    """Remembers how many lines had ended when."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, Mapping[str, int]]] = deque()

    def take(self, statistics: BatchStatistics, now: float) -> Mapping[str, Pace]:
        """The pace of each model of which a line has ended lately."""
        ended = {model: tally.done + tally.failed for model, tally in statistics.models.items()}
        if not self._seen or now - self._seen[-1][0] >= _STEP:
            self._seen.append((now, ended))
        while len(self._seen) > 1 and self._seen[0][0] < now - WINDOW:
            self._seen.popleft()
        begun, before = self._seen[0]
        paces = {}
        for model, tally in statistics.models.items():
            more = ended[model] - before.get(model, 0)
            if more > 0 and now > begun:
                rate = more / (now - begun)
                paces[model] = Pace(rate, _open(tally) / rate)
        return paces


def _open(tally: Tally) -> int:
    return tally.waiting + tally.submitting + tally.running + tally.saving
