"""The journal: one owner, grouped commits that are on disk, and a file that can always be read."""

import asyncio
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

import gmi_video
from batch.rundown import rivers, stage, told
from gmi_video import Intent, Session, State, VideoRequest
from gmi_video.batch import (
    Batch,
    Journal,
    JournalCorrupt,
    JournalError,
    JournalFailed,
    JournalFull,
    JournalLocked,
    passes,
    tables,
)
from gmi_video.batch.lines import line_of
from gmi_video.batch.owner import file_system, refuse_names, refuse_network
from gmi_video.testing import run

SOURCE = str(Path(gmi_video.__file__).parents[1])
INTENT = Intent(id="i-1", model="Veo3", digest="d", payload={"prompt": "a river"}, state=State.SENDING)


def filled(path: Path, count: int = 50) -> None:
    """A journal with so many waiting lines."""

    async def main() -> None:
        async with stage() as (_, session), Batch(session, journal=path) as batch:
            await batch.add(rivers(count))

    run(main())


OWNING = """
import sys
from gmi_video.batch import Journal
with Journal(sys.argv[1]):
    print("open", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_told_who_owns_the_journal(tmp_path: Path) -> None:
    """While one process has it no other opens it, and is told the owner's pid; it may read. A kill lets go."""
    filled(tmp_path / "run.db", 3)
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNING, str(tmp_path / "run.db")],
        env={**os.environ, "PYTHONPATH": SOURCE},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert owner.stdout is not None
    owner.stdout.readline()
    with pytest.raises(JournalLocked, match=f"in use by process {owner.pid}") as caught:
        Journal(tmp_path / "run.db").open()
    with Journal(tmp_path / "run.db", readonly=True) as reading:
        rows = list(reading.rows())
    owner.kill()
    owner.communicate(timeout=20)

    assert caught.value.pid == owner.pid
    assert [row.key for row in rows] == ["Veo3-0", "Veo3-1", "Veo3-2"]
    with Journal(tmp_path / "run.db") as journal:
        assert journal.statistics().lines.waiting == 3


def test_a_link_is_no_way_around_the_owner(tmp_path: Path) -> None:
    """A symbolic link to the file, or to its folder, is the same journal: the second owner is refused."""
    (tmp_path / "v3").mkdir()
    (tmp_path / "link.db").symlink_to("v3/run.db")
    (tmp_path / "v4").symlink_to("v3")

    with Journal(tmp_path / "v3/run.db"):
        for other in ("link.db", "v4/run.db"):
            with pytest.raises(JournalLocked, match=f"{other}' is in use by this very process"):
                Journal(tmp_path / other).open()
    with Journal(tmp_path / "link.db"), pytest.raises(JournalLocked):
        Journal(tmp_path / "v3/run.db").open()


def test_a_second_name_of_the_file_is_refused(tmp_path: Path) -> None:
    """A hard link would have a log of its own, which nobody else sees: neither name is opened, unless forced."""
    filled(tmp_path / "run.db", 1)
    (tmp_path / "other.db").hardlink_to(tmp_path / "run.db")

    for name in ("run.db", "other.db"):
        with pytest.raises(JournalError, match="one of 2 names of one file"):
            Journal(tmp_path / name).open()
    Journal(tmp_path / "run.db", force=True).open().close()
    (tmp_path / "other.db").unlink()
    Journal(tmp_path / "run.db").open().close()


def test_a_file_that_is_mounted_alone_is_refused(tmp_path: Path) -> None:
    """Where only the file is mounted, its log and its lock lie elsewhere: the folder is asked for."""
    path = tmp_path / "run.db"
    path.touch()
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        f"29 1 8:1 / {tmp_path} rw - ext4 /dev/sda1 rw\n30 1 8:1 /j.db {path} rw - ext4 /dev/sda1 rw\n"
    )

    with pytest.raises(JournalError, match="mount the folder in which it lies"):
        refuse_names(path, mounts)
    refuse_names(tmp_path / "new.db", mounts)
    refuse_names(path, tmp_path / "none")


