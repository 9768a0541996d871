"""What a whole file of prompts would come to: lines, problems and money, before anything is sent."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

from attrs import define, field

from gmi_video.cli.batch_lines import Checked, Refused
from gmi_video.cli.batch_view import dollars
from gmi_video.cli.desk import Desk
from gmi_video.cli.plain import Column, counted, printable

_KINDS = 200
"""Different sentences that are told apart; a file of a million bad lines is no reason to hold a million."""
_SHOWN = 20
_NAMED = 3
_TURN = 200
"""Lines after which the loop gets a turn, so that an interruption is heard."""

TABLE = (
    Column("model", whole=True),
    Column("lines", right=True),
    Column("refused", right=True),
    Column("doubtful", right=True),
    Column("price", right=True),
    Column("unpriced", right=True),
)


@define(kw_only=True)
class Finding:
    """One thing that is wrong with lines: how many, and where the first of them are."""

    sentence: str
    certain: bool
    count: int = 0
    places: list[str] = field(factory=list)

    def told(self) -> str:
        """The finding as a line of text."""
        more = f" and {self.count - len(self.places):,} more" if self.count > len(self.places) else ""
        return f"{_together(self.places)}{more}: {self.sentence}"


@define
class Sum:
    """One model's lines."""

    lines: int = 0
    refused: int = 0
    doubtful: int = 0
    unpriced: int = 0
    cost: Decimal = Decimal(0)


class Survey:
    """Adds up a file's lines."""

    def __init__(self) -> None:
        self.models: dict[str, Sum] = {}
        self._findings: dict[tuple[bool, str], Finding] = {}

    def take(self, found: Checked | Refused) -> None:
        """Counts a line in."""
        if isinstance(found, Refused):
            self._refuse(found)
            return
        ready, line = found.ready, found.line
        one = self._sum(ready.request.model)
        one.lines += 1
        one.doubtful += bool(ready.problems)
        for problem in ready.problems:
            self._find(line.place, printable(problem), certain=False)
        if ready.cost is None:
            one.unpriced += 1
        else:
            one.cost += ready.cost.dollars

    def _refuse(self, found: Refused) -> None:
        one = self._sum(found.model)
        one.lines += 1
        one.refused += 1
        for why in found.why:
            self._find(found.place, why, certain=True)

    def _sum(self, model: str) -> Sum:
        return self.models.setdefault(printable(model, 80), Sum())

    def _find(self, place: str, sentence: str, *, certain: bool) -> None:
        name = (certain, sentence)
        if name not in self._findings and len(self._findings) >= _KINDS:
            name = (certain, "and other things besides")
        finding = self._findings.setdefault(name, Finding(sentence=name[1], certain=certain))
        finding.count += 1
        if len(finding.places) < _NAMED:
            finding.places.append(printable(place))

    @property
    def findings(self) -> list[Finding]:
        """What is wrong, what is certain first, and the most frequent first of those."""
        return sorted(self._findings.values(), key=lambda finding: (not finding.certain, -finding.count))

    @property
    def all(self) -> Sum:
        """The sum over all models."""
        whole = Sum()
        for one in self.models.values():
            whole.lines += one.lines
            whole.refused += one.refused
            whole.doubtful += one.doubtful
            whole.unpriced += one.unpriced
            whole.cost += one.cost
        return whole

    def as_dict(self) -> dict[str, Any]:
        """The survey as JSON-able data."""
        return {
            **_figures(self.all),
            "models": {model: _figures(one) for model, one in self.models.items()},
            "problems": [
                {"problem": each.sentence, "certain": each.certain, "lines": each.count, "first": each.places}
                for each in self.findings
            ],
        }


async def surveyed(desk: Desk, lines: AsyncIterator[Checked | Refused]) -> Survey:
    """The survey of these lines; says now and then how far it is."""
    survey, count = Survey(), 0
    async for found in lines:
        survey.take(found)
        count += 1
        if count % _TURN == 0:
            await asyncio.sleep(0)
        if count % 50_000 == 0:
            desk.note(f"{count:,} lines checked")
    return survey


def shown(desk: Desk, survey: Survey, *, assumed: Decimal | None) -> None:
    """Tells a survey on stdout: a table of models, what is wrong, and the sum."""
    if desk.manner.json:
        desk.json(survey.as_dict())
        return
    rows = [_row(model or "(none)", one) for model, one in survey.models.items()]
    if rows:
        desk.table(TABLE, rows)
    for line in problems(survey):
        desk.data(line)
    desk.data(priced(survey.all, assumed))


def problems(survey: Survey) -> list[str]:
    """What is wrong, a line for each sort, no more than can be read."""
    findings = survey.findings
    lines = [f"{'Refused' if each.certain else 'Doubtful'}: {each.told()}" for each in findings[:_SHOWN]]
    hidden = len(findings) - _SHOWN
    return [*lines, f"… and {counted(hidden, 'other problem')} (--json tells more)"] if hidden > 0 else lines


def priced(whole: Sum, assumed: Decimal | None) -> str:
    """What the lines cost together, and of how many that is not known."""
    good = whole.lines - whole.refused
    known = dollars(whole.cost + (assumed or Decimal(0)) * whole.unpriced)
    sentence = f"{good:,} {'lines cost' if good != 1 else 'line costs'} {known} by list prices"
    if not whole.unpriced:
        return sentence
    if assumed is not None:
        return f"{sentence}, {whole.unpriced:,} of them at the assumed {dollars(assumed)}"
    return f"{sentence}, without {whole.unpriced:,} whose price the catalog does not say (--assume-price)"


def _together(places: list[str]) -> str:
    """`p.csv, lines 2, 7, 9`: the file's name once."""
    heads = {place.rpartition(", line ")[0] for place in places}
    numbers = [place.rpartition(", line ")[2] for place in places]
    if len(places) > 1 and len(heads) == 1:
        return f"{heads.pop()}, lines {', '.join(numbers)}"
    return "; ".join(places)


def _figures(one: Sum) -> dict[str, Any]:
    return {
        "lines": one.lines,
        "refused": one.refused,
        "doubtful": one.doubtful,
        "unpriced": one.unpriced,
        "cost": str(one.cost),
    }


def _row(model: str, one: Sum) -> tuple[str, ...]:
    counts = (f"{number:,}" if number else "-" for number in (one.refused, one.doubtful))
    return (
        model,
        f"{one.lines:,}",
        *counts,
        dollars(one.cost),
        f"{one.unpriced:,}" if one.unpriced else "-",
    )
