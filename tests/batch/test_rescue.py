"""Of a damaged journal everything is saved that does not lie in the damage itself."""

import asyncio
import re
from pathlib import Path

import pytest

from gmi_video import Session, Settings, VideoRequest
from gmi_video.batch import Batch, Journal, JournalCorrupt

PAGE = 4096
COUNT = 300


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a journal of three hundred lines."""
    path = tmp_path_factory.mktemp("whole") / "j.db"

    async def fill() -> None:
        async with Session(Settings(api_key="key")) as session, Batch(session, journal=path) as batch:
            await batch.add(VideoRequest("Veo3", {"prompt": f"take {n} {'x' * 200}"}) for n in range(COUNT))

    asyncio.run(fill())
    return path.read_bytes()


@pytest.mark.parametrize("part", range(8))
def test_a_damaged_page_costs_its_own_lines_only(whole: bytes, part: int, tmp_path: Path) -> None:
    """Whichever page is overwritten, at most the lines on it are lost, and the others are as they were."""
    pages = range(3, len(whole) // PAGE)
    kept = []

    for page in list(pages)[part::8]:
        path = tmp_path / f"{page}.db"
        path.write_bytes(whole[: page * PAGE] + b"\xff" * PAGE + whole[(page + 1) * PAGE :])
        with Journal(path, readonly=True) as journal:
            rows = list(journal.rows())
        assert all(row.payload["prompt"].startswith(f"take {row.number - 1} ") for row in rows)
        kept.append(len(rows))

    assert min(kept) >= COUNT - PAGE // 200


def test_a_damaged_journal_is_refused_as_a_whole(whole: bytes, tmp_path: Path) -> None:
    """Damage where lines are is seen on opening, before anything could be submitted."""
    path = tmp_path / "j.db"
    page = len(whole) // PAGE // 2
    path.write_bytes(whole[: page * PAGE] + b"\xff" * PAGE + whole[(page + 1) * PAGE :])

    with pytest.raises(JournalCorrupt, match="is damaged"):
        Journal(path).open()


@pytest.mark.parametrize("cut", [PAGE - 1, PAGE, 2 * PAGE + 7, 0.25, 0.5, 0.75])
def test_a_journal_that_was_cut_off_keeps_what_lies_before(whole: bytes, cut: float, tmp_path: Path) -> None:
    """Wherever the file ends too early, the lines on the pages that are left are read, each as it was."""
    path = tmp_path / "j.db"
    length = int(len(whole) * (1 - cut)) if cut < 1 else len(whole) - int(cut)
    path.write_bytes(whole[:length])

    with Journal(path, readonly=True) as journal:
        rows = list(journal.rows())

    assert all(row.payload["prompt"].startswith(f"take {row.number - 1} ") for row in rows)
    there = set(re.findall(rb'"take (\d+) ', whole[: length // PAGE * PAGE]))
    assert {row.number - 1 for row in rows} >= {int(number) for number in there}
    with pytest.raises(JournalCorrupt, match="is damaged"):
        Journal(path).open()


def test_a_line_that_holds_noise_costs_no_other(whole: bytes, tmp_path: Path) -> None:
    """Where the damage is within a line's own words, it alone is left out."""
    path = tmp_path / "j.db"
    at = whole.index(b'{"prompt":"take 150 ')
    path.write_bytes(whole[:at] + b"noise noise" + whole[at + 11 :])

    with Journal(path, readonly=True) as journal:
        numbers = [row.number for row in journal.rows()]

    assert numbers == [number for number in range(1, COUNT + 1) if number != 151]
