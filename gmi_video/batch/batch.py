"""`Batch`: any number of requests over one session, remembered in a journal, each one's end handed out once."""

import asyncio
import itertools
import os
import weakref
from decimal import Decimal
from functools import partial
from typing import Self

from attrs import evolve

from gmi_video.batch import facts, names, passes, steps
from gmi_video.batch.adding import Requests, chunks, dollars, readied, whole
from gmi_video.batch.audit import adopt, audit
from gmi_video.batch.counts import Counts, clock
from gmi_video.batch.database import Job
from gmi_video.batch.holding import claim, hold
from gmi_video.batch.journal import Journal
from gmi_video.batch.places import place_of
from gmi_video.batch.prices import Prices
from gmi_video.batch.producers import Producers
from gmi_video.batch.reading import Run
from gmi_video.batch.records import BatchStatistics, Orphan, Retry, Sink
from gmi_video.batch.runner import Engine
from gmi_video.batch.work import Options, Work
from gmi_video.errors import ConfigurationError
from gmi_video.records import VideoRequest
from gmi_video.session import Session

_PASSES = itertools.count(1)
"""Over all batches: two of them may use one journal after the other."""


class Batch:
    """Requests in, their ends out, through whatever happens in between; nothing is paid twice.

    Args:
        session: what submits, watches and downloads; its limits hold.
        journal: the file that remembers everything (a path or a `Journal`); None: memory of this object only.
        out: a folder, or a `Sink`; None downloads nothing.
        name: the files' names, from the key, `{number}`, `{model}` and the payload's keys; slashes make folders.
        budget: US dollars by list prices that are not passed.
        assume_price: what a request costs where the catalog names no price; without it, such a request is
            refused where a budget is set.
        max_in_flight: accepted and unfinished requests at once, 1,000 if not said otherwise.
        retry: whether requests that failed uncharged are tried again.
        resubmit_absent: how many lost submissions may be posted a second time, over all runs of the journal.

    Raises `ConfigurationError` for what is none of these.
    """

    def __init__(
        self,
        session: Session,
        *,
        journal: str | os.PathLike[str] | Journal | None = None,
        out: str | os.PathLike[str] | Sink | None = None,
        name: str = "{key}",
        budget: Decimal | str | float | None = None,
        assume_price: Decimal | str | float | None = None,
        max_in_flight: int | None = None,
        retry: Retry | None = None,
        resubmit_absent: int = 0,
    ) -> None:
        self._session = session
        self._journal = journal if isinstance(journal, Journal) else Journal(journal)
        self._ours = not isinstance(journal, Journal)
        self._budget = dollars("budget", budget)
        self._options = Options(
            place=place_of(out),
            name=names.checked(name),
            assume_price=dollars("assume_price", assume_price),
            max_in_flight=whole("max_in_flight", 1000 if max_in_flight is None else max_in_flight, 1),
            retry=retry,
            resubmit_absent=whole("resubmit_absent", resubmit_absent, 0, most=100_000),
        )
        self._held: weakref.WeakValueDictionary[int, VideoRequest] = weakref.WeakValueDictionary()
        self._counts: Counts | None = None
        self._engine: Engine | None = None
        self._opening = asyncio.Lock()
        self._beginning = 0
        self._starting = asyncio.Lock()
        self._draining = self._due = self._ran = False
        self._producers = Producers()

    async def add(self, requests: Requests) -> int:
        """Adds requests, and returns how many were new.

        A request that is there already is left as it is: it is known by its key, or by its payload and the equal
        ones before it in this call. While a run is under way it takes up what is added; a task that adds then
        keeps the run open until it ends, or until `finish()`. The first that is refused ends the call: those before
        it are added, it and those after it are not.

        Raises:
            ConfigurationError: a key that stands for another payload; no price, where a budget is set.
            PayloadInvalid: a payload that JSON cannot hold.
            JournalError: the journal cannot be written.
        """
        one_pass, new, before = next(_PASSES), 0, 0
        try:
            with self._producers.adding() as task:
                await self._opened()
                if self.runs or self._beginning:
                    self._producers.take(task, self._ring)
                budgeted = self._budget is not None
                prices = Prices(self._session, self._options.assume_price) if budgeted else None
                await self._journal.do(passes.begin)
                async for chunk in chunks(requests):
                    new += await self._add(chunk, one_pass, prices, before)
                    before += len(chunk)
            await self._journal.do(partial(passes.end, number=one_pass))
        finally:
            self._ring()
            if self._due and not self.runs:
                self._released()
        return new

    def finish(self) -> None:
        """No more requests come: a run that waits for them ends once all are done."""
        self._producers.finish()
        self._ring()

    def drain(self) -> None:
        """Submits nothing more; the run ends once everything in flight has ended."""
        self._draining = self._beginning > 0
        if self._engine is not None:
            self._engine.work.draining = True
            self._ring()

    def run(self) -> Run:
        """Submits, follows and saves all lines; iterate over it for each one's `Finished`.

        One bad prompt is an `error` in its `Finished`. What stops the whole run is raised when everything in
        flight has ended: `BudgetExceeded`, `Unauthorized`, `JournalError`. Nothing fails by that, and running
        again continues. Lines that had to be set aside (for want of credit, of room on the disk, of a model
        that runs) and undecided ones are handed out too, and again by a later run. The order is that of ends. An end
        is in the journal before it is handed out; that it was is noted when the next one is asked for, so after a
        crash at most the last one comes again. A run that nobody reads any more ends when another one begins.
        """
        return Run(self._begun)

    def statistics(self) -> BatchStatistics:
        """Where all lines are, and what they cost, at this moment; empty before the first `add` or run."""
        if self._counts is None:
            return BatchStatistics(budget=self._budget)
        return self._counts.statistics(clock())

    async def retry_failed(self) -> int:
        """Lets failed lines that cost nothing wait once more, and looks again for what was paid for; returns how many.

        Raises `ConfigurationError` during a run.
        """
        await self._between_runs("try failed lines again")
        return await self._changed(partial(steps.retry_failed, narrow=self._options.narrow))

    async def narrow(self, *, drop: bool = False) -> int:
        """Lets the runs of this batch send no line that `add` did not give it; returns how many wait for others.

        They stay in the journal; `drop` takes them out, for nothing was paid. What was submitted is followed and
        saved, whoever gave it. The journal is held until `aclose`. Raises `ConfigurationError` once a run has begun.
        """
        await self._between_runs("make a batch narrow")
        if self._ran and not self._options.narrow:
            raise ConfigurationError("make a batch narrow before its first run: it forgets what it was given")
        self._options = evolve(self._options, narrow=True)
        return await self._changed(partial(passes.others, drop=drop))

    async def _changed(self, job: Job[int]) -> int:  # what moves lines between runs
        found = await self._journal.do(job)
        self._counts = await self._journal.do(Counts.read)
        return found

    async def _between_runs(self, what: str) -> None:
        if self.runs or self._beginning:
            message = f"{what} between two runs, not during one"
            raise ConfigurationError(message)
        await self._opened()

    async def audit(self) -> tuple[Orphan, ...]:
        """The requests of the account's list that carry a payload of ours and belong to no line, with their prices.

        They may have been charged: made by another program, or twice where a second POST was allowed.
        """
        await self._opened()
        prices = Prices(self._session, self._options.assume_price)
        found = await audit(self._session, self._journal, prices)
        if self._counts is not None:
            self._counts.orphans = len(found)
        return found

    async def adopt(self, orphan: Orphan) -> int:
        """Takes an orphan for the line that it is like, or for a line of its own beside it, whose number is returned.

        The next run follows it and saves its video. Raises `ConfigurationError` during a run, and where it has
        an owner by now.
        """
        await self._between_runs("adopt an orphan")
        return await self._changed(partial(adopt, orphan=orphan))

    async def aclose(self) -> None:
        """Stops the run, if one is under way, and closes the journal. Everything can be taken up again."""
        if self._engine is not None:
            await self._engine.stop()
        if self._ours:
            self._journal.close()

    async def __aenter__(self) -> Self:
        await self._opened()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __del__(self) -> None:
        if getattr(self, "_ours", False) and self._journal.path is None:
            self._journal.abandon()

    async def _opened(self) -> Counts:
        """The journal, open, and what it counts."""
        async with self._opening:
            if self._engine is not None and self._engine.stopping:
                await self._engine.stop()
                self._engine = None
            if self._counts is None or not self._journal.is_open:
                if self._options.narrow:
                    raise ConfigurationError(
                        "this narrow batch was closed; make another one, and add to it again"
                    )
                await hold(self._journal, self, again=self._counts is not None)
                budget = None if self._budget is None else str(self._budget)
                await self._journal.do(partial(facts.set_fact, name="budget", value=budget))
                self._counts = await self._journal.do(Counts.read)
            else:
                claim(self._journal, self)
            return self._counts

    @property
    def in_use(self) -> bool:
        """Whether it needs its journal at this moment."""
        return self.runs or self._beginning > 0 or self._producers.busy

    @property
    def runs(self) -> bool:
        """Whether a run is under way."""
        return self._engine is not None and not self._engine.stopping

    async def _begun(self) -> Engine:
        self._beginning += 1
        try:
            async with self._starting:
                return await self._begin()
        finally:
            self._beginning -= 1
            self._draining = self._draining and self._beginning > 0

    async def _begin(self) -> Engine:
        if self._engine is not None and self.runs:
            if self._engine.reading:
                message = "this batch is running already, and somebody reads that run; read it there, or end it first"
                raise ConfigurationError(message)
            await self._engine.stop()
        self._producers.begin(self._ring)
        await self._opened()
        self._due, self._ran = False, True
        if self._options.place is not None:
            await self._options.place.check()
        await self._journal.do(steps.reopen)
        self._counts = counts = await self._journal.do(Counts.read)
        work = Work(self._session, self._journal, counts, self._options, self._held.get)
        work.draining = self._draining
        self._engine = Engine(work, self._producers, self._released)
        return self._engine

    def _released(self) -> None:
        """A run is over: the journal is free for others. In memory it is all there is, so it stays."""
        self._due = self._producers.busy  # whoever adds ends that first
        if self._options.narrow:
            return
        if self._ours and self._journal.path is not None and not self._due:
            self._journal.close()

    def _ring(self) -> None:
        if self._engine is not None:
            self._engine.work.bell.ring()

    async def _add(self, chunk: list[VideoRequest], one_pass: int, prices: Prices | None, before: int) -> int:
        lines, refusal = await readied(chunk, prices, before)
        added, conflict = await self._journal.do(partial(passes.add, one_pass=one_pass, new=lines))
        for one, line in zip(added, lines, strict=conflict is None):
            self._held[one.number] = line.request
        new = [one.model for one in added if one.new]
        for model in new:
            assert self._counts is not None
            self._counts.move(model, None, "waiting")
        if new and self._engine is not None:
            self._engine.added(set(new))
        if (error := conflict or refusal) is not None:
            raise error
        return len(new)
