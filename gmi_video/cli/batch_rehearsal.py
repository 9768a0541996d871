"""`--dry-run`: what a run would do with a file and its journal, and the exit code that it would begin with."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from functools import partial
from pathlib import Path

from gmi_video.batch import Journal
from gmi_video.batch.adding import lines_of
from gmi_video.batch.known import Known, Standing
from gmi_video.batch.passes import unsent
from gmi_video.cli import exits
from gmi_video.cli.batch_lines import Checked, Refused
from gmi_video.cli.batch_rest import Rest, of_others
from gmi_video.cli.batch_survey import Survey, shown, surveyed
from gmi_video.cli.batch_view import dollars
from gmi_video.cli.desk import Desk
from gmi_video.cli.plain import counted, printable

_CHUNK = 500


class Rehearsal:
    """Holds lines against the journal, and adds up what those would cost that are not paid yet.

    `keyed`: only lines with a key are held against it, for no other can stand for something else.
    """

    def __init__(self, journal: Journal | None, *, retry_failed: bool = False, keyed: bool = False) -> None:
        self._journal = journal
        self._keyed = keyed
        self._retry_failed = retry_failed
        self._known = Known()
        self.clashes = 0
        self._met = 0
        self.lines = 0
        self.unpriced = 0
        self.cost = Decimal(0)

    async def each(self, lines: AsyncIterator[Checked | Refused]) -> AsyncIterator[Checked | Refused]:
        """The lines; one whose key stands for something else in the journal is refused, as `add` refuses it."""
        chunk: list[Checked | Refused] = []
        async for found in lines:
            chunk.append(found)
            if len(chunk) == _CHUNK:
                for told in await self._against(chunk):
                    yield told
                chunk = []
        for told in await self._against(chunk):
            yield told

    async def _against(self, chunk: list[Checked | Refused]) -> list[Checked | Refused]:
        if self._journal is None:
            return [self._one(found, None) if isinstance(found, Checked) else found for found in chunk]
        checked = [
            found
            for found in chunk
            if isinstance(found, Checked) and not (self._keyed and found.line.key is None)
        ]
        read = partial(lines_of, [found.ready.request for found in checked])
        new, refusal = await asyncio.get_running_loop().run_in_executor(None, read)
        if refusal is not None:
            raise refusal
        there = await self._journal.do(partial(self._known.of, new=new))
        told = {id(found): self._one(found, place) for found, place in zip(checked, there, strict=True)}
        return [told.get(id(found), found) for found in chunk]

    async def others(self) -> int:
        """How many lines wait in the journal that the file does not have, once all of it was seen."""
        return 0 if self._journal is None else await self._journal.do(unsent) - self._met

    def _one(self, found: Checked, standing: Standing | None) -> Checked | Refused:
        if standing is not None and not standing.same:
            why = (
                f"key {printable(found.line.key, 60)!r} already stands for another payload (line {standing.number} of "
                "the journal); give the changed line a key of its own"
            )
            self.clashes += 1
            return Refused(place=found.line.place, model=found.ready.request.model, why=(why,))
        self._met += standing is not None and standing.unsent
        if standing is None or not (standing.held or (standing.state == "failed" and not self._retry_failed)):
            self.lines += 1
            if found.ready.cost is None:
                self.unpriced += 1
            else:
                self.cost += found.ready.cost.dollars
        return found


async def unlike(desk: Desk, lines: AsyncIterator[Checked | Refused], journal: Path) -> tuple[Survey, int]:
    """A file surveyed before its first line is added, and how many of its keys stand for something else there."""
    kept = kept_at(journal)
    try:
        rehearsal = Rehearsal(None if kept is None else kept.open(), keyed=True)
        return await surveyed(desk, rehearsal.each(lines)), rehearsal.clashes
    finally:
        if kept is not None:
            kept.close()


async def rehearsed(
    desk: Desk,
    lines: AsyncIterator[Checked | Refused],
    *,
    journal: Path,
    max_cost: Decimal | None,
    assumed: Decimal | None,
    retry_failed: bool,
    skip_invalid: bool,
    rest: Rest,
) -> int:
    """Tells what a run would do, and returns the exit code that it would have as far as that is known before."""
    kept = kept_at(journal)
    taken = Decimal(0)
    try:
        if kept is not None:
            sums = kept.open().statistics()
            taken = sums.spent + sums.reserved
        rehearsal = Rehearsal(kept, retry_failed=retry_failed)
        survey = await surveyed(desk, rehearsal.each(lines))
        others = await rehearsal.others()
    finally:
        if kept is not None:
            kept.close()
    shown(desk, survey, assumed=assumed)
    whole = survey.all
    stopped = rehearsal.clashes or whole.lines == whole.refused or (whole.refused and not skip_invalid)
    code = exits.USAGE if stopped else exits.OK
    if max_cost is not None:
        code = code or _budget(desk, rehearsal, taken, max_cost, assumed, unpriced=whole.unpriced)
    if others:
        desk.note(of_others(others, rest, would=True))
    desk.note("Nothing was sent.")
    return code


def kept_at(path: Path) -> Journal | None:
    """The journal that a run would go on with; None where it would begin one."""
    return Journal(path, readonly=True) if path.is_file() and path.stat().st_size else None


def _budget(
    desk: Desk,
    rehearsal: Rehearsal,
    taken: Decimal,
    budget: Decimal,
    assumed: Decimal | None,
    *,
    unpriced: int,
) -> int:
    """Says where a run would stop for its budget."""
    if unpriced and assumed is None:
        desk.fail(
            f"the catalog names no price of {counted(unpriced, 'line')}, and --max-cost is set; give --assume-price"
        )
        return exits.USAGE
    cost = rehearsal.cost + (assumed or Decimal(0)) * rehearsal.unpriced
    if taken + cost <= budget:
        return exits.OK
    before = f"{dollars(taken)} are spent or reserved, and " if taken else ""
    what = f"{counted(rehearsal.lines, 'line')} to be sent"
    desk.warn(
        f"--max-cost {dollars(budget)} would be passed: {before}{what} cost {dollars(cost)}; "
        "a run sends what fits and parks the rest"
    )
    return exits.FAILED
