"""What a session spent, by the catalog's list prices: accepted requests, less those that were seen to fail."""

from decimal import Decimal

from attrs import define, field

from gmi_video.catalog import Cost
from gmi_video.records import Snapshot, Status

MOST = 100_000
"""Requests whose cost is remembered until they end, the newest; failed ones are not charged."""

_REFUNDED = frozenset({Status.FAILED, Status.CANCELLED})


@define(eq=False)
class Spending:
    """Adds up estimates in US dollars. `unpriced` counts accepted requests whose price is not known."""

    spent: Decimal = Decimal(0)
    unpriced: int = 0
    _open: dict[str, Cost | None] = field(init=False, factory=dict)

    def accepted(self, snapshot: Snapshot, cost: Cost | None) -> None:
        """A request of ours was accepted, and costs so much if it succeeds; told twice, it counts once."""
        if snapshot.request_id in self._open or snapshot.status in _REFUNDED:
            return
        self.spent += cost.dollars if cost else 0
        self.unpriced += cost is None
        if snapshot.final:
            return
        self._open[snapshot.request_id] = cost
        if len(self._open) > MOST:
            del self._open[next(iter(self._open))]

    def seen(self, snapshot: Snapshot) -> None:
        """A request ended: one that failed is not charged."""
        if snapshot.final and snapshot.request_id in self._open:
            cost = self._open.pop(snapshot.request_id)
            if snapshot.status in _REFUNDED:
                self.spent -= cost.dollars if cost else 0
                self.unpriced -= cost is None
