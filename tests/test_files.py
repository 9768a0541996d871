"""Places for files, proven writable before anything is paid."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from scene import left_in

from gmi_video._files import check_file, check_folder, digest
from gmi_video.errors import TargetUnusable

BODY = b"a film" * 1000


def a_file(folder: Path) -> Path:
    path = folder / "taken"
    path.write_bytes(b"mine")
    return path


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


def test_the_digest_of_a_file_is_its_sha_256(tmp_path: Path) -> None:
    """Size and digest of what is there already."""
    (tmp_path / "film").write_bytes(BODY)

    assert digest(tmp_path / "film") == (len(BODY), hashlib.sha256(BODY).hexdigest())
