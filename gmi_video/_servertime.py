"""The service's clock as far as it is known: ours plus an offset, and how wrong that may be."""

from datetime import UTC
from email.utils import parsedate_to_datetime

DATE_SLACK = 1.5
"""A `Date` header has whole seconds and was written while the reply was under way."""
WALL_SLACK = 300.0
"""How wrong this machine's own clock may be, where the service has not told its time yet."""


class ServerTime:
    """Learns from `Date` headers, else from `created_at` of accepted submissions, else trusts the wall clock."""

    def __init__(self, wall: float, now: float) -> None:
        self._offset = wall - now
        self.slack = WALL_SLACK
        self._from_date = False

    def at(self, now: float) -> float:
        """The service's Unix time at our `now`, right to `slack` seconds."""
        return now + self._offset

    def heard_date(self, header: str, now: float) -> None:
        """A reply with a `Date` came."""
        try:
            heard = parsedate_to_datetime(header)
        except (ValueError, TypeError):
            return
        aware = heard if heard.tzinfo else heard.replace(tzinfo=UTC)
        self._offset = aware.timestamp() + 0.5 - now
        self.slack = DATE_SLACK
        self._from_date = True

    def heard_created(self, created: float, sent: float, now: float) -> None:
        """A submission sent at `sent` and answered `now` was created at that time of the service's."""
        if self._from_date:
            return
        slack = (now - sent) / 2 + 1.0
        if slack < self.slack:
            self._offset = created + 0.5 - (sent + now) / 2
            self.slack = slack
