"""Whether a list pays: what its pages stand for against what they cost, and how long it is left alone where not."""

from gmi_video._sweep import Sweep

LEAST = 16
"""Ids of one model that must be followed before its list is tried."""
BYTES = 65_536
"""A page of so many bytes costs as much again as the call itself."""
YOUNG = 15.0
"""Seconds until a list is tried again that did not show what was too new for it: its copies lag."""
RETRY = (300.0, 3600.0)
"""Seconds until a list that did not pay is tried again: at first, and at most."""
POOR_SWEEPS = 3
"""Sweeps in a row after which they are given up, where they cost more than the looks that they stand for."""
FADE = 0.25
"""How much one sweep counts in what sweeps were worth lately: a few ids that are not where they should be are no reason
to give up the list for all others."""
FADING = 0.7
"""What counts of the sweeps before, when it is asked whether pages come slower than looks would."""
SLOW = 10.0
"""Seconds of delay, over several ends, below which that is not asked: a single page may be late."""


class Worth:
    """What the sweeps of one list brought lately. `off_until` is when it may be tried again."""

    def __init__(self) -> None:
        self.off_until = float("-inf")
        self._lately = 0.0
        self._poor = 0
        self._late = 0.0
        self._saved = 0.0
        self._tries = 0

    def pays(self, sweep: Sweep, now: float, *, look: float, worth: float, young: bool = False) -> bool:
        """Takes a walk into account; False where the list is left alone from now on.

        A look takes `look` seconds, and is worth `worth` seconds of delay; all that were sought may be too `young`.
        """
        if young and not sweep.seen and not sweep.fault:
            self.off_until = now + YOUNG
            return False
        cost = sweep.pages + sweep.size / BYTES
        self._lately += FADE * (len(sweep.seen) - cost - self._lately)
        self._poor = self._poor + 1 if self._lately < 0 else 0
        self._late = FADING * self._late + sweep.ended * max(0.0, sweep.slowest - look)
        self._saved = FADING * self._saved + max(0.0, len(sweep.seen) - cost) * worth
        slow = self._late > self._saved and self._late > SLOW
        useless = sweep.left >= LEAST and not sweep.seen and self._lately < LEAST
        if sweep.fault or slow or useless or self._poor >= POOR_SWEEPS:
            self.refuse(now)
            return False
        self._tries = 0
        return True

    def refuse(self, now: float) -> None:
        """The list is of no use: ids are looked at alone for a while, longer each time."""
        first, most = RETRY
        self.off_until = now + min(most, first * 2**self._tries)
        self._tries = min(self._tries + 1, 10)
        self._poor = 0
        self._lately = self._late = self._saved = 0.0

    def allow(self) -> None:
        """Much has changed since the list was of no use: it may be tried again."""
        self.off_until = float("-inf")
