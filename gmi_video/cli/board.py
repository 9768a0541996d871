"""What a live view shows: one row per request, told by events. No terminal, no clock."""

from collections import Counter
from collections.abc import Sequence

from attrs import define, field

from gmi_video.cli.plain import printable
from gmi_video.cli.times import span
from gmi_video.events import Cancelled, Event, Failed, GaveUp, Missed, Progressed, Stalled, Succeeded

_ALMOST = 0.97
"""How far a bar goes that is filled by time alone: only the end itself fills it."""

_STALLS = {
    "frozen": "nothing has moved for long; it may never run",
    "unknown status": "in a state that is not documented",
}
_LEFT = {
    "not found": "GMI does not know this id",
    "deadline": "the deadline passed; it is still running",
}


@define(kw_only=True)
class Row:
    """One request. `typical` are the seconds that its model usually takes, where that is known."""

    title: str
    model: str
    word: str
    remark: str = ""
    begun: float
    over: float | None = None
    good: bool = False
    typical: float | None = None
    marks: dict[str, float] = field(factory=dict)

    def seconds(self, now: float) -> float:
        """Seconds since it was taken, or until it ended."""
        return (now if self.over is None else self.over) - self.begun

    def share(self, now: float) -> float | None:
        """How much of the usual time has passed, 1.0 at the end; None where nobody can know."""
        if self.over is not None:
            return 1.0
        return min(self.seconds(now) / self.typical, _ALMOST) if self.typical else None


class Board:
    """All rows, by whatever name the command knows them."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def put(
        self, name: str, word: str, *, title: str, model: str, now: float, typical: float | None = None
    ) -> None:
        """A new row under `name`, which shows `word` until something is known of it."""
        self._rows[name] = Row(
            title=printable(title, 400), model=printable(model), word=word, begun=now, typical=typical
        )

    def row(self, name: str) -> Row:
        """The row of that name; raises `KeyError`."""
        return self._rows[name]

    def tell(self, name: str, event: Event, now: float) -> None:
        """What became of a row."""
        row = self._rows[name]
        snapshot = getattr(event, "snapshot", None)
        if snapshot is not None:
            row.word = printable(snapshot.word or snapshot.status.value, 24)
            row.model = row.model or printable(snapshot.model)
            row.marks.setdefault(row.word, now)
        row.remark = remark(event)
        if event.final:
            row.over, row.good = now, isinstance(event, Succeeded)
            row.word = row.word if not isinstance(event, GaveUp) else "given up"

    def pick(self, most: int) -> list[Row]:
        """At most `most` rows to show: those at work first, then those that ended last."""
        rows = list(self._rows.values())
        if len(rows) <= most:
            return rows
        rows.sort(key=lambda row: (row.over is not None, -(row.over or 0.0)))
        return rows[:most]

    def counts(self) -> Sequence[tuple[str, int]]:
        """How many rows stand at each word, the most frequent first."""
        return Counter(row.word for row in list(self._rows.values())).most_common()


def remark(event: Event) -> str:
    """What an event says beyond a status, as a phrase."""
    match event:
        case Missed(error=error, look_again_in=again, misses=misses):
            times = f" ({misses} times in a row)" if misses > 1 else ""
            return f"a look failed{times}, next in {span(again)}: {printable(error, 200)}"
        case Stalled(reason=reason):
            return _STALLS[reason]
        case Failed(snapshot=snapshot) | Cancelled(snapshot=snapshot):
            return printable(snapshot.failure or "", 300)
        case GaveUp(reason=reason):
            return _LEFT[reason]
    return ""


def line(event: Event, model: str = "") -> str:
    """An event as one plain line: seconds, id, model, state, remark."""
    snapshot = getattr(event, "snapshot", None)
    word = printable(snapshot.word or snapshot.status.value, 24) if snapshot else ""
    if isinstance(event, Progressed | Succeeded):
        said = word
    else:
        said = ": ".join(part for part in (word, remark(event)) if part)
    name = printable(snapshot.model if snapshot else model)
    return "  ".join(part for part in (f"{event.elapsed:7.1f} s", event.request_id, name, said) if part)
