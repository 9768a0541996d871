"""How long a request will still take, as far as the session has learnt it: a frozen value to draw from."""

from bisect import bisect_right

from attrs import field, frozen

from gmi_video.records import Record

_MARKS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
_ALMOST = 0.999


@frozen(kw_only=True)
class Estimate(Record):
    """How long requests of a model take, from `seen` of them that ended. All times are seconds.

    It does not change, so a page may draw a bar between two events by asking it again with more `elapsed`.
    `quantiles` are the durations below which 1, 5, 10, 20, … 90, 95 and 99 of 100 requests end.
    """

    model: str
    seen: float
    quantiles: tuple[float, ...] = field(repr=False)

    @property
    def median(self) -> float:
        """Half of the requests take no longer."""
        return self.quantiles[6]

    @property
    def usual(self) -> tuple[float, float]:
        """Eight of ten requests end between these."""
        return self.quantiles[2], self.quantiles[10]

    def fraction(self, elapsed: float) -> float:
        """How far along a request is that has run for `elapsed` seconds: never falls, never reaches 1.

        Nine tenths stand for the time in which nine of ten requests end; the rest is approached and not reached.
        """
        long = max(self.quantiles[10], 1e-9)
        if elapsed <= long:
            return 0.9 * max(elapsed, 0.0) / long
        return min(1 - 0.1 * long / elapsed, _ALMOST)

    def remaining(self, elapsed: float) -> tuple[float, float]:
        """Seconds that are left of a request that has run for `elapsed`: eight of ten end between these."""
        alive = self._alive(max(elapsed, 0.0))
        low, high = self._when(0.9 * alive), self._when(0.1 * alive)
        return max(low - elapsed, 0.0), max(high - elapsed, 0.0)

    def _alive(self, elapsed: float) -> float:
        """The share of requests that run longer than `elapsed`."""
        times = (0.0, *self.quantiles)
        shares = (0.0, *_MARKS)
        after = bisect_right(times, elapsed)
        if after == len(times):  # as if the last hundredth ended like 1/t: seldom, and ever more seldom
            return (1 - shares[-1]) * max(times[-1], 1e-9) / max(elapsed, 1e-9)
        step = times[after] - times[after - 1]
        part = (elapsed - times[after - 1]) / step if step > 0 else 0.0
        return 1 - shares[after - 1] - part * (shares[after] - shares[after - 1])

    def _when(self, alive: float) -> float:
        """The duration that a share of `alive` requests exceed."""
        times = (0.0, *self.quantiles)
        shares = (0.0, *_MARKS)
        ended = 1 - alive
        after = bisect_right(shares, ended)
        if after == len(shares):
            return times[-1] * (1 - shares[-1]) / max(alive, 1e-9)
        part = (ended - shares[after - 1]) / (shares[after] - shares[after - 1])
        return times[after - 1] + part * (times[after] - times[after - 1])


MARKS = _MARKS
"""The shares of ended requests that `Estimate.quantiles` are the durations of."""
