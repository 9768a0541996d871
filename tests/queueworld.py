"""A queue in virtual time for the tests of the schedule: its list may lag, be short, repeat itself or lose its order."""

from datetime import UTC, datetime
from functools import lru_cache
from random import Random

from attrs import define, field

from gmi_video import Media, Outcome, Snapshot, Status
from gmi_video._schedule import Schedule
from gmi_video._servertime import ServerTime
from gmi_video._sheet import Known
from gmi_video._sweep import Listed, Sheet, Sweep
from gmi_video.errors import GmiVideoError, Interrupted, NotFound, Rejected
from gmi_video.events import Event
from gmi_video.settings import Pace

EPOCH = 1e9


@lru_cache(maxsize=10_000)
def _record(name: str, model: str, status: Status, created: int, moved: int) -> Snapshot:
    return Snapshot(
        request_id=name,
        model=model,
        status=status,
        word=status.value,
        created_at=datetime.fromtimestamp(created, UTC),
        updated_at=datetime.fromtimestamp(moved, UTC),
        outcome=Outcome(media=(Media("https://x.example/a.mp4"),)) if status is Status.SUCCESS else None,
    )


@define
class Oddities:
    """What is wrong with a service."""

    lag: float = 0.0
    cut: int | None = None
    silent: bool = False
    repeats: bool = False
    shuffled: bool = False
    stuck: bool = False
    refused: bool = False
    failing: float = 0.0
    longest: int = 100
    seconds: float = 0.0
    strict: int | None = None


@define
class Queue:
    """Requests by name: model, creation and end in seconds; what was asked of them is counted."""

    rng: Random
    odd: Oddities = field(factory=Oddities)
    jobs: dict[str, tuple[str, float, float]] = field(factory=dict)
    order: list[str] = field(factory=list)
    looks: list[tuple[float, str]] = field(factory=list)
    pages: list[float] = field(factory=list)
    asked: list[int] = field(factory=list)

    def put(self, name: str, model: str, created: float, end: float) -> None:
        """One more request."""
        self.jobs[name] = (model, created, end)
        self.order.append(name)

    def record(self, name: str, now: float) -> Snapshot:
        """What a look says."""
        status, created, moved = self._standing(name, now)
        return _record(name, self.jobs[name][0], status, created, moved)

    def _standing(self, name: str, now: float) -> tuple[Status, int, int]:
        """Where a request stands, and the seconds of its creation and of its last move."""
        _, created, end = self.jobs[name]
        begin = created + (end - created) / 5
        status = Status.SUCCESS if now >= end else Status.PROCESSING if now >= begin else Status.QUEUED
        moved = end if now >= end else begin if now >= begin else created
        return status, int(EPOCH + created), int(EPOCH + moved)

    def page(self, sweep: Sweep, now: float, known: Known) -> Sheet:
        """A page of the list; raises `GmiVideoError`."""
        self.pages.append(now)
        self.asked.append(sweep.limit)
        if self.odd.strict and sweep.limit > self.odd.strict:
            raise Rejected(f"limit is at most {self.odd.strict}", status=400)
        if self.odd.refused:
            raise NotFound("no list here", status=404)
        if self.rng.random() < self.odd.failing:
            raise Interrupted("the connection broke")
        lag, wanted = self.odd.lag, sweep.model
        named = ((name, self.jobs[name]) for name in reversed(self.order))
        names = [
            name
            for name, (model, created, _) in named
            if created + lag <= now and (wanted is None or wanted == model)
        ]
        if self.odd.shuffled:
            self.rng.shuffle(names)
        offset = 0 if self.odd.stuck else sweep.offset
        limit = min(sweep.limit, self.odd.longest, self.odd.cut or sweep.limit)
        chosen = names[offset : offset + limit]
        if self.odd.repeats and chosen:
            chosen += [self.rng.choice(chosen) for _ in range(5)]
        told = not self.odd.silent
        return Sheet(
            records=tuple(self._listed(name, now, known) for name in chosen),
            total=len(names) if told else None,
            more=offset + limit < len(names) if told else None,
            size=700 * len(chosen),
            seconds=self.odd.seconds,
        )

    def _listed(self, name: str, now: float, known: Known) -> Listed:
        (status, created, moved), entry = self._standing(name, now), known(name)
        same = entry is not None and entry.form is not None and entry.form.word == status.value
        same = same and entry is not None and entry.moved == moved
        return Listed(name, created, None if same else self.record(name, now))