def test_the_file_is_the_owners_alone(tmp_path: Path) -> None:
    """Prompts are nobody else's: the journal and what lies beside it are readable by their owner only."""
    with Journal(tmp_path / "run.db"):
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}

    assert {"run.db", "run.db-lock"} <= set(modes)
    assert set(modes.values()) == {0o600}


LOCKING = """
import fcntl, os, sys
with open(sys.argv[1], "r+b") as file:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)
    except OSError:
        print("in use")
    else:
        print("free")
"""
"""Tells whether anybody has the file open as SQLite has: by a lock on 510 bytes behind the first GiB and two."""


def test_an_owner_leaves_the_locks_of_a_reader_in_its_process_alone(tmp_path: Path) -> None:
    """Who opens a file that is open already and closes it drops each lock of the process on it; no stranger may get in."""
    path = tmp_path / "run.db"
    with Journal(path):
        pass

    def standing() -> str:
        command = [sys.executable, "-c", LOCKING, str(path)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert standing() == "free"
    with Journal(path, readonly=True) as reader:
        assert list(reader.rows()) == []
        assert standing() == "in use"
        with Journal(path):
            assert standing() == "in use"


@pytest.mark.parametrize("made", [Path.mkdir, lambda path: path.symlink_to(path.with_name("there.db"))])
def test_what_lies_at_the_path_is_followed_or_refused(made: Callable[[Path], None], tmp_path: Path) -> None:
    """A link that leads nowhere yet makes its file, for the owner's eyes only; a folder is named as one."""
    path = tmp_path / "run.db"
    made(path)
    if path.is_dir():
        with pytest.raises(JournalError, match="Is a directory"):
            Journal(path).open()
    else:
        with Journal(path):
            assert stat.S_IMODE((tmp_path / "there.db").stat().st_mode) == 0o600


def test_commits_that_wait_together_are_made_together(tmp_path: Path) -> None:
    """A thousand submissions at once are on disk after a few commits, each before its `put` returns."""

    async def main(journal: Journal) -> int:
        said: list[str] = []
        await journal.do(lambda connection: connection.set_trace_callback(said.append))
        await asyncio.gather(*(journal.put(evolve(INTENT, id=f"i-{n}")) for n in range(1000)))
        return said.count("COMMIT")

    with Journal(tmp_path / "run.db") as journal:
        commits = asyncio.run(main(journal))
        undecided = asyncio.run(journal.undecided())

    assert commits < 20
    assert len(undecided) == 1000


def test_it_keeps_the_ledgers_promises(tmp_path: Path) -> None:
    """Open intents come back as they were, oldest first; a request has one owner, over processes too."""

    async def first(journal: Journal) -> None:
        await journal.put(INTENT)
        await journal.put(evolve(INTENT, id="i-2", key=("a", 1)))
        await journal.put(evolve(INTENT, id="i-3"))
        await journal.put(evolve(INTENT, id="i-3", state=State.ACCEPTED, request_id="r-3"), b"{}")
        assert await journal.claim("r-3", "i-3")
        assert await journal.claim("r-3", "i-3")

    async def second(journal: Journal) -> tuple[tuple[Intent, ...], bool, dict[str, str]]:
        return (
            await journal.undecided(),
            await journal.claim("r-3", "i-9"),
            dict(await journal.claims(["r-3", "r-4"])),
        )

    with Journal(tmp_path / "run.db") as journal:
        asyncio.run(first(journal))
    with Journal(tmp_path / "run.db") as journal:
        undecided, claimed, claims = asyncio.run(second(journal))

    assert [intent.id for intent in undecided] == ["i-1", "i-2"]
    assert undecided[0] == INTENT
    assert not claimed
    assert claims == {"r-3": "i-3"}


def test_a_session_may_keep_its_submissions_in_it(tmp_path: Path) -> None:
    """`Session(store=journal)` makes any program's submissions outlive it."""

    async def main() -> tuple[str, dict[str, str]]:
        async with stage() as (_, session):
            with Journal(tmp_path / "run.db") as journal:
                view: Session = session.using(store=journal)
                snapshot = await view.submit(VideoRequest("Veo3", {"prompt": "a river"}))
                return snapshot.request_id, dict(await journal.claims([snapshot.request_id]))

    request_id, claims = run(main())

    assert list(claims) == [request_id]


def test_a_damaged_journal_is_refused_and_still_read(tmp_path: Path) -> None:
    """With a page overwritten nothing is submitted from it; the lines on other pages can still be exported."""
    path = tmp_path / "run.db"
    filled(path, 400)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 4096 // 2 * 4096)
        file.write(b"\xff" * 4096)

    with pytest.raises(JournalCorrupt, match="damaged"):
        Journal(path).open()
    with Journal(path, readonly=True) as journal:
        rows = list(journal.rows())
    assert 100 < len(rows) <= 400
    assert len({row.number for row in rows}) == len(rows)


@pytest.mark.parametrize(
    "body", [b"not a database at all, but long enough to be looked at" * 100, b"SQLite format 3\0"]
)
def test_what_is_no_journal_is_left_alone(body: bytes, tmp_path: Path) -> None:
    """A file of something else is refused, and not a byte of it is changed."""
    path = tmp_path / "run.db"
    path.write_bytes(body)

    with pytest.raises(JournalError):
        Journal(path).open()
    assert path.read_bytes() == body


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """Another program's SQLite file is not taken for an empty journal."""
    path = tmp_path / "run.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (a)")
    other.commit()
    other.close()
    before = path.read_bytes()

    with pytest.raises(JournalError, match="a database of something else"):
        Journal(path).open()
    assert path.read_bytes() == before


