"""A queue of requests in virtual time: what a look and a page of the list say, and what is wrong with the list."""

from bisect import bisect_right
from datetime import UTC, datetime
from math import exp
from random import Random
from typing import Literal

from attrs import frozen

from gmi_video import Media, Outcome, Snapshot, Status
from gmi_video._forms import stamp
from gmi_video._sheet import Known
from gmi_video._sweep import Listed, Sheet
from gmi_video.errors import NotFound

Fault = Literal["none", "short", "short, no offset", "unordered", "refused"]

MEDIAN = 90.0
"""Seconds; about what the vendor's faster video models take."""
RECORD = 750
"""Bytes of a record in a page, its payload's echo included."""
QUEUED = 0.1
"""Of a request's life it stands in the queue."""
CUT = 50
"""Records of a page that is cut short."""


@frozen(kw_only=True)
class Job:
    """One request: its model, and when it is created and ends. Seconds."""

    name: str
    model: str
    created: float
    end: float


def jobs(count: int, *, models: int, sigma: float, rate: float | None, seed: int) -> list[Job]:
    """Requests with lognormal lives that arrive steadily, `rate` a second, or all at once."""
    rng = Random(seed)
    found = []
    for number in range(count):
        created = number / rate if rate else 0.0
        life = MEDIAN * exp(rng.gauss(0.0, sigma))
        found.append(
            Job(name=f"r-{number:06}", model=f"model-{number % models}", created=created, end=created + life)
        )
    return found


class World:
    """The service as its callers see it; `longest` is the most records of one page."""

    def __init__(self, work: list[Job], *, longest: int = 100, fault: Fault = "none", seed: int = 0) -> None:
        self.jobs = {job.name: job for job in work}
        self.longest = longest
        self.fault = fault
        self._rng = Random(seed)
        self._lists: dict[str | None, list[Job]] = {None: work}
        for job in work:
            self._lists.setdefault(job.model, []).append(job)
        self._created = {model: [job.created for job in found] for model, found in self._lists.items()}

    def snapshot(self, name: str, now: float) -> Snapshot:
        """The record of a request: times in whole seconds, as the service tells them."""
        job = self.jobs[name]
        begin = job.created + QUEUED * (job.end - job.created)
        if now >= job.end:
            status, moved = Status.SUCCESS, job.end
        elif now >= begin:
            status, moved = Status.PROCESSING, begin
        else:
            status, moved = Status.QUEUED, job.created
        outcome = Outcome(media=(Media("https://storage.example/a.mp4"),)) if now >= job.end else None
        return Snapshot(
            request_id=name,
            model=job.model,
            status=status,
            word=status.value,
            created_at=datetime.fromtimestamp(int(job.created) + 1e9, UTC),
            updated_at=datetime.fromtimestamp(int(moved) + 1e9, UTC),
            outcome=outcome,
        )

    def page(self, model: str | None, limit: int, offset: int, now: float, known: Known) -> Sheet:
        """A page of the list, newest first unless it is told otherwise."""
        if self.fault == "refused":
            message = "no such page"
            raise NotFound(message, status=404)
        found = self._lists.get(model, [])
        there = bisect_right(self._created.get(model, []), now)
        if self.fault.startswith("short"):
            limit = min(limit, CUT)
        if self.fault == "short, no offset":
            offset = 0
        limit = min(limit, self.longest)
        if self.fault == "unordered":
            chosen = self._rng.sample(found[:there], min(limit, there))
        else:
            chosen = found[max(0, there - offset - limit) : max(0, there - offset)][::-1]
        silent = self.fault.startswith("short")
        return Sheet(
            records=tuple(self._listed(job, now, known) for job in chosen),
            total=None if silent else there,
            more=None if silent else offset + len(chosen) < there,
            size=RECORD * len(chosen),
        )

    def _listed(self, job: Job, now: float, known: Known) -> Listed:
        created = float(int(job.created) + 1e9)
        entry = known(job.name)
        if entry is None:
            return Listed(job.name, created)
        snapshot = self.snapshot(job.name, now)
        same = entry.form is not None and entry.form.word == snapshot.word
        same = same and entry.moved == stamp(snapshot.updated_at)
        return Listed(job.name, created, None if same else snapshot)