@define
class Follower:
    """Drives a schedule against a queue, one call at a time, and keeps what was told.

    `unseen` is the longest that an id was not seen, and `early` are looks at an age at which nothing of the model had
    ended yet, though the id was seen less than the longest wait ago.
    """

    queue: Queue
    pace: Pace = field(factory=Pace)
    seed: int = 0
    now: float = 0.0
    told: list[tuple[float, Event]] = field(factory=list)
    unseen: float = 0.0
    early: list[tuple[float, str]] = field(factory=list)
    _sights: dict[str, float] = field(factory=dict)
    schedule: Schedule = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.schedule = Schedule(Random(self.seed), clock=ServerTime(EPOCH + 0.5, 0.0))

    def submit(self, name: str, model: str, end: float) -> None:
        """A request is accepted now, and followed."""
        self.queue.put(name, model, self.now, end)
        self.schedule.learn(self.queue.record(name, self.now), self.now, accepted=True)
        self.follow(name)

    def follow(self, name: str, given: Snapshot | None = None) -> None:
        """A request is followed by its id alone, or by a snapshot."""
        self._sights[name] = self.now
        self._keep(self.schedule.add(name, "reader", self.pace, self.now, given))

    def run(self, until: float) -> None:
        """Looks and sweeps until then, or until nothing is followed."""
        while (due := self.schedule.next_due()) is not None and due <= until:
            self.now = max(self.now, due)
            self.step()
        self.now = until

    def step(self) -> None:
        """What is due now."""
        self._compare()
        sweep = self.schedule.sweep(self.now)
        if sweep is not None:
            self._walk(sweep)
            return
        name = self.schedule.take(self.now)
        if name is None:
            return
        self.queue.looks.append((self.now, name))
        self._check(name)
        if self.queue.rng.random() < self.queue.odd.failing:
            self._keep(self.schedule.miss(name, Interrupted("the connection broke"), self.now).events)
        else:
            self._sight(name)
            self._keep(self.schedule.observe(name, self.queue.record(name, self.now), self.now).events)

    def _walk(self, sweep: Sweep) -> None:
        failed: GmiVideoError | None = None
        while not sweep.done and failed is None:
            try:
                sheet = self.queue.page(sweep, self.now, self.schedule.entry)
            except GmiVideoError as error:
                failed = error
            else:
                self.now += sheet.seconds
                for listed in sheet.records:
                    self._sight(listed.request_id)
                sweep.read(sheet)
                for said in self.schedule.heard(sheet.records, self.now):
                    self._keep(said.events)
        for said in self.schedule.swept(sweep, self.now, failed):
            self._keep(said.events)

    def _sight(self, name: str) -> None:
        """An id was seen."""
        if name in self._sights:
            self.unseen = max(self.unseen, self.now - self._sights[name])
            self._sights[name] = self.now

    def _compare(self) -> None:
        """What the statistics say is as old as the oldest, whose age they may give up to a second more."""
        said = self.schedule.unseen(self.now)
        age = self.now - min(self._sights.values()) if self._sights else None
        assert (said is None) == (age is None)
        if said is not None and age is not None:
            assert said >= age - 1e-6, "an id was unseen for longer than is said"
            assert self.pace.sweep == "auto" or said <= age + 1 + 1e-6, "no id was unseen for so long"

    def _check(self, name: str) -> None:
        """A look is made: whether it could have been left for later."""
        entry = self.schedule.entry(name)
        assert entry is not None
        law = self.schedule.cadence.law(entry.form.model) if entry.form else None
        if law is None or entry.empty_since is not None:
            return
        young = self.schedule.fleet.lives.age(entry, self.now) < law.least - 1e-6
        if young and self.now - entry.at < self.pace.longest - 1e-6:
            self.early.append((self.now, name))

    def _keep(self, events: tuple[Event, ...]) -> None:
        for event in events:
            self.told.append((self.now, event))
            if event.final:
                self._sights.pop(event.request_id, None)

    @property
    def ends(self) -> dict[str, float]:
        """How late each end was told; fails where one was told twice."""
        found: dict[str, float] = {}
        for at, event in self.told:
            if event.final:
                assert event.request_id not in found, "two ends of one id"
                found[event.request_id] = at - self.queue.jobs[event.request_id][2]
        return found
