"""One run of a batch: three stages over one journal, and the hand that takes what comes out of them.

It lives in a task of its own; `reading` is the iterator before it, and leaving that cancels no stranger (PEP 789).
"""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from random import Random

import anyio
from anyio.abc import TaskGroup

from gmi_video.batch import facts, steps
from gmi_video.batch.counts import Counts
from gmi_video.batch.endings import finished
from gmi_video.batch.errors import JournalError
from gmi_video.batch.following import Following
from gmi_video.batch.producers import Producers
from gmi_video.batch.records import Finished
from gmi_video.batch.rows import request_from, snapshot_from
from gmi_video.batch.saving import Saving
from gmi_video.batch.steps import Kept
from gmi_video.batch.submitting import Submitting
from gmi_video.batch.work import Line, Work
from gmi_video.records import Snapshot

GRACE = 20.0
"""Seconds that a run which is left waits for the answers to its POSTs: longer than a session that closes does."""
PAGE = 200


class Engine:
    """The stages of one run, in a task of their own."""

    def __init__(self, work: Work, producers: Producers, release: Callable[[], None]) -> None:
        self.work = work
        self._producers = producers
        self._release = release
        self._submitting: Submitting | None = None
        self._following: Following | None = None
        self._saving = Saving(work, work.session.settings.limits.downloads)
        self._ahead: Finished | None = None
        self._last: int | None = None
        self._main = asyncio.get_running_loop().create_task(self._run(), name="gmi_video batch")
        self._stopping: asyncio.Task[None] | None = None
        self.left = self._over = False
        self.reading = 0
        self._turn = asyncio.Lock()

    def added(self, models: set[str]) -> None:
        """New lines wait for these models; once the run is over, for the next one."""
        if self._submitting is not None and not self._over:
            self._submitting.added(models)

    async def next(self) -> Finished | None:
        """The next end of a line, or None where there is none left; raises what stopped the run."""
        self.reading += 1
        self._producers.read()
        try:
            async with self._turn:
                await self._tell_last()
                return await self._next()
        finally:
            self.reading -= 1

    async def _next(self) -> Finished | None:
        work = self.work
        while True:
            done, self._ahead = self._ahead, None
            if done is None and not work.results.empty():
                done = work.results.get_nowait()
            if done is not None:
                if done.ended and work.untold:
                    continue  # what cannot be noted as handed out is left to the next run
                self._last = done.number if done.ended else None
                return done
            if self._main.done():
                await self.stop()
                self._raise()
                return None
            await self._wait()

    async def _wait(self) -> None:
        """Until there is something to hand out; a caller that is cancelled meanwhile loses nothing."""
        getting = asyncio.ensure_future(self.work.results.get())
        try:
            await asyncio.wait((getting, self._main), return_when=asyncio.FIRST_COMPLETED)
        finally:
            if getting.done() and not getting.cancelled():
                self._ahead = getting.result()
            else:
                getting.cancel()

    def _raise(self) -> None:
        if not self._main.cancelled() and (error := self._main.exception()) is not None:
            raise error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error
        if self.work.stopper is not None:
            raise self.work.stopper
        if self.work.beyond is not None:
            raise self.work.beyond

    async def _tell_last(self) -> None:
        """Notes that the caller has the last one, so that after whatever comes at most one end is handed out again."""
        last, self._last = self._last, None
        if last is not None:
            await self.work.tell(last)

    def stop_soon(self) -> None:
        """Begins to stop."""
        if self._stopping is None:
            self._stopping = asyncio.get_running_loop().create_task(self._stop(), name="gmi_video batch ends")

    async def stop(self) -> None:
        """Sends nothing more, lets the answers to POSTs under way arrive, and gives the journal free."""
        self.stop_soon()
        assert self._stopping is not None
        await asyncio.shield(self._stopping)

    @property
    def stopping(self) -> bool:
        """Whether it stops, or has stopped, or is to because nobody reads it any more."""
        return self.left or self._stopping is not None

    async def _stop(self) -> None:
        work = self.work
        work.draining = True
        try:
            self._main.cancel()
            await asyncio.wait((self._main,))
            if not self._main.cancelled():
                self._main.exception()
            with anyio.move_on_after(GRACE):
                while work.sending:
                    await work.bell.wait()
            await self._tell_last()
            await work.written()
            with contextlib.suppress(JournalError):  # what was cancelled in the middle was counted in part
                work.counts.become(await work.journal.do(Counts.read))
        finally:
            self._release()

    async def _run(self) -> None:
        work = self.work
        async with anyio.create_task_group() as group:
            proven = await work.journal.do(facts.proven)
            self._submitting = Submitting(work, group, self._accepted, Random(), proven)
            self._following = Following(work, group, self._submitting, self._saving.save)
            group.start_soon(self._following.run)
            await self._hand_out_untold()
            await self._take_up(self._submitting, self._following, group)
            waiting = partial(steps.waiting_models, narrow=work.options.narrow)
            self._submitting.begin(set(await work.journal.do(waiting)))
            await self._until_over(self._submitting, self._following)
            self._over = True
            await self._hand_out_parked()
            group.cancel_scope.cancel()

    async def _accepted(self, line: Line, snapshot: Snapshot) -> None:  # noqa: ARG002  # the watch has it already
        assert self._following is not None
        await self._following.add(line)

    async def _take_up(self, submitting: Submitting, following: Following, group: TaskGroup) -> None:
        """Goes on with what an earlier run began, as far as there is room."""
        work, after = self.work, 0
        while found := await work.journal.do(partial(steps.begun, after=after, most=PAGE)):
            for kept in found:
                after = kept.number
                while work.in_flight >= work.options.max_in_flight and not work.halted:
                    await work.bell.wait()
                if work.halted:
                    return
                await self._take_up_one(kept, submitting, following, group)

    async def _take_up_one(
        self, kept: Kept, submitting: Submitting, following: Following, group: TaskGroup
    ) -> None:
        work, line = self.work, Line.of(kept)
        if kept.state in {"submitting", "uncertain"}:
            intent = await work.journal.do(partial(steps.intent_of, line=line.number))
            assert intent is not None, "a line that was sent has an intent"
            line.request = request_from(kept.model, kept.payload, kept.key)
            line.attempts -= intent.attempt
            work.lines[line.number] = line
            group.start_soon(submitting.recover, line, intent)
            return
        work.lines[line.number] = line
        snapshot = snapshot_from(kept.snapshot, kept.request_id, kept.model)
        if kept.state == "saving" and snapshot is not None:
            group.start_soon(self._saving.save, line, snapshot)
        else:
            lane = submitting.lane(line.model)
            lane.out += not lane.proven
            await following.add(line)

    async def _until_over(self, submitting: Submitting, following: Following) -> None:
        work = self.work
        while True:
            if work.unwatched:
                for line in [line for line in work.lines.values() if line.state == "running"]:
                    work.let_go(line)
            quiet = submitting.idle and (work.halted or not self._producers.left)
            if quiet and work.stuck and work.stuck == len(work.lines):
                await following.give_up()
            if quiet and not work.lines:
                if not (work.beyond and work.given_back and not work.halted):
                    return
                await self._second_chance(submitting)
            await work.bell.wait()

    async def _second_chance(self, submitting: Submitting) -> None:
        """Money came back, so what was beyond the budget may be within it."""
        work = self.work
        work.given_back, work.beyond = False, None
        models = await work.journal.do(steps.unpark_beyond)
        for model, count in models.items():
            work.counts.move(model, "parked", "waiting", count)
            submitting.lane(model).after = 0
        submitting.added(set(models))

    async def _hand_out_untold(self) -> None:
        """What ended in an earlier run, and was not handed out by it."""
        after = 0
        while found := await self.work.journal.do(partial(steps.untold, after=after, most=PAGE)):
            for kept in found:
                after = kept.number
                await self.work.results.put(finished(kept, self.work.held(kept.number)))

    async def _hand_out_parked(self) -> None:
        """What this run had to set aside, for reasons of its own."""
        after = 0
        try:
            while found := await self.work.journal.do(partial(steps.parked, after=after, most=PAGE)):
                for kept in found:
                    after = kept.number
                    await self.work.results.put(finished(kept, self.work.held(kept.number)))
        except JournalError as error:
            self.work.stop(error)
