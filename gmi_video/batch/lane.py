"""One model's way into the queue: how many of its lines may stand there at once, and when it is asked again. Pure."""

from collections import deque

from attrs import define, field

from gmi_video.batch.verdict import pause
from gmi_video.batch.work import Line
from gmi_video.errors import GmiVideoError
from gmi_video.records import Kind

UNPROVEN = 4
"""Requests that a model may have while none of its own was seen to leave the queue: some accept and never run."""
STANDING = 32
"""Submissions of a model that stand before the account's limits at once."""


@define(eq=False)
class Lane:
    """The state of one model in a run.

    `again` are lines that came back, `ahead` those that were read ahead; `after` is how far the journal was read.
    `held`: a line is being made ready; `out` counts its accepted lines while it is unproven, `standing` its
    submissions under way. `closed` is why its lines are set aside, where they are; `turned` counts how often what was
    read, or is being read, is to be read anew.
    """

    model: str
    proven: bool = False
    again: deque[Line] = field(factory=deque)
    ahead: deque[Line] = field(factory=deque)
    after: int = 0
    dry: bool = False
    held: bool = False
    standing: int = 0
    out: int = 0
    troubles: int = 0
    until: float = 0.0
    dead: bool = False
    refused: bool = False
    closed: tuple[Kind, GmiVideoError] | None = None
    turned: int = 0

    def reread(self) -> None:
        """What was read ahead is to be read anew, for something that concerns it has changed."""
        if self.ahead:
            self.begin(self.ahead[0].number - 1)

    def begin(self, after: int = 0) -> None:
        """Its lines are read anew, those behind a number."""
        self.ahead.clear()
        self.after, self.dry = after, False
        self.turned += 1

    def may_send(self, now: float, share: int) -> bool:
        """Whether one more may be sent now. A model in trouble is asked by one at a time."""
        if self.dead or self.refused or now < self.until or self.standing >= min(share, STANDING):
            return False
        if self.troubles and self.standing:
            return False
        return self.proven or self.out + self.standing < UNPROVEN

    def trouble(self, now: float, share: float, asked: float | None) -> None:
        """It could not be reached, or has no room: nobody asks it for a while, or as long as it asked for."""
        if now >= self.until:
            self.troubles += 1
            self.until = now + max(pause(self.troubles, share), asked or 0.0)

    def fine(self) -> None:
        """It took one."""
        self.troubles, self.until = 0, 0.0
