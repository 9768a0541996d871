"""How a fleet stands, by the events that were told of it."""

from io import StringIO

import pytest
from rich.console import Console

from gmi_video import (
    Failed,
    Failure,
    GaveUp,
    Missed,
    Progressed,
    SessionStatistics,
    Snapshot,
    Stalled,
    Status,
    Succeeded,
)
from gmi_video.cli.desk import Desk, Manner
from gmi_video.cli.fleet import TOLD, Fleet, phrase, standing, summary
from gmi_video.cli.fleetview import picture
from gmi_video.cli.tally import DONE, FAILED, OVERDUE, PROCESSING, QUEUED, Tally
from gmi_video.errors import TimedOut

COST = SessionStatistics(looks=40, pages=2, bytes=150_000, oldest=12.0, calls_per_second=2.5)


def snapshot(name: str, status: Status, model: str = "Veo3") -> Snapshot:
    failure = Failure(message="refused") if status is Status.FAILED else None
    return Snapshot(request_id=name, model=model, status=status, failure=failure)


def at_work(name: str, status: Status = Status.PROCESSING, model: str = "Veo3") -> Progressed:
    return Progressed(request_id=name, snapshot=snapshot(name, status, model))


def done(name: str, model: str = "Veo3") -> Succeeded:
    return Succeeded(request_id=name, snapshot=snapshot(name, Status.SUCCESS, model))


def failed(name: str) -> Failed:
    return Failed(request_id=name, snapshot=snapshot(name, Status.FAILED))


def columns(tally: Tally, model: str = "Veo3") -> dict[str, int]:
    group = next(group for group in tally.groups() if group.model == model)
    return {name: count for name, count in group.columns.items() if count}


def test_a_request_stands_in_one_place() -> None:
    """Whatever is told of a request, it is counted once, where it stands now."""
    tally = Tally(0.0)
    tally.take(["a", "b", "c", "d"])
    for name in "abcd":
        tally.tell(at_work(name, Status.QUEUED), 1.0)
    tally.tell(at_work("b"), 2.0)
    tally.tell(done("c"), 3.0)
    tally.tell(failed("d"), 3.0)

    assert columns(tally) == {QUEUED: 1, PROCESSING: 1, DONE: 1, FAILED: 1}
    assert (tally.left, tally.ended, tally.unseen, tally.good) == (2, 2, 0, False)
    assert list(tally.ids) == ["a", "b"]


def test_an_id_is_taken_once() -> None:
    """A line that comes twice in a file is one request."""
    tally = Tally(0.0)

    assert tally.take(["a", "b", "a"]) == ["a", "b"]
    assert tally.take(["b", "c"]) == ["c"]
    assert (tally.taken, tally.unseen) == (3, 3)


def test_those_overdue_go_on() -> None:
    """After its deadline a request is ended for this run, and still one to return to."""
    tally = Tally(0.0)
    tally.take(["a", "b"])
    tally.tell(GaveUp(request_id="a", reason="deadline"), 1.0)
    tally.tell(GaveUp(request_id="b", reason="not found"), 1.0)

    assert list(tally.ids) == ["a"]
    assert tally.ends == {OVERDUE: 1, FAILED: 1}
    assert tally.left == 0


def test_the_rate_is_of_those_that_ended_meanwhile() -> None:
    """What had ended before it was first seen says nothing of how fast the rest goes."""
    tally = Tally(0.0)
    tally.take([f"r-{number}" for number in range(60)])
    for number in range(30):
        tally.tell(done(f"r-{number}"), 0.5)
    for number in range(30, 60):
        tally.tell(at_work(f"r-{number}"), 1.0)
        tally.tell(done(f"r-{number}"), 1.0 + (number - 30))

    assert tally.rate.value(30.0) == pytest.approx(1.0)
    assert tally.rate.value(1000.0) == 0.0


def test_those_that_are_stuck_are_counted_until_they_move() -> None:
    """A stall is told beside the model, and taken back when the request moves."""
    tally = Tally(0.0)
    tally.take(["a", "b"])
    for name in "ab":
        tally.tell(Stalled(request_id=name, snapshot=snapshot(name, Status.QUEUED), reason="frozen"), 1.0)
    before = tally.groups()[0].stuck
    tally.tell(at_work("a"), 2.0)

    assert (before, tally.groups()[0].stuck) == (2, 1)
    assert "1 stuck" in phrase(tally.groups()[0], 2.0)


@pytest.fixture
def fleet() -> Fleet:
    fleet = Fleet(Desk(Manner()))
    fleet.tally.take([f"r-{number}" for number in range(1000)])
    for number in range(900):
        fleet.tally.tell(at_work(f"r-{number}", model=f"model-{number % 30}"), fleet.begun)
    for number in range(300):
        fleet.tally.tell(done(f"r-{number}", f"model-{number % 30}"), fleet.begun + 20)
    fleet.tally.tell(Missed(request_id="r-1", error=TimedOut("no answer"), look_again_in=4.0), fleet.begun)
    fleet.cost = COST
    fleet.reading = False
    return fleet


def test_a_fleet_is_told_in_phrases(fleet: Fleet) -> None:
    """How many have ended, what nobody has seen, how long it will take, and what it costs."""
    now = fleet.begun + 30.0

    assert standing(fleet, now) == [
        "300 of 1,000 ended",
        "100 not seen yet",
        "about 1 min 10 s left",
        "oldest unseen for 12.0 s",
        "2.5 calls a second",
    ]
    assert phrase(fleet.tally.groups()[0], now) == (
        "0 queued, 20 processing, 10 done, 0 failed, 20.0 a minute, about 1 min 00 s left"
    )
    assert summary(fleet.tally, COST, 30.0) == [
        "300 of 1,000 requests ended in 30.0 s: 300 done.",
        "42 calls (40 looks, 2 pages of the list, 150.0 kB), 0.14 a request.",
    ]


@pytest.mark.parametrize(("width", "height"), [(160, 50), (100, 24), (80, 24), (60, 12), (40, 8)])
def test_a_fleet_fits_the_terminal(fleet: Fleet, width: int, height: int) -> None:
    """Thirty models on any screen: no line is wider, no picture higher, and what is hidden is told."""
    console = Console(file=StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(picture(fleet, width, height, fleet.begun + 30.0))
    assert isinstance(console.file, StringIO)
    lines = console.file.getvalue().splitlines()

    assert max(map(len, lines)) <= width
    assert len(lines) < max(height, 9)
    assert any("more models" in line for line in lines) is (height < 36)
    assert any("300 of 1,000 ended" in line for line in lines)


def test_only_the_first_failures_get_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A fleet that fails whole does not fill the terminal; its number is told at the end."""
    fleet = Fleet(Desk(Manner()))
    fleet.tally.take([f"r-{number}" for number in range(50)])
    for number in range(50):
        fleet.event(failed(f"r-{number}"))

    lines = capsys.readouterr().err.splitlines()

    assert len(lines) == TOLD + 1
    assert "refused" in lines[0]
    assert "only counted" in lines[-1]
