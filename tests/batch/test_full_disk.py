"""A disk that is full, under the files or under the journal: nothing more is paid, and nothing twice."""

import contextlib
import errno
import os
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from sqlite3 import Connection

import pytest

from batch.rundown import charged, played, rivers, rows_of, stage, told
from gmi_video.batch import Batch, Journal, JournalFull, Stored
from gmi_video.testing import run

SHORT_LOG = "PRAGMA wal_autocheckpoint = 20"
"""What makes a small journal's log as short beside its file as a large one's is by itself."""


def test_a_journal_without_room_stops_submissions_and_finishes_what_was_paid(tmp_path: Path) -> None:
    """Once the disk is full nothing more is posted; what runs is saved, paid once, and its end handed out once."""

    def tight(connection: Connection) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 6}")

    async def main() -> tuple[object, Counter[str], dict[str, int]]:
        async with stage() as (sandbox, session):
            journal = Journal(tmp_path / "run.db")
            batch = Batch(session, journal=journal, out=tmp_path / "videos")
            await batch.add(rivers(120))
            await journal.do(tight)
            first = await told(batch)
            posted = len(sandbox.charges)
            saved = len(list((tmp_path / "videos").iterdir()))
            assert saved == posted < 120
            await batch.aclose()
            journal.close()
            async with Batch(session, journal=tmp_path / "run.db", out=tmp_path / "videos") as again:
                second = await told(again)
            handed = Counter(str(done.key) for end in (first, second) for done in end.ends)
            return first.error, handed, charged(sandbox)

    error, handed, charges = run(main())

    assert isinstance(error, JournalFull)
    assert handed == {f"Veo3-{number}": 1 for number in range(120)}
    assert charges == {f"river {number}": 1 for number in range(120)}
    assert {row.state for row in rows_of(tmp_path / "run.db")} == {"done"}
    assert len(list((tmp_path / "videos").iterdir())) == 120


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], check=False, capture_output=True
    )
    if done.returncode:
        pytest.skip("a small file system can be mounted by root only")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_disk_that_fills_up_under_the_journal_costs_no_end(small_disk: Path, tmp_path: Path) -> None:
    """Whichever commit found no room, all is paid and done once; only the end before it may be handed out again."""
    rest = small_disk / "of somebody else"

    def fill() -> None:
        with contextlib.suppress(OSError), rest.open("ab", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)

    async def main() -> tuple[Counter[str], dict[str, int]]:
        async with stage() as (sandbox, session):
            handed: Counter[str] = Counter()
            with Journal(small_disk / "run.db") as journal:
                await journal.do(lambda connection: connection.execute(SHORT_LOG).close())
                batch = Batch(session, journal=journal, out=tmp_path / "videos")
                await batch.add(rivers(60))
                with contextlib.suppress(JournalFull):
                    async for done in batch.run():
                        handed[str(done.key)] += 1
                        fill()
                rest.unlink()
                handed.update(str(done.key) for done in (await told(batch)).ends)
            return handed, charged(sandbox)

    handed, charges = run(main())

    assert set(handed) == {f"Veo3-{number}" for number in range(60)}
    assert handed.total() <= 61
    assert charges == {f"river {number}": 1 for number in range(60)}


def test_a_full_disk_parks_files_and_nothing_else(small_disk: Path, tmp_path: Path) -> None:
    """All lines are submitted and followed to their ends; those without room are fetched by a later run."""

    async def main() -> tuple[dict[str, int], int, dict[str, int], dict[str, int]]:
        async with stage() as (sandbox, session):
            async with Batch(session, journal=tmp_path / "run.db", out=small_disk) as batch:
                await batch.add(rivers(100))
                full = await told(batch)
                posted = len(sandbox.charges)
            async with Batch(session, journal=tmp_path / "run.db", out=tmp_path / "large") as batch:
                end = await told(batch)
            return dict(full.states), posted, dict(end.states), charged(sandbox)

    full, posted, end, charges = run(main())

    assert posted == 100
    assert full["done"] + full["parked"] == 100
    assert full["parked"] > 20
    assert end == {"done": full["parked"]}
    assert set(charges.values()) == {1}


class Bucket:
    """A sink that has no room."""

    async def put(self, name: str, stream: AsyncIterator[bytes]) -> Stored:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_sink_without_room_is_named() -> None:
    """Where a sink has no room no disk is spoken of: the lines that are parked after the first one name the sink."""
    end, _ = played(rivers(8), out=Bucket())

    assert end.states == {"parked": 8}
    reasons = {str(done.error) for done in end.ends}
    assert "the sink (Bucket) had no room a moment ago" in reasons
    assert not any("disk" in reason for reason in reasons)
