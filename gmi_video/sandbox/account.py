"""One account's credit and its rate limits. Pure: the time is told."""

import heapq
from collections import deque

from attrs import define, field


@define
class Account:
    """Credit in micro-USD (None: it never runs out) and a sliding window of submissions per model.

    A price is held when a request is accepted and comes back where the request fails; the moment of a
    failure is known when the request is taken in, so a refund waits in a heap until its time.
    """

    balance: int | None = None
    _refunds: list[tuple[float, int]] = field(init=False, factory=list)
    _windows: dict[str, deque[float]] = field(init=False, factory=dict)

    def credit(self, now: float) -> int | None:
        """What is left at `now`."""
        while self._refunds and self._refunds[0][0] <= now:
            _, price = heapq.heappop(self._refunds)
            if self.balance is not None:
                self.balance += price
        return self.balance

    def affords(self, price: int, now: float) -> bool:
        """True where `price` can be held; decided per price, so cheap models go on when dear ones stop."""
        left = self.credit(now)
        return left is None or price <= left

    def hold(self, price: int, refund_at: float | None) -> None:
        """Takes `price`, to be given back at `refund_at` where the request is going to fail."""
        if self.balance is not None:
            self.balance -= price
        if refund_at is not None:
            heapq.heappush(self._refunds, (refund_at, price))

    def wait_for(self, model: str, limit: int, interval: float, now: float) -> float:
        """Seconds until the next submission of `model` fits `limit` per `interval`; 0: it fits, and counts."""
        window = self._windows.setdefault(model, deque())
        while window and window[0] <= now - interval:
            window.popleft()
        if len(window) < limit:
            window.append(now)
            return 0.0
        return window[len(window) - limit] + interval - now
