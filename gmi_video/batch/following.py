"""The second stage: one watch for all accepted lines, however many; what ends is handed to the third."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import assert_never

from anyio.abc import TaskGroup

from gmi_video import errors
from gmi_video.batch import steps
from gmi_video.batch.errors import JournalError
from gmi_video.batch.parking import set_aside
from gmi_video.batch.submitting import Submitting
from gmi_video.batch.verdict import of_failure
from gmi_video.batch.work import Line, Work
from gmi_video.errors import GmiVideoError
from gmi_video.events import Cancelled, Event, Failed, GaveUp, Missed, Progressed, Stalled, Succeeded
from gmi_video.records import Snapshot, Status

IN_QUEUE = frozenset({Status.CREATED, Status.QUEUED, Status.DISPATCHED, Status.UNKNOWN})
"""What a request is while nothing works on it, as far as its status tells; Veo3's begin as "dispatched"."""

Save = Callable[[Line, Snapshot], Awaitable[None]]


class Following:
    """Follows the accepted lines to their ends."""

    def __init__(self, work: Work, group: TaskGroup, submitting: Submitting, save: Save) -> None:
        self._work = work
        self._group = group
        self._submitting = submitting
        self._save = save
        self._watch = work.session.watch(keep_open=True)

    async def add(self, line: Line) -> None:
        """Follows one more line; its request is known."""
        assert line.request_id is not None
        await self._watch.add({line.request_id: line.number})

    async def run(self) -> None:
        """Reads the watch until it is closed. A dead key ends the run, and no line."""
        try:
            async with self._watch:
                async for event in self._watch:
                    line = self._work.lines.get(event.key)
                    if line is not None and line.request_id == event.request_id:
                        await self._event(line, event)
        except GmiVideoError as error:
            self._work.stop(error)
            self._work.unwatched = True
            self._work.bell.ring()

    async def aclose(self) -> None:
        """Follows nothing any more."""
        await self._watch.aclose()

    async def give_up(self) -> None:
        """Sets aside what has not moved for so long that it may never: it is followed again by the next run."""
        for line in [line for line in self._work.lines.values() if line.stalled]:
            message = f"request {line.request_id} of {line.model} has not moved for long; the next run looks at it again"
            await self._later(line, errors.GenerationOverdue(message))
            self._watch.drop(line.request_id or "")

    async def _event(self, line: Line, event: Event) -> None:
        match event:
            case Progressed(snapshot=snapshot):
                await self._progressed(line, snapshot)
            case Stalled():
                await self._stalled(line)
            case Succeeded(snapshot=snapshot):
                await self._left_queue(line)
                self._group.start_soon(self._succeeded, line, snapshot)
            case Failed(snapshot=snapshot) | Cancelled(snapshot=snapshot):
                await self._left_queue(line)
                self._group.start_soon(self._failed, line, snapshot)
            case GaveUp():
                self._group.start_soon(self._unknown, line)
            case Missed():
                pass
            case _ as other:
                assert_never(other)  # type: ignore[arg-type]  # `Event` is open only in its type

    async def _progressed(self, line: Line, snapshot: Snapshot) -> None:
        if line.stalled:
            line.stalled = False
            self._work.stuck -= 1
            self._work.bell.ring()
        if snapshot.status not in IN_QUEUE and not snapshot.final and line.left_queue is None:
            await self._left_queue(line)
            self._work.later(partial(steps.change, number=line.number, status=snapshot.status.value))

    async def _left_queue(self, line: Line) -> None:
        """Its model does run what it accepts."""
        if line.left_queue is None:
            now = asyncio.get_running_loop().time()
            line.left_queue = now
            line.queued = None if line.accepted is None else now - line.accepted
            self._work.counts.works(line.model, 1)
        await self._submitting.proven(line.model)

    async def _stalled(self, line: Line) -> None:
        if line.stalled:
            return
        line.stalled = True
        self._work.stuck += 1
        lane = self._submitting.lane(line.model)
        if not lane.proven:
            message = f"{line.model} accepted requests and ran none of them; its other lines were not sent"
            await set_aside(self._work, lane, errors.GenerationOverdue(message, charged="no"))
        self._work.bell.ring()

    async def _unknown(self, line: Line) -> None:
        """A request that was accepted is not known. A model of which none was seen to run gets no more until one is."""
        message = (
            f"GMI knows no request {line.request_id}, though it was accepted; the next run looks at it again"
        )
        await self._later(line, errors.NotFound(message, status=404, charged="maybe"))
        lane = self._submitting.lane(line.model)
        if not lane.proven:
            message = f"{line.model} accepted a request that GMI does not know; its other lines were not sent"
            await set_aside(self._work, lane, errors.GenerationOverdue(message, charged="no"))

    def _ends(self, line: Line) -> None:
        now = asyncio.get_running_loop().time()
        if line.state == "running" and line.left_queue is not None:
            line.processing = now - line.left_queue

    async def _succeeded(self, line: Line, snapshot: Snapshot) -> None:
        self._ends(line)
        if not (snapshot.outcome and snapshot.outcome.media):
            message = f"request {line.request_id} of {line.model} succeeded but names no file yet; the next run looks at it again"
            await self._later(line, errors.GenerationEmpty(message, snapshot=snapshot))
            return
        await self._work.move(
            line,
            "saving",
            status=snapshot.word,
            snapshot=json.dumps(snapshot.as_dict()),
            queued=line.queued,
            processing=line.processing,
        )
        await self._save(line, snapshot)

    async def _failed(self, line: Line, snapshot: Snapshot) -> None:
        """A request that failed is not charged; one that was stopped in the console may be."""
        self._ends(line)
        work = self._work
        failure = snapshot.failure
        name = f"request {line.request_id} of {line.model}"
        error: errors.GenerationError
        if snapshot.status is Status.CANCELLED:
            error = errors.GenerationCancelled(f"{name} was cancelled at the service", snapshot=snapshot)
        else:
            work.give_back(line)
            if of_failure(failure, line.attempts, work.options.retry):
                await work.move(
                    line, "waiting", money="", request_id=None, snapshot=None, status="", reason=str(failure)
                )
                await self._once_more(line)
                return
            error = errors.GenerationFailed(
                f"{name} failed: {failure or 'the service gave no reason'}",
                snapshot=snapshot,
                kind=failure.kind if failure else "unknown",
            )
        await self._lost(line, error, snapshot)

    async def _once_more(self, line: Line) -> None:
        try:
            line.request = await self._work.kept_request(line)
        except JournalError as error:
            self._work.stop(error)
            self._work.let_go(line)
            return
        line.request_id = line.accepted = line.left_queue = None
        self._submitting.back(line)

    async def _later(self, line: Line, error: GmiVideoError) -> None:
        """A line is set aside, for it is paid for, and what it became may still be told."""
        error.request_id = line.request_id
        told = {"kind": "service", "reason": str(error), "error": steps.error_text(error)}
        await self._work.move(line, "parked", **told)
        self._work.let_go(line)

    async def _lost(self, line: Line, error: GmiVideoError, snapshot: Snapshot | None = None) -> None:
        """A line ends without a video."""
        error.request_id = line.request_id
        kept = None if snapshot is None else json.dumps(snapshot.as_dict())
        told = {
            "money": line.held,
            "status": snapshot.word if snapshot else "",
            "snapshot": kept,
            "kind": getattr(error, "kind", "unknown"),
            "reason": str(snapshot.failure if snapshot and snapshot.failure else error),
            "error": steps.error_text(error),
            "queued": line.queued,
            "processing": line.processing,
        }
        await self._work.end(line, "failed", told, error=error)
