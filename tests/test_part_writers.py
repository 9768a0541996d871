"""A file that is not whole, and others at the same names: writers, links, and what they left."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from parts import BODY, begun, cut, taken_up
from scene import left_in

from gmi_video.errors import TargetUnusable


def test_two_writers_of_one_target_do_not_meet(tmp_path: Path) -> None:
    """While one holds the part another writes a file of its own; both are whole, and the later one is told."""
    target = tmp_path / "film.mp4"
    first, second = begun(target, b"another"), begun(target, BODY)
    second.finish(overwrite=False)
    second.close()
    first.write(b"film" * 9000)
    with pytest.raises(TargetUnusable, match="appeared"):
        first.finish(overwrite=False)
    first.close(keep=True)

    assert target.read_bytes() == BODY
    assert left_in(tmp_path) == ["film.mp4"]


def test_what_a_killed_second_writer_left_is_cleared_away(tmp_path: Path) -> None:
    """Its file has a name of the target's own, so that the next writer finds it, and lets be what is still written."""
    target = tmp_path / "film.mp4"
    first, second, third = begun(target), begun(target, b"a"), begun(target, b"b")
    left = set(left_in(tmp_path))
    copy = {name: (tmp_path / name).read_bytes() for name in left}
    second.close()
    first.close()
    for name, body in copy.items():  # the second's, as a kill would leave it
        if not (tmp_path / name).exists() and body:
            (tmp_path / name).write_bytes(body)
    taken_up(target).close()

    assert len([name for name in left if name.endswith(".part")]) == 3
    assert len(left_in(tmp_path)) == 1
    third.close()
    assert left_in(tmp_path) == []


def test_another_users_part_is_not_in_the_way(tmp_path: Path) -> None:
    """What cannot be opened under the shared name, as root leaves it, costs nothing but the resume."""
    target = tmp_path / "film.mp4"
    cut(target)
    (path,) = tmp_path.glob(".*.part")
    path.unlink()
    path.mkdir()
    part = begun(target, BODY)
    part.finish(overwrite=False)
    part.close()

    assert target.read_bytes() == BODY


def test_a_file_system_without_locks_is_left_clean(tmp_path: Path) -> None:
    """Where nothing can be locked nobody uses the shared name, and no empty file stays under it."""
    program = f"""
import errno, fcntl
from pathlib import Path
def no_locks(*_):
    raise OSError(errno.EOPNOTSUPP, "Operation not supported")
fcntl.flock = no_locks
from gmi_video._part import Part
from gmi_video._range import Edition
folder = Path({str(tmp_path)!r})
with Part(folder / "film.mp4") as part:
    part.begin(Edition(url="u", etag='"one"'))
    part.write(b"film")
    part.finish(overwrite=False)
print(sorted(path.name for path in folder.iterdir()))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "['film.mp4']\n"


def test_a_part_that_has_become_a_file_is_never_written_to(tmp_path: Path) -> None:
    """Killed between the two steps of a rename, the part is the target's own body: a later writer leaves it."""
    target = tmp_path / "film.mp4"
    cut(target, len(BODY))
    (path,) = tmp_path.glob(".*.part")
    os.link(path, target)
    part = begun(target, b"another film")
    part.close()

    assert target.read_bytes() == BODY
    assert not path.exists()


def test_a_prepared_link_is_not_followed(tmp_path: Path) -> None:
    """Somebody who foresees the hidden name cannot make us write to a file of his choice."""
    precious = tmp_path / "precious"
    precious.write_text("mine")
    target = tmp_path / "film.mp4"
    cut(target)
    (path,), (note,) = tmp_path.glob(".*.part"), tmp_path.glob(".*.json")
    for each in (path, note):
        each.unlink()
        each.symlink_to(precious)
    part = begun(target, BODY)
    part.finish(overwrite=False)
    part.close()

    assert precious.read_text() == "mine"
    assert target.read_bytes() == BODY
    assert not target.is_symlink()
