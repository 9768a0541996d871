"""The fence before the first byte: what a loss of power would leave on the disk already says "sending"."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import gmi_video
from gmi_video.batch import Journal

SOURCE = str(Path(gmi_video.__file__).parents[1])
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that keeps an image of what was synced."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("a C compiler on Linux is needed to see what was synced")
    library = tmp_path_factory.mktemp("disk") / "disk.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", library, HERE / "powerloss.c", "-ldl"], check=True
    )
    return library


def after_power_loss(disk: Path, folder: Path, **environ: str) -> list[str]:
    """The states of the lines on a disk whose power failed as the first byte of a submission would have left."""
    journal = folder / "run.db"
    process = subprocess.run(
        [sys.executable, str(HERE / "fenced.py"), str(journal)],
        env={**os.environ, "PYTHONPATH": SOURCE, "LD_PRELOAD": str(disk), "FOLDER": str(folder), **environ},
        timeout=60,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL
    found = folder / "found"
    found.mkdir()
    for image in folder.glob("*.image"):
        shutil.copy(image, found / image.name.removesuffix(".image"))
    with Journal(found / "run.db") as survived:
        return [row.state for row in survived.rows()]


def test_a_submission_is_on_the_disk_before_its_first_byte_leaves(disk: Path, tmp_path: Path) -> None:
    """Power lost as the first byte leaves, the journal says that the line may have been sent."""
    states = after_power_loss(disk, tmp_path)

    assert states == ["submitting"]


def test_without_its_sync_the_fence_would_not_hold(disk: Path, tmp_path: Path) -> None:
    """Where syncs are taken away the same disk knows of no submission: the test before this one can fail."""
    states = after_power_loss(disk, tmp_path, NO_SYNC="1")

    assert states == []
