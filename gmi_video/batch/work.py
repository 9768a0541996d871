"""What the three stages of a run share: the lines under way, where they stand, and why the run may have to end."""

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from functools import partial
from typing import Any, Literal

from attrs import define, frozen

from gmi_video.batch import steps
from gmi_video.batch.counts import Counts
from gmi_video.batch.database import Job
from gmi_video.batch.errors import BudgetExceeded, JournalError, JournalFull
from gmi_video.batch.journal import Journal
from gmi_video.batch.places import Place
from gmi_video.batch.records import Finished, LineState, Retry, Stored
from gmi_video.batch.rows import as_given, key_of, request_from
from gmi_video.batch.steps import Kept
from gmi_video.errors import GmiVideoError
from gmi_video.records import Saved, Snapshot, Video, VideoRequest
from gmi_video.session import Session

HANDED = 64
"""Ends that wait for the caller: a slow one slows the stages, and nothing piles up."""


@frozen(kw_only=True)
class Options:
    """What a batch was told."""

    place: Place | None = None
    name: str = "{key}"
    assume_price: Decimal | None = None
    max_in_flight: int = 1000
    retry: Retry | None = None
    resubmit_absent: int = 0
    narrow: bool = False


@define(eq=False, kw_only=True)
class Line:
    """A line under way: small, for there may be many. Moments are the loop's; `held` is what the budget has of it."""

    number: int
    key: str | None
    model: str
    state: LineState
    attempts: int = 0
    cost: Decimal | None = None
    words: str = ""
    held: Literal["", "reserved", "spent"] = ""
    request: VideoRequest | None = None
    request_id: str | None = None
    target: str = ""
    accepted: float | None = None
    left_queue: float | None = None
    queued: float | None = None
    processing: float | None = None
    downloading: float | None = None
    stalled: bool = False

    @classmethod
    def of(cls, kept: Kept) -> "Line":
        """A line of the journal, as it is taken up."""
        return cls(
            number=kept.number,
            key=kept.key,
            model=kept.model,
            state=kept.state,
            attempts=kept.attempts,
            cost=kept.cost,
            words=kept.price_words,
            held=kept.money,  # type: ignore[arg-type]  # the journal holds nothing else
            request_id=kept.request_id,
            target=kept.target,
            queued=kept.queued,
            processing=kept.processing,
        )


