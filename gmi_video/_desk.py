"""One model's lost submissions as they stand, and what one reading of the list means for each of them."""

import asyncio

from attrs import define, evolve, field

from gmi_video._fence import Fence
from gmi_video._matter import CREATED_SLACK, DRIFT, Finding
from gmi_video._servertime import ServerTime
from gmi_video.ledger import Intent, Store

SPACING = 2.0
"""Seconds between two reads of one model's list, at least; and between the first two for one submission."""
GROWTH = 1.5
LONGEST = 15.0
"""The spacing for one submission grows by the factor, up to so many seconds."""
READS = 3
"""Complete reads without a trace that absence needs, besides the time to settle."""

ABSENT = "complete lists over the whole time to settle showed no trace of it"
CLOSED = "the session was closed before it was found"


@define(eq=False)
class Timed:
    """An intent of this session's, with the loop's times of its sending and of the answer that proved nothing.

    The service's time of both is told anew at each reading: it is learnt better meanwhile. `moment` counts
    its first sending among what this session saw.
    """

    intent: Intent
    since: float | None = None
    until: float | None = None
    moment: int | None = None

    def by(self, clock: ServerTime) -> Intent:
        """The intent by what is known of the service's clock now."""
        if self.since is None:
            return self.intent
        ended = None if self.until is None else clock.at(self.until)
        return evolve(self.intent, sent_at=clock.at(self.since), failed_at=ended, slack=clock.slack)

    def reach(self, clock: ServerTime) -> float:
        """The loop's time before which no record of its own can have been made, however wrong the clocks are."""
        intent = self.intent
        if self.since is None and intent.sent_at is None:
            return float("-inf")
        since = clock.when(intent.sent_at or 0.0) if self.since is None else self.since
        return since - CREATED_SLACK - intent.slack - clock.slack - DRIFT


@define(eq=False)
class Waiting:
    """One who waits for word of a submission: lost, or refused without a reason (`refused`).

    From `deadline` on silence means absence; `once` is content with one reading.
    """

    timed: Timed
    store: Store
    future: asyncio.Future[Finding]
    entered: float
    settle: float
    alone: bool
    once: bool = False
    refused: bool = False
    deadline: float = field()
    reads: int = 0
    complete: int = 0
    due: float = 0.0

    @deadline.default
    def _after_settling(self) -> float:
        return self.entered + self.settle

    def hasten(self, clock: ServerTime) -> None:
        """What another process lost long ago would have been listed by now: it is not waited for as long."""
        lost_at = self.timed.intent.failed_at
        if self.timed.since is None and lost_at is not None:
            slack = self.timed.intent.slack + clock.slack + DRIFT
            listed = clock.when(lost_at + self.settle + slack)
            self.deadline = min(self.deadline, max(self.entered, listed))

    def settled(self, opened: float) -> bool:
        """Whether its own record would be listed by now, or a failed one can be of nobody else.

        A process that is gone may have left the failed record of an equal payload, which was refused: not where
        this session is the only writer and was open for longer than clocks may differ before it was sent.
        """
        own = self.timed.since is not None and self.timed.since > opened + DRIFT
        now = asyncio.get_running_loop().time()
        return self.once or now >= self.deadline or (own and self.alone and not self.store.shared)

    @property
    def found(self) -> bool:
        """Whether its record was found, and it only has not been told yet."""
        return (
            self.future.done() and not self.future.cancelled() and self.future.result().snapshot is not None
        )

    def read(self, finding: Finding, begun: float, *, complete: bool, failure: str, fatal: bool) -> None:
        """Takes what a reading that began at `begun` found; ends the wait where no later one could say more."""
        self.reads += 1
        self.complete += complete
        grown = min(LONGEST, SPACING * GROWTH ** (self.reads - 1))
        self.due = self.deadline if begun < self.deadline < begun + grown else begun + grown
        if finding.outcome != "wait":
            self.end(finding)
        elif self.once or fatal:
            self.end(evolve(finding, evidence=failure or finding.evidence))
        elif begun >= self.deadline and not finding.pending:
            if complete and self.complete >= READS and not finding.candidates:
                self.end(Finding(outcome="absent", evidence=ABSENT))
            elif begun >= self.deadline + LONGEST or (finding.candidates and self.complete >= READS):
                self.end(evolve(finding, evidence=failure or finding.evidence or self._so_far(finding)))

    def _so_far(self, finding: Finding) -> str:
        if finding.candidates:
            return "the list shows what may be it, and nothing that proves it"
        return f"{self.reads} reads of a list that may be incomplete showed no trace of it"

    def end(self, finding: Finding) -> None:
        """Tells the one who waits."""
        if not self.future.done():
            self.future.set_result(finding)


@define(eq=False)
class Desk:
    """Who is sending, who is lost or refused, and the one task that reads the list."""

    sending: dict[str, Timed] = field(factory=dict)
    waiting: dict[str, Waiting] = field(factory=dict)
    refused: dict[str, tuple[Timed, float]] = field(factory=dict)
    fence: Fence = field(factory=Fence)
    last_read: float = float("-inf")
    reader: asyncio.Task[None] | None = None

    def enter(self, name: str, waiting: Waiting) -> None:
        """A submission is being looked for from now on, and sent no longer."""
        self.sending.pop(name, None)
        self.waiting[name] = waiting
        if not waiting.refused:
            self.fence.lose(waiting.timed.intent.digest)

    def leave(self, name: str, waiting: Waiting) -> None:
        """It is looked for no longer."""
        del self.waiting[name]
        if not waiting.refused:
            self.fence.find(waiting.timed.intent.digest)

    @property
    def open(self) -> list[Timed]:
        """All whose fate is open: sent and not answered, lost, or refused without a reason."""
        refused = (timed for timed, _ in self.refused.values())
        return [*self.sending.values(), *(waiting.timed for waiting in self.waiting.values()), *refused]

    def undecided(self) -> dict[str, Waiting]:
        """Those who still wait for word."""
        return {name: waiting for name, waiting in self.waiting.items() if not waiting.future.done()}

    def due(self, now: float) -> bool:
        """Whether it is time to read for somebody."""
        return any(waiting.due <= now for waiting in self.undecided().values())
