"""The live view: what a board shows, and how it is drawn at any width."""

from io import StringIO

import pytest
from rich.console import Console

from gmi_video import (
    Cancelled,
    Failed,
    Failure,
    GaveUp,
    Missed,
    Progressed,
    Snapshot,
    Stalled,
    Status,
    Succeeded,
)
from gmi_video.cli.board import Board, line, remark
from gmi_video.cli.desk import manner_of
from gmi_video.cli.view import View
from gmi_video.errors import TimedOut


def snapshot(status: Status, **more: object) -> Snapshot:
    return Snapshot(request_id="r-1", model="wan2.7-t2v", status=status, **more)  # type: ignore[arg-type]  # any field


def drawn(board: Board, width: int, height: int = 30, now: float = 10.0) -> list[str]:
    console = Console(file=StringIO(), width=width, force_terminal=True, color_system=None, emoji=False)
    console.print(View(board).picture(width, height, now))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


@pytest.fixture
def board() -> Board:
    board = Board()
    board.put(
        "a", "submitting", title="A [red]fox[/red] 日本語 :smile:", model="wan2.7-t2v", now=0.0, typical=20.0
    )
    board.put("b", "submitting", title="r-2", model="", now=0.0)
    board.tell("a", Progressed(request_id="r-1", snapshot=snapshot(Status.PROCESSING)), 4.0)
    return board


@pytest.mark.parametrize("width", [200, 120, 96, 80, 60, 48, 40, 30])
def test_no_line_is_wider_than_the_terminal(board: Board, width: int) -> None:
    """At every width from thirty columns on each row is one line, and shows model and state."""
    lines = drawn(board, width)

    assert len(lines) == 3
    assert max(map(len, lines)) <= width
    assert "wan2.7" in lines[0]
    assert "processing" in lines[0]
    assert "10.0 s" in lines[0]


def test_markup_in_a_prompt_is_shown_as_it_stands(board: Board) -> None:
    """A prompt cannot colour the view: brackets and colons are text."""
    lines = drawn(board, 140)

    assert "A [red]fox[/red] 日本語 :smile:" in lines[0]


def test_a_bar_goes_by_the_usual_time_and_is_full_only_at_the_end(board: Board) -> None:
    """Half of the usual time is half a bar, much more than it is nearly full, and the end itself fills it."""
    row = board.row("a")
    shares = [row.share(10.0), row.share(1000.0), board.row("b").share(10.0)]
    board.tell("a", Succeeded(request_id="r-1", snapshot=snapshot(Status.SUCCESS)), 30.0)

    assert shares == [0.5, 0.97, None]
    assert row.share(30.0) == 1.0
    assert row.seconds(99.0) == 30.0


def test_a_low_terminal_shows_those_at_work(board: Board) -> None:
    """Where not all rows fit, those that have ended give way, and their number is told."""
    for number in range(30):
        board.put(f"n{number}", "submitting", title="x", model=f"m{number}", now=0.0)
        board.tell(f"n{number}", GaveUp(request_id="x", reason="not found"), float(number))

    lines = drawn(board, 100, height=8)

    assert len(lines) - 1 == 4
    assert "processing" in lines[0]
    assert "(28 not shown)" in lines[4]


def test_a_failure_says_why(board: Board) -> None:
    """The reason stands beside its row, or under the rows where the terminal is narrow."""
    failed = snapshot(Status.FAILED, failure=Failure(message="prompt [b]refused[/b]"))
    board.tell("a", Failed(request_id="r-1", snapshot=failed), 5.0)

    wide, narrow = drawn(board, 120), drawn(board, 60)

    assert "prompt [b]refused[/b]" in wide[0]
    assert narrow[-1] == "wan2.7-t2v: prompt [b]refused[/b]"


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            Progressed(request_id="r-1", elapsed=1.25, snapshot=snapshot(Status.QUEUED)),
            "    1.2 s  r-1  wan2.7-t2v  queued",
        ),
        (
            Missed(request_id="r-1", error=TimedOut("no answer"), look_again_in=4.0, misses=2),
            "    0.0 s  r-1  a look failed (2 times in a row), next in 4.0 s: no answer",
        ),
        (
            Stalled(
                request_id="r-1",
                snapshot=snapshot(Status.UNKNOWN, word="pon\x1bdering"),
                reason="unknown status",
            ),
            "    0.0 s  r-1  wan2.7-t2v  pon dering: in a state that is not documented",
        ),
        (
            Stalled(request_id="r-1", snapshot=snapshot(Status.QUEUED), reason="frozen"),
            "    0.0 s  r-1  wan2.7-t2v  queued: nothing has moved for long; it may never run",
        ),
        (
            Cancelled(request_id="r-1", snapshot=snapshot(Status.CANCELLED)),
            "    0.0 s  r-1  wan2.7-t2v  cancelled",
        ),
        (GaveUp(request_id="r-1", reason="not found"), "    0.0 s  r-1  GMI does not know this id"),
        (
            GaveUp(request_id="r-1", snapshot=snapshot(Status.QUEUED), reason="deadline"),
            "    0.0 s  r-1  wan2.7-t2v  queued: the deadline passed; it is still running",
        ),
    ],
)
def test_an_event_is_one_plain_line(
    event: Progressed | Missed | Stalled | Cancelled | GaveUp, words: str
) -> None:
    """Seconds, id, model, state and what else there is to say, on one line without control signs."""
    assert line(event) == words
    assert "\x1b" not in remark(event)


@pytest.mark.parametrize(
    ("given", "live"),
    [
        ({}, True),
        ({"as_json": True}, False),
        ({"stdout": False}, False),
        ({"stderr": False}, False),
        ({"environ": {"NO_COLOR": "1"}}, False),
        ({"environ": {"CI": "true"}}, False),
        ({"environ": {"TERM": "dumb"}}, False),
        ({"environ": {"GMI_VIDEO_LOG": "debug"}}, False),
    ],
)
def test_the_view_lives_on_a_terminal_only(given: dict[str, object], live: bool) -> None:
    """A live view needs a terminal on both sides and nobody who asked for plain lines."""
    asked: dict[str, object] = {"as_json": False, "stdout": True, "stderr": True, "environ": {}}

    manner = manner_of(**(asked | given))  # type: ignore[arg-type]  # built from cases

    assert manner.live is live
