"""A queue in virtual time for the tests of the schedule: its list may lag, be short, repeat itself or lose its order."""

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

from attrs import define, field

from gmi_video import Media, Outcome, Snapshot, Status
from gmi_video._schedule import Schedule
from gmi_video._servertime import ServerTime
from gmi_video._sweep import Listed, Sheet, Sweep
from gmi_video.errors import GmiVideoError, Interrupted, NotFound, Rejected
from gmi_video.events import Event
from gmi_video.settings import Pace

EPOCH = 1e9


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
        model, created, end = self.jobs[name]
        begin = created + (end - created) / 5
        status = Status.SUCCESS if now >= end else Status.PROCESSING if now >= begin else Status.QUEUED
        moved = end if now >= end else begin if now >= begin else created
        return Snapshot(
            request_id=name,
            model=model,
            status=status,
            word=status.value,
            created_at=datetime.fromtimestamp(int(EPOCH + created), UTC),
            updated_at=datetime.fromtimestamp(int(EPOCH + moved), UTC),
            outcome=Outcome(media=(Media("https://x.example/a.mp4"),)) if now >= end else None,
        )

    def page(self, sweep: Sweep, now: float, last: Callable[[str], Snapshot | None]) -> Sheet:
        """A page of the list; raises `GmiVideoError`."""
        self.pages.append(now)
        self.asked.append(sweep.limit)
        if self.odd.strict and sweep.limit > self.odd.strict:
            raise Rejected(f"limit is at most {self.odd.strict}", status=400)
        if self.odd.refused:
            raise NotFound("no list here", status=404)
        if self.rng.random() < self.odd.failing:
            raise Interrupted("the connection broke")
        names = [
            name
            for name in reversed(self.order)
            if self.jobs[name][1] + self.odd.lag <= now and sweep.model in {None, self.jobs[name][0]}
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
            records=tuple(self._listed(name, now, last) for name in chosen),
            total=len(names) if told else None,
            more=offset + limit < len(names) if told else None,
            size=700 * len(chosen),
            seconds=self.odd.seconds,
        )

    def _listed(self, name: str, now: float, last: Callable[[str], Snapshot | None]) -> Listed:
        snapshot = self.record(name, now)
        before = last(name)
        assert snapshot.created_at is not None
        same = before is not None and (before.word, before.updated_at) == (snapshot.word, snapshot.updated_at)
        return Listed(name, snapshot.created_at.timestamp(), None if same else snapshot)


@define
class Follower:
    """Drives a schedule against a queue, one call at a time, and keeps what was told."""

    queue: Queue
    pace: Pace = field(factory=Pace)
    seed: int = 0
    now: float = 0.0
    told: list[tuple[float, Event]] = field(factory=list)
    schedule: Schedule = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.schedule = Schedule(Random(self.seed), clock=ServerTime(EPOCH + 0.5, 0.0))

    def submit(self, name: str, model: str, end: float) -> None:
        """A request is accepted now, and followed."""
        self.queue.put(name, model, self.now, end)
        self.schedule.learn(self.queue.record(name, self.now), self.now, accepted=True)
        self.follow(name)

    def follow(self, name: str) -> None:
        """A request is followed by its id alone."""
        self._keep(self.schedule.add(name, "reader", self.pace, self.now))

    def run(self, until: float) -> None:
        """Looks and sweeps until then, or until nothing is followed."""
        while (due := self.schedule.next_due()) is not None and due <= until:
            self.now = max(self.now, due)
            self.step()
        self.now = until

    def step(self) -> None:
        """What is due now."""
        sweep = self.schedule.sweep(self.now)
        if sweep is not None:
            self._walk(sweep)
            return
        name = self.schedule.take(self.now)
        if name is None:
            return
        self.queue.looks.append((self.now, name))
        if self.queue.rng.random() < self.queue.odd.failing:
            self._keep(self.schedule.miss(name, Interrupted("the connection broke"), self.now).events)
        else:
            self._keep(self.schedule.observe(name, self.queue.record(name, self.now), self.now).events)

    def _walk(self, sweep: Sweep) -> None:
        failed: GmiVideoError | None = None
        while not sweep.done and failed is None:
            try:
                sheet = self.queue.page(sweep, self.now, self.schedule.last)
            except GmiVideoError as error:
                failed = error
            else:
                self.now += sheet.seconds
                for said in self.schedule.read(sweep, sheet, self.now):
                    self._keep(said.events)
        for said in self.schedule.swept(sweep, self.now, failed):
            self._keep(said.events)

    def _keep(self, events: tuple[Event, ...]) -> None:
        self.told.extend((self.now, event) for event in events)

    @property
    def ends(self) -> dict[str, float]:
        """How late each end was told; fails where one was told twice."""
        found: dict[str, float] = {}
        for at, event in self.told:
            if event.final:
                assert event.request_id not in found, "two ends of one id"
                found[event.request_id] = at - self.queue.jobs[event.request_id][2]
        return found
