"""A batch is seen at a glance, on terminals of any width, and told in one line elsewhere."""

from collections import Counter
from decimal import Decimal
from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console

from gmi_video import VideoRequest
from gmi_video.batch.records import BatchStatistics, Finished, Tally
from gmi_video.cli.batch_ends import code, sentence
from gmi_video.cli.batch_rates import WINDOW, Pace, Rates
from gmi_video.cli.batch_view import dollars, line, picture, rows
from gmi_video.errors import Rejected

VEO = Tally(
    waiting=5, submitting=1, running=7, processing=3, done=1200, failed=2, parked=1, spent=Decimal(3840)
)
WAN = Tally(running=2, processing=9, done=1, uncertain=1, spent=Decimal("0.152"))
SEEN = BatchStatistics(
    lines=Tally(waiting=5, submitting=1, running=9, processing=5, done=1201, failed=2, parked=1, uncertain=1),
    models={"wan2.7-t2v": WAN, "Veo3": VEO},
    spent=Decimal("3840.152"),
    reserved=Decimal("0.6"),
    budget=Decimal(5000),
    rate=2.5,
    eta=125,
)


def drawn(width: int, height: int = 24, notes: tuple[str, ...] = ()) -> list[str]:
    console = Console(file=StringIO(), width=width, height=height)
    with console.capture() as captured:
        paces = {"Veo3": Pace(2.0, 90.0)}
        console.print(picture(SEEN, width, height, paces=paces, notes=notes))
    return captured.get().splitlines()


def test_a_model_is_a_row() -> None:
    """The largest first; lines at work are no longer queued, and what is parked or undecided stands aside."""
    assert rows(SEEN) == [
        ("Veo3", "6", "4", "3", "0", "1,200", "2", "1", "$3,840.00"),
        ("wan2.7-t2v", "0", "0", "2", "0", "1", "0", "1", "$0.152"),
    ]


def test_a_pipe_gets_one_line() -> None:
    """How far it is, where the rest stands, the money against the budget, how fast, and how long still."""
    assert line(SEEN) == (
        "1,203 of 1,220 ended · 6 waiting · 4 queued · 5 processing · 2 failed · 2 aside · "
        "$3,840.152 spent of $5,000.00, $0.60 reserved · 150 a minute · 2 min 05 s left"
    )


@pytest.mark.parametrize("width", [40, 60, 76, 103, 104, 124, 200])
def test_the_view_fits_its_terminal(width: int) -> None:
    """No line is wider than the terminal, and nothing wraps, whatever its width."""
    lines = drawn(
        width, notes=("Submitting nothing more; waiting for the 32 in flight. " * 3, "Interrupt again.")
    )

    assert all(cell_len(each) <= width for each in lines)
    assert len(lines) == 7
    assert lines[-1].startswith("Interrupt again.")
    assert "1,20" in lines[1]


def test_each_model_has_a_pace_of_its_own() -> None:
    """What ended lately says how many end a minute, and how long the rest takes; where none did, nothing is said."""
    rates = Rates()
    begun = BatchStatistics(models={"a": Tally(waiting=9, done=1), "b": Tally(running=3)})
    later = BatchStatistics(models={"a": Tally(waiting=3, done=6, failed=1), "b": Tally(running=3)})

    assert rates.take(begun, 100.0) == {}
    assert rates.take(later, 112.0) == {"a": Pace(0.5, 6.0)}
    assert rates.take(later, 112.0 + WINDOW + 13) == {}


def test_the_paces_stand_in_their_rows() -> None:
    """A model's lines a minute and the time that is left for it are beside its money."""
    first, second = drawn(120)[1:3]

    assert first.split()[-6:] == ["$3,840.00", "120", "1", "min", "30", "s"]
    assert second.split()[-2:] == ["-", "-"]


def test_many_models_leave_room_for_the_sum() -> None:
    """On a low terminal the models with the most lines are shown, and of how many others is said."""
    lines = drawn(120, height=7)

    assert lines[1].startswith("Veo3")
    assert lines[2].startswith("1 more model")
    assert "1,203 of 1,220 ended" in lines[3]


def test_money_is_exact_beyond_the_cent() -> None:
    """Whole cents have two digits, finer prices all of theirs, unknown ones a dash."""
    assert [dollars(Decimal(text)) for text in ("0.6", "1234", "0.0000005", "0")] == [
        "$0.60",
        "$1,234.00",
        "$0.0000005",
        "$0.00",
    ]
    assert dollars(None) == "-"


def test_an_end_is_a_line() -> None:
    """A done line tells its time and price, another one why it is not done."""
    wish = VideoRequest("Veo3", {}, key="fox")

    done = Finished(request=wish, key="fox", number=1, queued=2.0, processing=60.0, cost=Decimal("0.6"))
    failed = Finished(request=wish, number=2, state="failed", error=Rejected("no\x1b[31m good", status=400))

    assert sentence(done) == "done  fox  Veo3  1 min 02 s  $0.60"
    assert sentence(failed) == "failed  line 2  Veo3  no [31m good"


@pytest.mark.parametrize(
    ("lines", "kinds", "number"),
    [
        (Tally(done=2), [], 0),
        (Tally(done=2, failed=1), [], 1),
        (Tally(done=2, waiting=1), [], 1),
        (Tally(done=2, parked=1), ["BudgetExceeded"], 1),
        (Tally(done=2, parked=1, failed=1), ["credit"], 4),
        (Tally(done=2, parked=1, uncertain=1), ["credit"], 5),
    ],
)
def test_the_exit_code_says_whose_turn_it_is(lines: Tally, kinds: list[str], number: int) -> None:
    """A charge that is not known goes before an empty account, and that before a line that failed."""
    assert code(BatchStatistics(lines=lines), Counter(kinds)) == number
