"""The service's clock as far as it is known: ours plus an offset, and how wrong that may be."""

from datetime import UTC
from email.utils import parsedate_to_datetime

DATE_SLACK = 1.5
"""A `Date` header has whole seconds and was written while the reply was under way."""
WALL_SLACK = 300.0
"""How wrong this machine's own clock may be, where the service has not told its time yet."""


class ServerTime:
    """Learns from `Date` headers, else from `created_at` of accepted submissions, else trusts the wall clock.

    What counts is the clock behind `created_at`. The edge that writes `Date` may have another one: where two
    acceptances in a row show that, `created_at` is believed, and `Date` no longer.
    """

    def __init__(self, wall: float, now: float) -> None:
        self._offset = self._wall = wall - now
        self.slack = WALL_SLACK
        self._from_date = False
        self._apart = False
        self._doubt: tuple[float, float] | None = None
        self._header = ""

    def at(self, now: float) -> float:
        """The service's Unix time at our `now`, right to `slack` seconds."""
        return now + self._offset

    @property
    def ahead(self) -> float | None:
        """Seconds by which the service's clock is ahead of the wall clock here; None until it was heard."""
        return None if self.slack == WALL_SLACK else self._offset - self._wall

    def when(self, moment: float) -> float:
        """Our time at a Unix time of the service's, right to `slack` seconds."""
        return moment - self._offset

    def heard_date(self, header: str, now: float) -> None:
        """A reply with a `Date` came; the first of those within one second says the most."""
        if self._apart or header == self._header:
            return
        self._header = header
        try:
            heard = parsedate_to_datetime(header)
        except (ValueError, TypeError, OverflowError):
            return
        aware = heard if heard.tzinfo else heard.replace(tzinfo=UTC)
        self._offset = aware.timestamp() + 0.5 - now
        self.slack = DATE_SLACK
        self._from_date = True

    def heard_created(self, created: float, sent: float, now: float) -> None:
        """A submission sent at `sent` and answered `now` was created at that time of the service's."""
        low, high = created - now, created + 1.0 - sent  # between these the true offset lies
        agrees = low - self.slack <= self._offset <= high + self.slack
        if self._from_date:
            again = self._doubt is not None and self._doubt[0] <= high and low <= self._doubt[1]
            self._doubt = None if agrees else (low, high)
            if agrees or not again:
                return
            self._from_date, self._apart = False, True
        slack = (now - sent) / 2 + 1.0
        if not agrees or slack < self.slack:
            self._offset = (low + high) / 2
            self.slack = slack
