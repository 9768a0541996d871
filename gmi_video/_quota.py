"""One model's submissions: the limit that the service states, and its quiet times. Pure: `now` is handed in."""

from collections import deque
from random import Random

from gmi_video._rate import Sliding

CAREFUL = 0.95
"""How much of a stated limit is used: our clock and the service's do not tick alike."""
PARKED_AFTER = 60.0
"""Seconds of nothing but 429 and 503 after which a model is only probed."""
PROBES = (15.0, 300.0)
"""Seconds between probes of a parked model: at first, and at most."""
STEPS = (1.0, 15.0)
"""Seconds before the next try of a model that refuses without saying for how long: at first, and at most."""
MOST_RECENT = 256
LONGEST = 3600.0
"""Seconds that a service may ask for before a probe is made all the same."""
AFTER_RPM = 20.0
"""Seconds after a request that ended with "rate limit exceeded(RPM)": that long was enough in the field."""


class Quota:
    """When the next submission of one model may go."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._recent: deque[float] = deque(maxlen=MOST_RECENT)
        self._stated: Sliding | None = None
        self._closed = 0.0
        self._refused_since: float | None = None
        self._refused_at = float("-inf")
        self._refusals = 0
        self._pace = STEPS
        self.proven = False
        self.outstanding: dict[str, None] = {}
        self.promised = 0
        self.flying = 0

    @property
    def parked(self) -> bool:
        """Whether nothing but single probes goes."""
        return self._refusals > 0

    def ready_at(self) -> float:
        """When the next one may go; infinite while an answer decides."""
        if self._refusals and self.flying:
            return float("inf")  # the probe's answer decides
        return max(self._closed, self._stated.ready_at() if self._stated else 0.0)

    def crowded(self, unproven: int | None) -> bool:
        """Whether as many run as a model may have that was never seen to run anything."""
        return (
            unproven is not None
            and not self.proven
            and len(self.outstanding) + self.promised + self.flying >= unproven
        )

    def sent(self, now: float) -> None:
        """A submission goes out."""
        self.flying += 1
        self._recent.append(now)
        if self._stated:
            self._stated.times.append(now)

    def accepted(self) -> None:
        """The service took one: whatever was wrong is over."""
        self._refusals, self._refused_since = 0, None

    def refused(
        self, begun: float, now: float, retry_after: float | None, limit: int | None, interval: float | None
    ) -> None:
        """A 429 or 503 for this model: it states its limit, or it is tried again ever more rarely."""
        if begun in self._recent:
            self._recent.remove(begun)
        if limit and interval:
            self._state(limit, interval / CAREFUL)
            self._close(now, min(retry_after if retry_after is not None else interval, LONGEST))
            return
        if begun <= self._refused_at:
            self._close(now, min(retry_after or 0.0, LONGEST))
            return  # it left before the last refusal came: the same trouble
        self._refused_at = now
        self._refused_since = now if self._refused_since is None else self._refused_since
        first, most = PROBES if now - self._refused_since >= PARKED_AFTER else STEPS
        self._refusals = min(self._refusals + 1, 30) if (first, most) == self._pace else 1
        self._pace = first, most
        wait = min(most, first * 2 ** (self._refusals - 1)) * self._rng.uniform(0.5, 1.0)
        self._close(now, max(wait, min(retry_after or 0.0, LONGEST)))

    def _close(self, now: float, wait: float) -> None:
        """Not before `wait` is over, and up to a tenth later, so that those told the same do not come together."""
        self._closed = max(self._closed, now + wait * self._rng.uniform(1.0, 1.1))

    def ended_by_rate(self, moment: float) -> None:
        """A request of this model ended at `moment`, failed with the words of a rate limit."""
        self._closed = max(self._closed, moment + AFTER_RPM)

    def _state(self, limit: int, interval: float) -> None:
        if self._stated and (self._stated.limit, self._stated.interval) == (limit, interval):
            return
        self._stated = Sliding(limit, interval)
        self._stated.times.extend(self._recent)
