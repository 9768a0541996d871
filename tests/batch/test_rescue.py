"""Of a damaged journal everything is saved that does not lie in the damage itself."""

import asyncio
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
