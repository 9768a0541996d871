"""What a session may still spend on repeating calls: where everything fails, patience must not multiply the load.

A bucket of tokens, after the AWS SDKs' standard mode: a repetition takes some out, success puts them back. Only
calls that cost nothing are repeated from it. What never reached the service is not its load, and takes nothing.
"""

from gmi_video.errors import GmiVideoError, RateLimited, Unreachable

FULL = 500.0
"""Tokens in a full bucket."""
TRANSIENT = 14.0
"""What repeating a call takes that broke, timed out or met a 5xx."""
THROTTLED = 5.0
"""What repeating a call takes that met a 429: the service said when, so the repetition is likely to be heard."""
CLEAN = 1.0
"""What a call gives back that went well at once."""


class Budget:
    """The repetitions that are left to all calls of a session."""

    def __init__(self) -> None:
        self.left = FULL

    def spend(self, error: GmiVideoError) -> float | None:
        """The tokens taken for repeating a call that failed so, or None where there are not enough."""
        if isinstance(error, Unreachable):
            return 0.0
        price = THROTTLED if isinstance(error, RateLimited) else TRANSIENT
        if price > self.left:
            return None
        self.left -= price
        return price

    def refund(self, spent: float) -> None:
        """A call went well: its last repetition's tokens come back, and that of a call that needed none gives one."""
        self.left = min(FULL, self.left + (spent or CLEAN))