def test_a_newer_journal_is_refused(tmp_path: Path) -> None:
    """What a later version wrote is not guessed at."""
    path = tmp_path / "run.db"
    filled(path, 1)
    newer = sqlite3.connect(path)
    newer.execute(f"PRAGMA user_version = {tables.VERSION + 1}")
    newer.close()

    with pytest.raises(JournalError, match="written by a newer gmi_video"):
        Journal(path).open()


def test_an_older_journal_is_backed_up_and_brought_here_in_one_transaction(tmp_path: Path) -> None:
    """Of an older file a copy is kept; where the way to this version fails, the file is what it was."""
    path = tmp_path / "run.db"
    filled(path, 2)
    connection = sqlite3.connect(path, isolation_level=None)
    broken = {**tables.MIGRATIONS, 1: "ALTER TABLE lines ADD COLUMN extra; ALTER TABLE no_such ADD COLUMN a"}
    whole = {**tables.MIGRATIONS, 1: "ALTER TABLE lines ADD COLUMN extra"}

    with pytest.raises(sqlite3.Error):
        tables.prepare(connection, path, migrations=broken, version=2)
    unchanged = tables.version_of(connection)
    columns = [row[1] for row in connection.execute("PRAGMA table_info(lines)")]
    tables.prepare(connection, path, migrations=whole, version=2)
    changed = tables.version_of(connection)
    connection.close()
    kept = sqlite3.connect(path.with_name("run.db.v1.bak"))
    count = kept.execute("SELECT count(*) FROM lines").fetchone()[0]
    kept.close()

    assert (unchanged, "extra" in columns, changed, count) == (1, False, 2, 2)


MOUNTS = (
    b"22 1 259:1 / / rw,relatime - ext4 /dev/root rw\n"
    b"30 22 0:40 / /data/shared\\040files rw - nfs4 server:/x rw\n"
    b"31 22 0:41 / /data rw - xfs /dev/b rw\n"
    b"32 22 0:42 / /mnt/caf\xe9 rw - tmpfs tmpfs rw\n"
    b"33 22 0:43 / /mnt/caf\xc3\xa9\rx rw - cifs //server/x rw\n"
)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/a/run.db", "ext4"),
        ("/data/run.db", "xfs"),
        ("/data/shared files/a/run.db", "nfs4"),
        ("/mnt/café\rx/run.db", "cifs"),
        ("/mnt/caf\udce9/run.db", "tmpfs"),
    ],
)
def test_the_file_system_of_a_path_is_that_of_its_nearest_mount(path: str, kind: str, tmp_path: Path) -> None:
    """Mount points are told as the kernel writes them: escapes, and names that are no UTF-8, included."""
    mounts = tmp_path / "mountinfo"
    mounts.write_bytes(MOUNTS)

    assert file_system(Path(path), mounts) == kind


