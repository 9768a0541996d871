"""What goes on at the service when the command ends, as its session told it."""

import pytest
from scene import seen

from gmi_video import Abandoned, Exchange, Submitted
from gmi_video.cli.desk import Desk, Manner
from gmi_video.cli.interrupt import Running, run
from gmi_video.errors import GmiVideoError, Incomplete, SubmissionUncertain
from gmi_video.events import Missed, Progressed


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def running(said: list[str]) -> Running:
    running = Running(said.append)
    running.asking = True
    return running


def test_each_accepted_id_is_told_once(running: Running) -> None:
    """A submission that was accepted and then abandoned is one request, however often it is heard of."""
    running.observe(Submitted(request_id="r-1", model="m"))
    running.observe(Abandoned(request_id="r-1", model="m"))
    running.observe(Abandoned(request_id="r-2", model="m"))
    running.took("r-3")
    running.done("r-3")
    running.done(None)

    assert running.ids == ("r-1", "r-2")
    assert running.farewell() == [
        "2 requests go on running (paid for, nothing is lost): r-1 r-2",
        "To pick up where this left off: gmi-video watch r-1 r-2",
    ]
    assert not running.asking


def test_nothing_is_said_to_run_of_which_nothing_was_heard(running: Running) -> None:
    """An id that was only given may be a slip of the pen: it is paid for where GMI has shown its record."""
    running.took("r-1", "r-2", seen=False)
    running.heard(Missed(request_id="r-1", error=Incomplete("x"), look_again_in=1, misses=1))
    again = "To pick up where this left off: gmi-video watch r-1 r-2"
    assert running.farewell() == ["GMI has told nothing yet of 2: r-1 r-2", again]

    running.heard(Progressed(request_id="r-2", snapshot=seen("r-2", "queued"), previous=None))

    assert running.farewell() == [
        "1 request goes on running (paid for, nothing is lost): r-2",
        "GMI has told nothing yet of 1: r-1",
        again,
    ]


def test_a_submission_that_was_broken_off_is_not_forgotten(running: Running) -> None:
    """Where nobody knows whether it runs, the place to look is told; a definite refusal needs no word."""
    running.observe(Abandoned(model="m", error="Rejected"))
    assert running.farewell() == []

    running.observe(Abandoned(model="m", error="SubmissionUncertain"))

    assert [line.partition("See")[2] for line in running.farewell()] == [
        " whether it is: gmi-video list --since 15m"
    ]


def test_a_lost_answer_is_told_while_it_is_searched_for(running: Running, said: list[str]) -> None:
    """Looking for a lost submission takes minutes: the user hears why, and only then."""
    running.observe(Exchange(operation="submit", method="POST", path="/requests", error="Unreachable"))
    running.observe(Exchange(operation="look", method="GET", path="/requests/r", error="TimedOut"))
    running.observe(Exchange(operation="submit", method="POST", path="/requests", status=200))
    assert said == []

    running.observe(Exchange(operation="submit", method="POST", path="/requests", error="Interrupted"))

    assert len(said) == 1
    assert "looking for it" in said[0]


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (SubmissionUncertain("its fate is unknown", candidates=("r-9",)), 5, "gmi-video status r-9"),
        (
            Incomplete("the link broke", request_id="r-1"),
            1,
            "To pick up where this left off: gmi-video watch r-1",
        ),
    ],
)
def test_an_error_ends_in_its_code_and_its_way_out(
    error: GmiVideoError, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence, the advice, the command that returns to what runs: all on stderr, with the code of the error."""

    async def work(running: Running) -> int:
        if error.request_id is not None:
            running.took(error.request_id)
        raise error

    ended = run(Desk(Manner()), work)

    out, err = capsys.readouterr()
    assert (ended, out) == (code, "")
    assert err.startswith(f"error: {error}\n")
    assert words in err
