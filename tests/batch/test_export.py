"""What a batch did is a table in any tool: nothing is lost, nothing is half written."""

import csv
import json
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import pytest

from batch.rows import EVIL, row, stored
from gmi_video.batch.export import COLUMNS, export, lines_of
from gmi_video.batch.records import Row
from gmi_video.errors import ConfigurationError

ROWS = (
    row(1, key="a", files=(stored("/v/a.jpg"), stored("/v/a.mp4", 7)), candidates=("x", "y"), name="a.mp4"),
    row(2, key=("t", 2), payload={"prompt": EVIL.replace("\ud83e", ""), "seed": 7}, cost=None, queued=None),
    row(3, state="failed", kind="content", reason='no, "never"\n', cost=Decimal("0.0000001")),
)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_csv_is_what_spreadsheets_read(tmp_path: Path) -> None:
    """Every column is there, quotes and line breaks come back as they were, moments are UTC, money is exact."""
    count = export(tmp_path / "r.csv", ROWS)

    first, second, third = table(tmp_path / "r.csv")
    assert count == 3
    assert list(first) == list(COLUMNS)
    assert (first["file"], first["size"], first["key"], first["candidates"]) == ("/v/a.mp4", "7", "a", "x y")
    assert json.loads(first["files"])[0]["location"] == "/v/a.jpg"
    assert (first["added_at"], first["cost"]) == ("1970-01-01T00:16:40+00:00", "0.6")
    assert second["prompt"] == EVIL.replace("\ud83e", "")
    assert json.loads(second["payload"])["seed"] == 7
    assert (second["key"], second["cost"], second["queued"]) == ('["t", 2]', "", "")
    assert (third["reason"], Decimal(third["cost"])) == ('no, "never"\n', Decimal("0.0000001"))
    assert (tmp_path / "r.csv").read_bytes().startswith(b"\xef\xbb\xbfnumber,")


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(tmp_path: Path, sign: str) -> None:
    """A text that a spreadsheet would run is led by an apostrophe in CSV; numbers stay numbers, JSON stays as it was."""
    evil = f"{sign}cmd|' /C calc'!A0"
    rows = [
        row(1, key=evil, payload={"prompt": evil}, reason=evil),
        row(2, key="-5", payload={"prompt": "a = b"}, queued=-1.5),
    ]

    export(tmp_path / "r.csv", rows)
    export(tmp_path / "r.jsonl", rows)

    first, second = table(tmp_path / "r.csv")
    assert [first[name] for name in ("key", "prompt", "reason")] == [f"'{evil}"] * 3
    assert (second["key"], second["prompt"], second["queued"]) == ("-5", "a = b", "-1.5")
    assert json.loads((tmp_path / "r.jsonl").read_text().splitlines()[0])["key"] == evil


def test_a_journal_is_not_replaced_by_a_table(tmp_path: Path) -> None:
    """Whatever it is called, a database stays as it is."""
    path = tmp_path / "run.csv"
    path.write_bytes(b"SQLite format 3\0...")

    with pytest.raises(ConfigurationError, match=r"run\.csv is a database"):
        export(path, ROWS)

    assert path.read_bytes() == b"SQLite format 3\0..."


def test_json_lines_are_the_rows_themselves(tmp_path: Path) -> None:
    """A line of JSON is a whole row, and can be read back equal."""
    export(tmp_path / "r.jsonl", ROWS[:1])

    (line,) = (tmp_path / "r.jsonl").read_text(encoding="utf-8").splitlines()

    assert Row.from_dict(json.loads(line)) == ROWS[0]
    assert list(lines_of(ROWS[:1])) == [line + "\n"]


def test_parquet_has_types(tmp_path: Path) -> None:
    """Numbers, moments and exact money are what they are, so that a query can sum them."""
    parquet = pytest.importorskip("pyarrow.parquet", exc_type=ImportError)

    count = export(tmp_path / "r.parquet", ROWS)

    first, second, third = parquet.read_table(tmp_path / "r.parquet").to_pylist()
    assert count == 3
    assert (first["number"], first["cost"], first["queued"]) == (1, Decimal("0.6"), 10.0)
    assert first["added_at"] == datetime.fromtimestamp(1000, UTC)
    assert (second["cost"], second["queued"], third["cost"]) == (None, None, Decimal("0.0000001"))


def test_parquet_without_its_library_says_what_to_install(tmp_path: Path) -> None:
    """The sentence is the command that installs it, and no file is left."""
    if find_spec("pyarrow"):
        pytest.skip("pyarrow is installed here")

    with pytest.raises(ConfigurationError, match=r"pip install 'gmi_video\[parquet\]'"):
        export(tmp_path / "r.parquet", ROWS)

    assert list(tmp_path.iterdir()) == []


def test_an_ending_names_the_format(tmp_path: Path) -> None:
    """Of any other ending the sentence says what would be right."""
    with pytest.raises(ConfigurationError, match=r"r\.xlsx: its ending says no format; results\.csv"):
        export(tmp_path / "r.xlsx", ROWS)


@pytest.mark.parametrize("name", ["r.csv", "r.jsonl"])
def test_a_file_is_whole_or_as_it_was(tmp_path: Path, name: str) -> None:
    """A journal that breaks off half-way leaves the older file, and nothing beside it."""
    (tmp_path / name).write_text("old")

    def rows() -> Iterator[Row]:
        yield ROWS[0]
        raise OSError(5, "gone")

    with pytest.raises(OSError, match="gone"):
        export(tmp_path / name, rows())

    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_no_rows_are_a_heading(tmp_path: Path) -> None:
    """An empty batch is an empty table, whose columns are there."""
    assert export(tmp_path / "r.csv", ()) == 0
    assert table(tmp_path / "r.csv") == []
    assert "payload" in (tmp_path / "r.csv").read_text()


@pytest.mark.parametrize("name", ["r.csv", "r.jsonl"])
def test_many_rows_take_little_memory(tmp_path: Path, name: str) -> None:
    """A table is written as its rows are read."""
    export(tmp_path / name, ROWS)
    tracemalloc.start()
    export(tmp_path / name, (row(number, payload={"prompt": "x" * 1000}) for number in range(3000)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (tmp_path / name).stat().st_size > 3_000_000
    assert peak < 500_000
