"""Where a whole file is put: never over another, told where it cannot be, and room is asked first."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from parts import BODY, FILM, begun
from scene import left_in

from gmi_video._part import Part
from gmi_video.errors import TargetUnusable


def test_room_is_asked_first(tmp_path: Path) -> None:
    """More than the disk has free is refused before it is tried, in the words for a disk that is full."""
    part = begun(tmp_path / "film.mp4")
    part.ask_room(1000)
    with pytest.raises(TargetUnusable, match="bytes are to come, and the disk has") as raised:
        part.ask_room(2**60)
    part.close()

    assert os.strerror(errno.ENOSPC) in str(raised.value)


def test_a_file_that_appeared_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    """Without `overwrite` the other file stays as it is, and nothing is left beside it."""
    target = tmp_path / "film.mp4"
    with Part(target) as part:
        part.begin(FILM)
        part.write(BODY)
        target.write_bytes(b"mine")
        with pytest.raises(TargetUnusable, match="appeared"):
            part.finish(overwrite=False)

    assert target.read_bytes() == b"mine"
    assert left_in(tmp_path) == ["film.mp4"]


def test_overwriting_replaces_at_the_very_end(tmp_path: Path) -> None:
    """The old file is whole until the new one is."""
    target = tmp_path / "taken"
    target.write_bytes(b"mine")
    with Part(target) as part:
        part.begin(FILM)
        part.write(BODY)
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
    part.begin(FILM)
    part.write(BODY)
    for found in folder.iterdir():
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
from gmi_video._part import Part
from gmi_video._range import Edition
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with Part(Path({str(tmp_path / "film.mp4")!r})) as part:
        part.begin(Edition(url="u"))
        part.write(b"x" * 5000)
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
    with Part(target) as part:
        part.begin(FILM)
        part.write(BODY)
        part.finish(overwrite=False)

    assert target.read_bytes() == BODY


def test_a_part_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    """A folder that went away after the check is told when the file is made."""
    with pytest.raises(TargetUnusable, match="No such file"):
        Part(tmp_path / "gone" / "film.mp4").open()


def test_a_file_system_without_hard_links_still_takes_files(tmp_path: Path) -> None:
    """Where a link cannot be made the file is renamed, and a taken name is still respected."""
    program = f"""
import os
from pathlib import Path
from gmi_video._part import Part
from gmi_video._range import Edition
def no_links(*_, **__):
    raise PermissionError(1, "Operation not permitted")
os.link = no_links
folder = Path({str(tmp_path)!r})
for _ in range(2):
    try:
        with Part(folder / "film.mp4") as part:
            part.begin(Edition(url="u"))
            part.write(b"film")
            part.finish(overwrite=False)
    except Exception as error:
        print(type(error).__name__)
print(sorted(path.name for path in folder.iterdir()), (folder / "film.mp4").read_bytes())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == ["TargetUnusable", "['film.mp4'] b'film'"]
