"""The first stage: waiting lines become requests, each model by its own way, so that none stands in another's.

A line that the service cannot take now goes back and waits; only what is wrong with the line itself ends it.
"""

import asyncio
import math
from functools import partial
from random import Random
from typing import Protocol

from anyio.abc import TaskGroup

from gmi_video.batch import steps
from gmi_video.batch.errors import JournalError, LineTaken
from gmi_video.batch.lane import Lane
from gmi_video.batch.parking import close, keep_closed, park, park_all, wake
from gmi_video.batch.purse import Purse
from gmi_video.batch.rows import request_from
from gmi_video.batch.shelf import Shelf
from gmi_video.batch.uploads import Uploads
from gmi_video.batch.verdict import of_submission
from gmi_video.batch.work import Line, Work
from gmi_video.errors import GmiVideoError, SubmissionUncertain
from gmi_video.ledger import Intent
from gmi_video.records import Snapshot
from gmi_video.settings import Resubmit

PAGE = 100
"""Lines of a model that are read ahead."""


class Accepted(Protocol):
    """What takes over a line that became a request."""

    async def __call__(self, line: Line, snapshot: Snapshot) -> None:
        """The line is in the queue."""
        ...


class Submitting:
    """Feeds the queue from the journal."""

    def __init__(
        self, work: Work, group: TaskGroup, accepted: Accepted, rng: Random, proven: set[str]
    ) -> None:
        self._work = work
        self._proven = proven
        self._group = group
        self._accepted = accepted
        self._rng = rng
        self._purse = Purse(work)
        self._uploads = Uploads(work.session, work.journal)
        allowed = work.options.resubmit_absent
        self._view = work.session.using(
            lane="bulk", wait=None, on_uncertain=Resubmit(at_most=allowed) if allowed else "reconcile"
        )
        self.lanes: dict[str, Lane] = {}
        self._begun = False

    def begin(self, models: set[str]) -> None:
        """Sends from now on: what an earlier run began is taken up, and is not mistaken for what this one begins."""
        self._begun = True
        self.added(models)

    @property
    def idle(self) -> bool:
        """Whether no line waits that could be sent, and none is being sent."""
        if any(lane.standing or lane.held for lane in self.lanes.values()):
            return False
        return self._work.halted or all(
            lane.dead or lane.refused or (lane.dry and not lane.again and not lane.ahead)
            for lane in self.lanes.values()
        )

    def lane(self, model: str) -> Lane:
        """A model's way, which is fed from now on."""
        found = self.lanes.get(model)
        if found is None:
            known = model in self._proven or self._work.session.cadence.typical(model) is not None
            found = self.lanes[model] = Lane(model, proven=known)
            self._group.start_soon(self._feed, found)
        return found

    def added(self, models: set[str]) -> None:
        """New lines of these models wait."""
        for model in models:
            lane = self.lane(model)
            lane.dry = False
            if lane.closed is not None:
                self._group.start_soon(keep_closed, self._work, lane)
        self._work.bell.ring()

    def back(self, line: Line) -> None:
        """A line waits once more; its journal's row says so already."""
        self.lane(line.model).again.append(line)
        self._work.let_go(line)

    async def recover(self, line: Line, intent: Intent) -> None:
        """Finds out what became of a submission that an earlier process left behind."""
        lane = self.lane(line.model)
        lane.standing += 1
        try:
            snapshot = await self._view.using(store=Shelf(self._work, line)).recover(intent)
        except Exception as error:  # noqa: BLE001  # sorted by `_refused`, which raises what is none of the service's
            await self._refused(lane, line, error)
        else:
            await self._taken(lane, line, snapshot)
        finally:
            self._leaves(lane)

    async def _feed(self, lane: Lane) -> None:
        work = self._work
        while True:
            line = await self._next(lane)
            if line is None:
                await work.bell.wait()
                continue
            try:
                if line.number not in work.lines and await self._ready(lane, line):
                    work.reserve(line)
                    work.lines[line.number] = line
                    lane.standing += 1
                    self._group.start_soon(self._submit, lane, line)
            except GmiVideoError as error:  # its price is needed and cannot be had now
                self._later(lane, line, error)
            finally:
                lane.held = False
                work.bell.ring()

    async def _next(self, lane: Lane) -> Line | None:
        """The next line of a model, or None where none can be sent now."""
        if not self._begun or self._work.halted or lane.dead or lane.refused:
            return None
        if lane.again:
            lane.held = True
            return lane.again.popleft()
        while not lane.ahead and not lane.dry and not (self._work.halted or lane.dead or lane.refused):
            lane.held = lane.dry = True  # before it is read: what is added meanwhile says otherwise
            try:
                await self._read(lane)
            except JournalError as error:
                lane.held = False
                self._work.stop(error)
                return None
        if lane.held and not lane.ahead:
            self._work.bell.ring()
        lane.held = bool(lane.ahead)
        return lane.ahead.popleft() if lane.ahead else None

    async def _read(self, lane: Lane) -> None:
        """Reads ahead; what costs more than there is left to spend is set aside at once."""
        most, turned = PAGE * 10 if self._purse.tight else PAGE, lane.turned
        narrow = self._work.options.narrow
        found = await self._work.journal.do(
            partial(steps.take, model=lane.model, after=lane.after, most=most, narrow=narrow)
        )
        if lane.turned != turned:
            return
        lane.dry = lane.dry and len(found) < most
        if not found:
            return
        lane.after = found[-1].number
        lines = [Line.of(kept) for kept in found]
        for line, kept in zip(lines, found, strict=True):
            line.request = request_from(kept.model, kept.payload, kept.key)
        fine = await self._purse.affordable(lines)
        if lane.turned == turned and not lane.dead:  # else they are parked by now, or read anew
            lane.ahead.extend(fine)

    async def _ready(self, lane: Lane, line: Line) -> bool:
        """Waits until a line may be sent; False where it was set aside instead, or nothing is sent any more."""
        work, loop = self._work, asyncio.get_running_loop()
        await self._purse.price(line)
        while not (lane.may_send(loop.time(), self._share()) and work.in_flight < work.options.max_in_flight):
            if work.halted or lane.dead or lane.refused:
                lane.again.appendleft(line)
                return False
            rest = lane.until - loop.time()
            await work.bell.wait(rest if rest > 0 else None)
        if work.halted:
            lane.again.appendleft(line)
            return False
        error = self._purse.too_dear(line)
        if error is not None:
            await park_all(work, [line], "credit", error)
            work.bell.ring()
            lane.reread()
        return error is None

    def _share(self) -> int:
        """How many submissions one of the models may have under way."""
        busy = sum(not (lane.dry and not lane.standing) for lane in self.lanes.values())
        return max(1, math.ceil(self._work.options.max_in_flight / max(busy, 1)))

    async def _submit(self, lane: Lane, line: Line) -> None:
        work = self._work
        try:
            assert line.request is not None, "a line keeps its request until it is accepted"
            request = await self._uploads.whole(line.request, work.held(line.number))
            snapshot = await self._view.using(store=Shelf(self._work, line)).submit(request)
        except Exception as error:  # noqa: BLE001  # as above
            await self._refused(lane, line, error)
        else:
            await self._taken(lane, line, snapshot)
        finally:
            self._leaves(lane)

    def _leaves(self, lane: Lane) -> None:
        lane.standing -= 1
        self._work.bell.ring()

    async def _taken(self, lane: Lane, line: Line, snapshot: Snapshot) -> None:
        lane.fine()
        self._work.settle(line, accepted=True)
        line.request, line.request_id = None, snapshot.request_id
        line.accepted = asyncio.get_running_loop().time()
        self._work.moved(line, "running")
        if not lane.proven:
            lane.out += 1
        await self._accepted(line, snapshot)

    async def _refused(self, lane: Lane, line: Line, error: Exception) -> None:
        work = self._work
        if isinstance(error, LineTaken):
            work.settle(line, accepted=False)
            work.let_go(line)
            return
        if isinstance(error, SubmissionUncertain) or await self._undecided(line):
            await self._uncertain(lane, line, error)
            return
        work.settle(line, accepted=False)
        meaning = of_submission(error, line.attempts, work.options.retry)
        if meaning == "stop" and not work.halted:
            work.stop(error)
        if work.halted or not isinstance(error, GmiVideoError):
            meaning = "later"
        match meaning:
            case "again" | "later" if lane.closed is not None:
                await park(work, line, *lane.closed)
            case "again" | "later":
                await work.move(line, "waiting", money="")
                self._later(lane, line, error)
            case _ if not isinstance(error, GmiVideoError):
                pass
            case "credit" if line.cost is not None:
                self._purse.lacks(line.cost)
                await park(work, line, "credit", error)
            case "credit":
                await close(work, lane, line, "credit", error)
            case "model":
                await close(work, lane, line, "access", error)
            case "fail":
                await self._fail(line, error)

    async def _undecided(self, line: Line) -> bool:
        """Whether a POST of this line may have been accepted, whatever error came of it: then it is not sent anew."""
        try:
            return await self._work.journal.do(partial(steps.is_open, line=line.number))
        except JournalError as error:  # on the disk the line stays what it was
            self._work.stop(error)
            return False

    async def _uncertain(self, lane: Lane, line: Line, error: Exception) -> None:
        """Somebody must decide about a line, or the next run: its reservation stays."""
        work = self._work
        work.moved(line, "uncertain")
        if isinstance(error, SubmissionUncertain):
            if error.intent is not None and error.intent.status is not None:
                lane.trouble(asyncio.get_running_loop().time(), self._rng.random(), None)
        elif of_submission(error, line.attempts, None) == "stop" and not work.halted:
            work.stop(error)
        if isinstance(error, GmiVideoError) and (isinstance(error, SubmissionUncertain) or not work.halted):
            await work.hand_out(line, error=error)
        else:
            work.let_go(line)

    async def _fail(self, line: Line, error: GmiVideoError) -> None:
        kind = getattr(error, "kind", "unknown")
        told = {"kind": kind, "reason": str(error), "error": steps.error_text(error), "money": ""}
        await self._work.end(line, "failed", told, error=error)

    def _later(self, lane: Lane, line: Line, error: Exception) -> None:
        """A line waits in its model's way; the model is left alone for a while."""
        asked = getattr(error, "retry_after", None)
        if not self._work.halted:
            lane.trouble(asyncio.get_running_loop().time(), self._rng.random(), asked)
        lane.again.appendleft(line)
        self._work.let_go(line)

    async def proven(self, model: str) -> None:
        """A request of this model left the queue."""
        lane = self.lane(model)
        if not lane.proven:
            await wake(self._work, lane)