def test_a_network_file_system_is_refused(tmp_path: Path) -> None:
    """Where locks do not keep others out the journal is not put, and the sentence says what to do."""
    mounts = tmp_path / "mountinfo"
    mounts.write_bytes(MOUNTS)

    with pytest.raises(JournalError, match=r"network file system \(nfs4\).*local disk, or force it"):
        refuse_network(Path("/data/shared files/run.db"), mounts)
    refuse_network(Path("/data/run.db"), mounts)
    refuse_network(Path("/data/run.db"), tmp_path / "none")


def test_a_full_disk_fails_what_does_not_fit_and_keeps_the_rest(tmp_path: Path) -> None:
    """`JournalFull` is raised by the commit that found no room; once there is room the next one passes."""

    async def main(journal: Journal) -> list[str]:
        pages = await journal.do(lambda connection: connection.execute("PRAGMA page_count").fetchone()[0])
        await journal.do(
            lambda connection: connection.execute(f"PRAGMA max_page_count = {pages + 1}").close()
        )
        heavy = evolve(INTENT, id="heavy", payload={"prompt": "x" * 100_000})
        with pytest.raises(JournalFull, match="no room"):
            await journal.put(heavy)
        await journal.do(lambda connection: connection.execute("PRAGMA max_page_count = 100000").close())
        await journal.put(INTENT)
        return [intent.id for intent in await journal.undecided()]

    with Journal(tmp_path / "run.db") as journal:
        assert asyncio.run(main(journal)) == ["i-1"]


def test_after_a_failure_of_the_disk_nothing_is_written_any_more(tmp_path: Path) -> None:
    """A failed sync cannot be repaired by another: the journal stays failed, and says so to each who asks."""

    def fails(_: sqlite3.Connection) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        error.sqlite_errorname = "SQLITE_IOERR_FSYNC"
        raise error

    async def main(journal: Journal) -> None:
        with pytest.raises(JournalFailed, match="SQLITE_IOERR_FSYNC"):
            await journal.do(fails)
        with pytest.raises(JournalFailed):
            await journal.put(INTENT)

    with Journal(tmp_path / "run.db") as journal:
        asyncio.run(main(journal))
        assert isinstance(journal.failure, JournalFailed)


def test_a_child_of_its_process_may_not_use_it(tmp_path: Path) -> None:
    """After a fork the connection is the parent's alone: the child is refused."""
    program = """
import asyncio, os, sys
from gmi_video.batch import Journal, JournalError
with Journal(sys.argv[1]) as journal:
    child = os.fork()
    if not child:
        try:
            asyncio.run(journal.undecided())
        except JournalError as error:
            os._exit(7 if "forked" in str(error) else 8)
        os._exit(9)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "run.db")],
        env={**os.environ, "PYTHONPATH": SOURCE},
        check=False,
        timeout=60,
    )

    assert done.returncode == 7


def test_a_copy_of_the_file_is_a_journal(tmp_path: Path) -> None:
    """A closed journal is one file: its copy elsewhere is taken up like the original."""
    filled(tmp_path / "run.db", 5)
    shutil.copy(tmp_path / "run.db", tmp_path / "copy.db")

    async def main() -> int:
        async with stage() as (_, session), Batch(session, journal=tmp_path / "copy.db") as batch:
            return len((await told(batch)).ends)

    assert run(main()) == 5


def test_adding_a_file_again_is_cheap_in_the_journal(tmp_path: Path) -> None:
    """Equal lines are counted in one pass each, and a pass forgets what it counted."""
    line = line_of(VideoRequest("Veo3", {"prompt": "twin"}), lambda _: "")

    async def main(journal: Journal) -> list[list[bool]]:
        await journal.do(passes.begin)
        found = []
        for one_pass in (1, 2):
            added, _ = await journal.do(lambda connection: passes.add(connection, one_pass, [line] * 3))  # noqa: B023  # awaited at once
            await journal.do(lambda connection: passes.end(connection, one_pass))  # noqa: B023  # as above
            found.append([item.new for item in added])
        return found

    with Journal(tmp_path / "run.db") as journal:
        assert asyncio.run(main(journal)) == [[True] * 3, [False] * 3]
