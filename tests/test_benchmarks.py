"""The benchmarks' table and arithmetic, and that a line runs; no figure is asserted."""

import json
from pathlib import Path

import pytest

from benchmarks import lines
from benchmarks.__main__ import main
from benchmarks.figures import Figure, ratio, turns
from benchmarks.fresh import MeasurementFailed, fresh
from benchmarks.table import row, table


def test_the_sides_are_measured_in_turn() -> None:
    """A slow minute of the machine meets both sides."""
    order = list(turns(("ours", "bare"), 3))

    assert order == ["ours", "bare", "ours", "bare", "ours", "bare"]


def test_a_ratio_is_the_median_of_the_ratios_round_by_round() -> None:
    """A round is compared with its neighbour, not with the mean of all."""
    figure = ratio("looks", [2.0, 30.0, 5.0], [1.0, 10.0, 5.0], against="bare", target=2.0)

    assert figure.samples == (2.0, 3.0, 1.0)
    assert figure.value == 2.0


def test_sides_of_different_length_are_no_rounds() -> None:
    """A lost sample is an error and not a shifted comparison."""
    with pytest.raises(ValueError, match="argument"):
        ratio("looks", [1.0, 2.0], [1.0], against="bare")


@pytest.mark.parametrize(
    ("value", "target", "more_is_better", "verdict"),
    [
        (1.05, 1.05, False, "reached"),
        (1.06, 1.05, False, "MISSED"),
        (10.0, 10.0, True, "reached"),
        (9.9, 10.0, True, "MISSED"),
        (3.0, None, False, ""),
        (None, 1.0, False, "not to be had"),
    ],
)
def test_a_verdict_says_whether_the_target_was_reached(
    value: float | None, target: float | None, more_is_better: bool, verdict: str
) -> None:
    """A missed target is printed as missed, and what could not be measured as not to be had."""
    figure = Figure(what="x", value=value, unit="×", target=target, more_is_better=more_is_better)

    assert figure.verdict == verdict


def test_the_table_has_aligned_columns_and_the_targets_sign() -> None:
    """Each column begins at one place, whatever the cells' lengths."""
    fast = Figure(what="looks", value=12.5, unit="×", against="the best peer", target=10, more_is_better=True)
    slow = Figure(what="import of the package", value=0.5, unit="ms", target=1234.5)

    printed = table([row(3, fast), row(9, slow)]).splitlines()

    assert [line.index(word) for line, word in zip(printed[2:], ("looks", "import"), strict=True)] == [6, 6]
    assert printed[2].split("  ")[-3:] == ["12.50 ×", "≥ 10.00 ×", " reached"]
    assert printed[3].endswith("0.5 ms   ≤ 1,234 ms  reached")


def test_every_line_has_a_name_of_its_own_and_a_number() -> None:
    """A line can be asked for by either; a number that has two halves, there and back, brings both."""
    found = lines.found()

    assert {1, 2, 8, 9, 11} <= {line.number for line in found}
    assert len({line.name for line in found}) == len(found)
    assert [line.name for line in found if line.number == 10] == ["download", "upload"]
    assert len({line.number for line in found}) == len(found) - 1


def test_a_failed_measurement_tells_what_went_wrong() -> None:
    """The other process's last words reach the table."""
    assert fresh(json.loads, s="[1, 2]") == [1, 2]

    with pytest.raises(MeasurementFailed, match="JSONDecodeError"):
        fresh(json.loads, s="[1,")


def test_a_line_runs_and_is_written_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m benchmarks NAME` prints a table and writes the same as JSON."""
    target = tmp_path / "results.json"

    assert main(["schedule", "--quick", "--json", str(target)]) == 0

    written = json.loads(target.read_text())
    figures = written["lines"]["schedule"]["figures"]
    printed = capsys.readouterr().out
    assert figures
    assert all(figure["what"] in printed and len(figure["samples"]) >= 5 for figure in figures)
    assert written["machine"]["versions"]["aiohttp"]


def test_an_unknown_name_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    """The command names what it does not know."""
    with pytest.raises(SystemExit) as ended:
        main(["no-such-line"])

    assert ended.value.code == 2
    assert "no-such-line" in capsys.readouterr().err
