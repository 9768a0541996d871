"""Files on disk: whole at their place, or not there at all."""

import hashlib
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from scene import left_in

from gmi_video._files import Part, check_file, check_folder, digest
from gmi_video.errors import TargetUnusable

BODY = b"a film" * 1000


def a_file(folder: Path) -> Path:
    path = folder / "taken"
    path.write_bytes(b"mine")
    return path


def test_a_finished_part_is_at_its_place_and_nothing_is_beside_it(tmp_path: Path) -> None:
    """The bytes, the size and the digest are those that were written, with the permissions of any new file."""
    target = tmp_path / "film.mp4"
    with Part(target) as part:
        part.write([BODY[:7], b"", BODY[7:]])
        during = (target.exists(), len(left_in(tmp_path)))
        sha256 = part.finish(overwrite=False)
    mask = os.umask(0)
    os.umask(mask)

    assert during == (False, 1)
    assert target.read_bytes() == BODY
    assert (part.size, sha256) == (len(BODY), hashlib.sha256(BODY).hexdigest())
    assert digest(target) == (part.size, sha256)
    assert left_in(tmp_path) == ["film.mp4"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~mask


def test_a_part_that_is_not_finished_leaves_nothing(tmp_path: Path) -> None:
    """Whatever ends the writing, neither the target nor a temporary file stays."""

    def interrupted() -> None:
        with Part(tmp_path / "film.mp4") as part:
            part.write([BODY])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    never_opened = Part(tmp_path / "film.mp4")
    never_opened.close()

    assert left_in(tmp_path) == []


def test_beginning_anew_forgets_what_was_written(tmp_path: Path) -> None:
    """After `restart` only what follows is in the file and in its digest."""
    target = tmp_path / "film.mp4"
    with Part(target) as part:
        part.write([b"x" * 100_000])
        part.restart()
        part.write([BODY])
        sha256 = part.finish(overwrite=False)

    assert target.read_bytes() == BODY
    assert (part.size, sha256) == (len(BODY), hashlib.sha256(BODY).hexdigest())


def test_a_file_that_appeared_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    """Without `overwrite` the other file stays as it is, and nothing is left beside it."""
    target = tmp_path / "film.mp4"
    with Part(target) as part:
        part.write([BODY])
        target.write_bytes(b"mine")
        with pytest.raises(TargetUnusable, match="appeared"):
            part.finish(overwrite=False)

    assert target.read_bytes() == b"mine"
    assert left_in(tmp_path) == ["film.mp4"]


def test_overwriting_replaces_at_the_very_end(tmp_path: Path) -> None:
    """The old file is whole until the new one is."""
    target = a_file(tmp_path)
    with Part(target) as part:
        part.write([BODY])
        before = target.read_bytes()
        part.finish(overwrite=True)

    assert before == b"mine"
    assert target.read_bytes() == BODY
    assert left_in(tmp_path) == ["taken"]


def test_a_folder_that_went_away_is_told(tmp_path: Path) -> None:
    """Where the place is gone at the end, the error names it."""
    folder = tmp_path / "gone"
    folder.mkdir()
    part = Part(folder / "film.mp4")
    part.open()
    part.write([BODY])
    (found,) = folder.iterdir()
    found.unlink()
    folder.rmdir()
    with pytest.raises(TargetUnusable, match=r"film\.mp4"):
        part.finish(overwrite=False)
    part.close()


def test_a_disk_that_takes_no_more_is_told(tmp_path: Path) -> None:
    """A write that the system refuses becomes `TargetUnusable` with its reason, and nothing is left."""
    program = f"""
import resource, signal
from pathlib import Path
from gmi_video._files import Part
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with Part(Path({str(tmp_path / "film.mp4")!r})) as part:
        part.write([b"x" * 5000])
except Exception as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("TargetUnusable")
    assert "too large" in done.stdout
    assert left_in(tmp_path) == []


def test_names_may_be_as_long_as_names_get(tmp_path: Path) -> None:
    """The temporary name does not grow with the target's: 250 bytes of any script are a good name."""
    target = tmp_path / ("🦅" * 62 + ".mp4")
    check_file(target)
    with Part(target) as part:
        part.write([BODY])
        part.finish(overwrite=False)

    assert target.read_bytes() == BODY


def test_a_good_target_leaves_no_trace_of_the_check(tmp_path: Path) -> None:
    """Proving that a place can be written leaves it as it was."""
    check_file(tmp_path / "film.mp4")
    check_file(a_file(tmp_path), overwrite=True)
    check_folder(tmp_path)

    assert left_in(tmp_path) == ["taken"]


def a_dangling_link(folder: Path) -> Path:
    path = folder / "link"
    path.symlink_to(folder / "nowhere")
    return path


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda folder: folder, "it is a folder"),
        (lambda folder: folder / "missing" / "film.mp4", "does not exist"),
        (lambda folder: a_file(folder) / "film.mp4", "Not a directory"),
        (a_file, "there already"),
        (a_dangling_link, "there already"),
        (lambda folder: folder / ("x" * 300), "too long"),
        (lambda folder: folder / "a\0b.mp4", "signs"),
        (lambda folder: folder / "\udcff\ud800.mp4", "signs"),
        (lambda _: Path(), "a file name is wanted"),
        (lambda _: Path("/proc/film.mp4"), "proc"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_with_the_reason(
    make: Callable[[Path], Path], why: str, tmp_path: Path
) -> None:
    """Every reason for which a file cannot be written is known before anything is paid."""
    target = make(tmp_path)
    before = left_in(tmp_path)
    with pytest.raises(TargetUnusable, match=why):
        check_file(target)

    assert left_in(tmp_path) == before


def test_a_missing_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    """`into` names a folder that may not be there yet."""
    check_folder(tmp_path / "a" / "b")
    check_folder(tmp_path / "a" / "b")

    assert (tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (a_file, "it is a file"),
        (lambda folder: a_file(folder) / "below", "Not a directory"),
        (lambda folder: folder / ("x" * 300), "too long"),
        (lambda folder: folder / "a\0b", "signs"),
        (lambda _: Path("/proc/self/fd"), "proc"),
    ],
)
def test_a_folder_that_cannot_be_written_is_refused_with_the_reason(
    make: Callable[[Path], Path], why: str, tmp_path: Path
) -> None:
    """Files in the way, names that cannot be, folders that take nothing: each is told."""
    with pytest.raises(TargetUnusable, match=why):
        check_folder(make(tmp_path))


def test_a_part_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    """A folder that went away after the check is told when the file is made."""
    with pytest.raises(TargetUnusable, match="No such file"):
        Part(tmp_path / "gone" / "film.mp4").open()


def test_a_file_system_without_hard_links_still_takes_files(tmp_path: Path) -> None:
    """Where a link cannot be made the file is renamed, and a taken name is still respected."""
    program = f"""
import os
from pathlib import Path
from gmi_video._files import Part
def no_links(*_, **__):
    raise PermissionError(1, "Operation not permitted")
os.link = no_links
folder = Path({str(tmp_path)!r})
for _ in range(2):
    try:
        with Part(folder / "film.mp4") as part:
            part.write([b"film"])
            part.finish(overwrite=False)
    except Exception as error:
        print(type(error).__name__)
print(sorted(path.name for path in folder.iterdir()), (folder / "film.mp4").read_bytes())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == ["TargetUnusable", "['film.mp4'] b'film'"]