class Bell:
    """Wakes everybody who waits for a condition, to look at it anew."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Something changed."""
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    async def wait(self, seconds: float | None = None) -> None:
        """Until it rings, or so long."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            await asyncio.wait((waiting,), timeout=seconds)
        finally:
            self._waiting.discard(waiting)


class Work:
    """One run's state. What the journal cannot keep any more is kept here, so that what was paid is finished."""

    def __init__(
        self,
        session: Session,
        journal: Journal,
        counts: Counts,
        options: Options,
        held: Callable[[int], VideoRequest | None],
    ) -> None:
        self.session = session
        self.journal = journal
        self.counts = counts
        self.options = options
        self.held = held
        self.bell = Bell()
        self.lines: dict[int, Line] = {}
        self.results: asyncio.Queue[Finished] = asyncio.Queue(HANDED)
        self.stopper: BaseException | None = None
        self.draining = False
        self.beyond: BudgetExceeded | None = None
        self.given_back = False
        self.sending = 0
        self.stuck = 0
        self.unwatched = False
        self.untold: list[int] = []
        self._unwaited: set[asyncio.Task[object]] = set()

    @property
    def halted(self) -> bool:
        """Whether nothing more is submitted."""
        return self.draining or self.stopper is not None

    @property
    def in_flight(self) -> int:
        """Lines under way that count against the limit: those that seem stuck for ever do not."""
        return len(self.lines) - self.stuck

    def stop(self, error: BaseException) -> None:
        """Submits nothing more, because of this; what is in flight is finished."""
        if self.stopper is None:
            self.stopper = error
        self.bell.ring()

    async def keep(self, job: Job[Any]) -> bool:
        """Writes to the journal; False where it failed, which stops submissions and nothing else.

        A full disk is tried once more: the journal makes what room it can.
        """
        for again in (True, False):
            try:
                await self.journal.do(job)
            except JournalError as error:
                self.stop(error)
                if not (again and isinstance(error, JournalFull)):
                    break
            else:
                return True
        return False

    def later(self, job: Job[Any]) -> None:
        """Writes to the journal while others go on: nothing depends on it."""
        self._alone(self.keep(job))

    async def tell(self, number: int) -> None:
        """A line's end was handed out. It is written even where the caller is cancelled meanwhile."""
        await asyncio.wait((self._alone(self._tell(number)),))

    async def _tell(self, number: int) -> None:
        if not await self.keep(partial(steps.tell, numbers=(number,))):
            self.untold.append(number)

    def _alone(self, writing: Coroutine[Any, Any, object]) -> "asyncio.Task[object]":
        task = asyncio.get_running_loop().create_task(writing)
        self._unwaited.add(task)
        task.add_done_callback(self._unwaited.discard)
        return task

    async def written(self) -> None:
        """Everything that was to be written is, as far as it can be."""
        while self._unwaited:
            await asyncio.wait(self._unwaited)
        if self.untold and await self.keep(partial(steps.tell, numbers=tuple(self.untold))):
            self.untold.clear()

    def moved(self, line: Line, after: LineState) -> None:
        """A line is in another state now, and is not at work any more where it was."""
        if line.state == "running" and after != "running" and line.left_queue is not None:
            self.counts.works(line.model, -1)
        self.counts.move(line.model, line.state, after)
        line.state = after

    async def move(self, line: Line, after: LineState, **columns: Any) -> bool:
        """Brings a line into another state, in the journal as well; False where that could not be written."""
        self.moved(line, after)
        return await self.keep(partial(steps.change, number=line.number, state=after, **columns))

    def reserve(self, line: Line) -> None:
        """Takes a line's cost aside."""
        line.held = "reserved"
        self.counts.money.reserve(line.cost or Decimal(0))

    def settle(self, line: Line, *, accepted: bool) -> None:
        """What becomes of a reservation."""
        cost = line.cost or Decimal(0)
        if line.held != "reserved":
            return
        line.held = "spent" if accepted else ""
        if accepted:
            self.counts.money.commit(cost)
            self.counts.spent(line.model, cost)
        else:
            self.counts.money.release(cost)
            self.given_back = True

    def give_back(self, line: Line) -> None:
        """An accepted line failed, uncharged."""
        cost = line.cost or Decimal(0)
        if line.held == "spent":
            line.held = ""
            self.counts.money.give_back(cost)
            self.counts.spent(line.model, -cost)
            self.given_back = True
        else:
            self.settle(line, accepted=False)

    async def request_of(self, line: Line) -> VideoRequest:
        """The very object that was added, as long as somebody holds it, else its equal."""
        held = self.held(line.number)
        if held is not None:
            return held
        try:
            return as_given(line.request or await self.kept_request(line))
        except JournalError:
            return VideoRequest(line.model, {}, key=key_of(line.key))

    async def kept_request(self, line: Line) -> VideoRequest:
        """The request as the journal has it; raises `JournalError`."""
        kept = await self.journal.do(partial(steps.one, number=line.number))
        return request_from(kept.model, kept.payload, kept.key)

    async def end(self, line: Line, after: LineState, told: dict[str, Any], **what: Any) -> None:
        """Ends a line. What the journal could not be told is not handed out either: it is by the run that can."""
        kept = await self.move(line, after, **told, ended_at=steps.now())
        self.counts.ends.append(asyncio.get_running_loop().time())
        if kept:
            await self.hand_out(line, **what)
        else:
            self.let_go(line)

    async def hand_out(
        self,
        line: Line,
        *,
        snapshot: Snapshot | None = None,
        error: GmiVideoError | None = None,
        stored: tuple[Stored, ...] = (),
        files: tuple[Saved, ...] = (),
    ) -> None:
        """Lets go of a line and gives its end to the caller, waiting for room."""
        request = await self.request_of(line)
        if error is not None:
            error.key, error.request_id = request.key, line.request_id
        done = Finished(
            request=request,
            key=request.key,
            number=line.number,
            state=line.state,
            video=None if error is not None or snapshot is None else Video(snapshot=snapshot, files=files),
            error=error,
            stored=stored,
            attempts=line.attempts,
            cost=line.cost,
            queued=line.queued,
            processing=line.processing,
            downloading=line.downloading,
        )
        await self.results.put(done)
        self.let_go(line)

    def let_go(self, line: Line) -> None:
        """A line is not under way any more."""
        if self.lines.get(line.number) is line:
            del self.lines[line.number]
            self.stuck -= line.stalled
            line.stalled = False  # it may come back
        self.bell.ring()
