"""Whether a body still comes: a rule about bytes and seconds of waiting, no clock."""

from attrs import define

STALL = 30.0
"""Seconds of waiting within which a body has to bring something."""
SLOWEST = 1024
"""Bytes per second below which, for `STALL` seconds, a body counts as stalled: no link that works is so slow."""


@define
class Pulse:
    """Counts what came against the time that was waited for it. What the reader itself takes does not count."""

    _waited: float = 0.0
    _came: int = 0

    @property
    def patience(self) -> float:
        """Seconds that may still be waited for the next piece."""
        return max(0.0, STALL - self._waited)

    def beat(self, waited: float, size: int) -> None:
        """A piece came; enough of them begin the count anew."""
        self._waited += waited
        self._came += size
        if self._came >= SLOWEST * STALL:
            self._waited, self._came = 0.0, 0
