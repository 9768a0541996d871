"""How long requests of one model live: a mergeable histogram of ages, and the law of life that it shows.

Ages fall into bins an eighth of an octave wide, so that a second and a day cost the same few bytes. Of each bin
is kept how long requests were alive in it, in widths of the bin, and how many ended in it: those that still run
count as well, else the first to end would make every model look fast.
"""

from collections.abc import Mapping
from itertools import accumulate, pairwise
from math import exp, log, log2
from typing import Any

PER_OCTAVE = 8
FIRST = 1.0
"""Seconds up to which all ages are one bin."""
BINS = 138
"""Up to 36 hours; what lives longer is in the last bin."""
EDGES = (0.0, *(FIRST * 2 ** (index / PER_OCTAVE) for index in range(BINS)))
"""Where the bins begin, in seconds, and where the last one ends."""
MOST = 4096
"""Ended requests after which all counts are halved: what was learnt long ago fades."""
DOUBT = 0.5
"""How many requests our guess is worth where nothing was seen: half of those that run end in the next octave."""
_GUESS = log(2) / PER_OCTAVE
_WIDTHS = tuple(after - before for before, after in pairwise(EDGES))
_NAMES = ("ended", "parts", "steps")
_KERNELS = ((30, (1, 2, 3, 4, 3, 2, 1)), (200, (1, 2, 3, 2, 1)), (float("inf"), (1, 2, 1)))


def bin_of(age: float) -> int:
    """The bin that an age falls into."""
    if age < FIRST:
        return 0
    return min(BINS - 1, 1 + int(PER_OCTAVE * log2(age / FIRST)))


class Lifetimes:
    """What was seen of one model's requests: `total` ended, the shortest of them after `least` seconds."""

    def __init__(self) -> None:
        self.total = 0.0
        self.least = float("inf")
        self._ended = [0.0] * BINS
        self._parts = [0.0] * BINS
        self._steps = [0.0] * (BINS + 1)

    def lived(self, since: float, age: float, number: float = 1.0) -> None:
        """So many requests were alive from the age `since` to `age`."""
        first, last = bin_of(since), bin_of(age)
        if first == last:
            self._parts[first] += number * (age - since) / _WIDTHS[first]
            return
        self._parts[first] += number * (EDGES[first + 1] - since) / _WIDTHS[first]
        self._parts[last] += number * (age - EDGES[last]) / _WIDTHS[last]
        self._steps[first + 1] += number
        self._steps[last] -= number

    def ended(self, since: float, age: float) -> None:
        """A request that was alive at the age `since` ended at `age`."""
        if age > since:
            self.lived(since, age)
        self.least = min(self.least, age)
        self._ended[bin_of(age)] += 1
        self.total += 1
        if self.total > MOST:
            self.total /= 2
            for row in (self._ended, self._parts, self._steps):
                row[:] = [count / 2 for count in row]

    def merge(self, other: "Lifetimes") -> None:
        """Takes in what another histogram saw."""
        self.total += other.total
        self.least = min(self.least, other.least)
        for mine, theirs in zip(self.rows(), other.rows(), strict=True):
            mine[:] = [own + more for own, more in zip(mine, theirs, strict=True)]

    def hazards(self) -> list[float]:
        """For each bin the chance that a request which enters it ends in it."""
        kernel = next(kernel for limit, kernel in _KERNELS if self.total < limit)
        reach = len(kernel) // 2
        lived = [
            part + whole for part, whole in zip(self._parts, accumulate(self._steps[:BINS]), strict=True)
        ]
        doubt = DOUBT * sum(kernel)
        chances = []
        for index in range(BINS):
            died, stood = doubt * _GUESS, doubt
            for weight, near in zip(kernel, range(index - reach, index + reach + 1), strict=True):
                if 0 <= near < BINS:
                    died += weight * self._ended[near]
                    stood += weight * lived[near]
            chances.append(1 - exp(-died / stood))
        return chances

    def rows(self) -> tuple[list[float], ...]:
        """What is counted, bin by bin: ended, lived in parts of bins, and steps into and out of whole bins."""
        return self._ended, self._parts, self._steps

    def quantile(self, share: float, chances: list[float]) -> float:
        """The age by which `share` of the requests have ended, by the chances of `hazards`."""
        left = 1.0
        for index, chance in enumerate(chances):
            after = left * (1 - chance)
            if 1 - after >= share:
                part = (left - (1 - share)) / (left - after)
                return EDGES[index] + part * (EDGES[index + 1] - EDGES[index])
            left = after
        return EDGES[-1]

    def as_data(self) -> dict[str, Any]:
        """The histogram as JSON-able data: only the bins that hold anything."""
        rows = ({str(at): round(count, 3) for at, count in enumerate(row) if count} for row in self.rows())
        least = {} if self.least == float("inf") else {"least": round(self.least, 3)}
        return {"total": round(self.total, 3), **least, **dict(zip(_NAMES, rows, strict=True))}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Lifetimes":
        """The histogram that `as_data` wrote; raises `ValueError`, `KeyError` or `TypeError` for anything else."""
        found = cls()
        found.total = float(data["total"])
        found.least = float(data.get("least", 0.0))  # where it was not written nothing is known of it
        if not 0 <= found.least <= 2 * EDGES[-1]:
            message = f"no request takes {found.least} s"
            raise ValueError(message)
        for row, name in zip(found.rows(), _NAMES, strict=True):
            for place, count in data[name].items():
                least = -(MOST**2) if name == "steps" else 0  # steps out of a bin are negative
                if not 0 <= int(place) < len(row) or not least <= count <= MOST**2:
                    message = f"{name} has no bin {place} of {count}"
                    raise ValueError(message)
                row[int(place)] = float(count)
        if not 0 <= found.total <= 2 * MOST:
            message = f"{found.total} requests are not what this histogram holds"
            raise ValueError(message)
        return found
