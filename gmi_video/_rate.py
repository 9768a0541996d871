"""How fast and how many at once: the rate of an account and the windows of its calls. Pure: `now` is handed in."""

from collections import deque

FLOOR = 0.5
"""Calls per second below which no rate falls (AWS SDKs, adaptive retry)."""
CUT = 0.8
"""What a 429 leaves of the rate."""
CLIMB = 20.0
"""Seconds after which a cut rate is back where it was; then it slowly tries more (the shape of CUBIC)."""
RETURN = 6.0
"""The same after the service was away."""
LOW = 0.3
"""With what part of the good rate we come back then."""
BURST = 0.1
"""Seconds' worth of calls that may go at once where the rate was not used up."""
FORGET = 300.0
"""Seconds without a 429 after which a rate that nobody uses up is no limit any more."""
FADES = 60.0
"""Seconds in which the memory of the fastest moment fades to half."""
STEP = 0.5
"""Seconds over which calls are counted."""


class Meter:
    """How many calls per second went out lately."""

    def __init__(self) -> None:
        self.peak = 0.0
        self._value = 0.0
        self._since = float("-inf")
        self._count = 0

    def value(self, now: float) -> float:
        """Calls per second now; of a burst that has only begun, what half a second of it is."""
        span = now - self._since
        return self._value if span > 4 * STEP else max(self._value, self._count / max(span, STEP))

    def mark(self, now: float) -> None:
        """A call went out."""
        span = now - self._since
        if span >= STEP:
            latest = self._count / span
            keep = 0.0 if span > 4 * STEP else 0.4
            self._value = keep * self._value + (1 - keep) * latest
            faded = self.peak * 0.5 ** (min(span, 1e6) / FADES)
            self.peak = max(self._value, faded)
            self._since, self._count = now, 0
        self._count += 1


class Rate:
    """Calls per second of one account: no limit until the first 429, then a curve around the last good rate.

    `ceiling` is the user's own limit, kept whatever the service allows.
    """

    def __init__(self, ceiling: float | None = None) -> None:
        self.ceiling = ceiling
        self.meter = Meter()
        self._good = 0.0
        self._from = 0.0
        self._climb = CLIMB
        self._turned: float | None = None
        self._heard = 0.0
        self._credit = 1.0
        self._at = 0.0
        self._wanted = False

    def limit(self, now: float) -> float | None:
        """Calls per second allowed now, or None."""
        if self._turned is None:
            return self.ceiling
        rise = (now - self._turned) / self._climb
        learnt = self._good - (self._good - self._from) * (1 - rise) ** 3
        learnt = max(FLOOR, learnt)
        return learnt if self.ceiling is None else min(learnt, self.ceiling)

    def ready_at(self, now: float) -> float:
        """When the next call may go; not later than `now` means at once."""
        limit = self.limit(now)
        if limit is None:
            return now
        missing = 1 - self._filled(now, limit) - 1e-9
        return now + max(0.0, missing) / limit

    def spend(self, now: float) -> None:
        """A call goes out."""
        self.meter.mark(now)
        limit = self.limit(now)
        if limit is None:
            return
        self._credit = self._filled(now, limit) - 1
        self._at = now

    def throttled(self, begun: float, now: float) -> None:
        """A 429 came that speaks of the account: the rate is cut, once for all calls of that moment, and climbs."""
        if self._turned is not None and begun <= self._turned:
            return
        limit = self.limit(now) if self._turned is not None else None
        spent = self.meter.value(now)
        self._good = max(FLOOR, spent if limit is None else limit if self._wanted else min(limit, spent))
        self._from, self._climb = CUT * self._good, CLIMB
        self._turned = self._heard = now
        self._credit, self._at = 0.0, now

    def was_good(self, now: float) -> float:
        """The rate to come back to after the service was away."""
        peak = max(self.meter.peak, self.meter.value(now))
        limit = self.limit(now)
        return peak if limit is None else min(limit, peak)

    def recover(self, now: float, good: float) -> None:
        """The service is back: starts low and climbs to what was good before, without a herd."""
        self._good = max(FLOOR, good)
        self._from, self._climb = LOW * self._good, RETURN
        self._turned = self._heard = now
        self._credit, self._at = 0.0, now

    def quiet(self, now: float, *, waiting: bool) -> None:
        """Forgets a limit that nobody has run into for long."""
        self._wanted = waiting
        if waiting:
            self._heard = max(self._heard, now - FORGET / 2)
        elif self._turned is not None and now - self._heard > FORGET:
            self._turned = None

    def _filled(self, now: float, limit: float) -> float:
        most = 1.0 if limit == self.ceiling else max(1.0, BURST * limit)
        return min(most, self._credit + (now - self._at) * limit)


class Window:
    """How many calls may be under way at once: doubles until the first sign of trouble, then creeps."""

    def __init__(self, first: int, most: int) -> None:
        self.most = most
        self.size = float(min(first, most))
        self.flying = 0
        self.touched = False
        self._full = 0
        self._quick_to = float(most)
        self._cut_at = float("-inf")

    def has_room(self) -> bool:
        """Whether one more may go."""
        return self.flying < int(self.size)

    def enter(self) -> None:
        """One more goes."""
        self.flying += 1
        if self.flying >= int(self.size):
            self._full = self.flying

    def grow(self) -> None:
        """A call went well; the window grows only by those who were under way when it was full."""
        if self._full and self.size < self.most:
            self._full -= 1
            self.size = min(self.size + (1.0 if self.size < self._quick_to else 1 / self.size), self.most)

    def cut(self, begun: float, now: float, factor: float) -> bool:
        """Trouble with a call that began at `begun`; False where it was already accounted for."""
        if begun <= self._cut_at:
            return False
        self._cut_at, self.touched = now, True
        self._quick_to = self.size = max(1.0, self.size * factor)
        return True

    def narrow(self, now: float) -> None:
        """The service is away: one at a time."""
        self._quick_to = max(self.size, self._quick_to)
        self._cut_at, self.touched, self.size = now, True, 1.0

    def reopen(self, size: int) -> None:
        """The service is back: doubles again, up to where it was."""
        self.size = float(min(size, self.most))


class Sliding:
    """At most `limit` in any `interval` seconds, as the service counts."""

    def __init__(self, limit: int, interval: float) -> None:
        self.limit = limit
        self.interval = interval
        self.times: deque[float] = deque(maxlen=limit)

    def ready_at(self) -> float:
        """When the next one fits."""
        return self.times[0] + self.interval if len(self.times) == self.limit else 0.0
