"""Killed at any moment, twice in a row, at each of its commits: a batch loses nothing and pays nothing twice."""

import asyncio
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import define

import gmi_video
from batch.mortal import POINTS
from gmi_video.batch import Journal
from gmi_video.sandbox import Behaviour, Faults, Sandbox, Script

SOURCE = str(Path(gmi_video.__file__).parents[1])
MORTAL = Path(__file__).with_name("mortal.py")
LONGEST = 120.0

FAULTY = Script(
    models={"*": Behaviour(seconds=8, queued=2)},
    faults=Faults(
        submit={"drop_after_accept": 0.04, "drop_before_body": 0.02, "502_after_accept": 0.02},
        look={"drop_after_accept": 0.02},
        media={"truncate": 0.05},
        seed=11,
    ),
)


@contextmanager
def serving(script: Script) -> Iterator[Sandbox]:
    """A sandbox on a real loop in a thread of its own, for other processes."""
    ready: list[Sandbox] = []
    begun, over = threading.Event(), threading.Event()

    async def main() -> None:
        async with Sandbox(script, render=False, speed=20) as sandbox:
            ready.append(sandbox)
            begun.set()
            await asyncio.get_running_loop().run_in_executor(None, over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    try:
        assert begun.wait(20)
        yield ready[0]
    finally:
        over.set()
        thread.join(20)


@define
class Life:
    """One batch over all its processes."""

    sandbox: Sandbox
    folder: Path
    lines: int
    deaths: int = 0

    def begin(self, trap: str = "") -> "subprocess.Popen[bytes]":
        """Another process of the same batch."""
        environ = {
            **os.environ,
            "GMI_API_KEY": "sandbox-key",
            "GMI_BASE_URL": self.sandbox.url,
            "PYTHONPATH": SOURCE,
            "TRAP": trap,
        }
        with (self.folder / "errors.txt").open("ab") as errors:
            return subprocess.Popen(
                [sys.executable, "-W", "error", str(MORTAL), str(self.folder), str(self.lines)],
                env=environ,
                stderr=errors,
            )

    def until(self, process: "subprocess.Popen[bytes]", seconds: float) -> bool:
        """Whether a process came to its end within so many seconds; else it is killed."""
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait(20)
        self.deaths += process.returncode == -signal.SIGKILL
        if process.returncode not in {0, -signal.SIGKILL}:
            raise AssertionError((self.folder / "errors.txt").read_text()[-3000:])
        return process.returncode == 0

    def check(self) -> None:
        """Nothing lost, nothing charged twice, no torn file, each line once."""
        charged = Counter(charge.payload["prompt"] for charge in self.sandbox.charges)
        with Journal(self.folder / "run.db") as journal:
            rows = list(journal.rows())
        told = [json.loads(line) for line in (self.folder / "told.jsonl").read_text().splitlines()]
        done = {end["key"] for end in told if end["state"] == "done"}
        files = {str(path): path for path in (self.folder / "videos").iterdir() if path.suffix == ".mp4"}

        assert [(row.key, row.state) for row in rows] == [(key, "done") for key in range(self.lines)]
        assert done == set(range(self.lines))
        assert len({row.request_id for row in rows}) == self.lines
        assert charged == Counter(f"river {key}" for key in range(self.lines))
        assert {file.location for row in rows for file in row.files} == set(files)
        for row in rows:
            (file,) = row.files
            assert hashlib.sha256(files[file.location].read_bytes()).hexdigest() == file.sha256


def lives_of(quick: int, soak: int) -> list[object]:
    """How much is tried: a little always, all of it with `-m soak`."""
    return [pytest.param(quick, id="quick"), pytest.param(soak, id="all", marks=pytest.mark.soak)]


@pytest.mark.parametrize("deaths", lives_of(2, 100))
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("point", POINTS)
def test_a_batch_that_is_killed_at_a_commit_goes_on_where_it_was(
    point: str, when: str, deaths: int, tmp_path: Path
) -> None:
    """Killed before or after each kind of commit, again and again, it ends with every line paid and saved once."""
    rng = random.Random(f"{point} {when}")
    lines = 12 if deaths < 10 else 200
    total = 0
    while total < deaths:
        folder = tmp_path / str(total)
        folder.mkdir()
        with serving(FAULTY) as sandbox:
            life = Life(sandbox, folder, lines)
            while total + life.deaths < deaths:
                trap = f"{point}:{when}:{rng.randint(1, 1 if point == 'add' else max(2, lines // 8))}"
                if life.until(life.begin(trap), LONGEST):
                    break
            assert life.until(life.begin(), LONGEST)
            life.check()
        assert life.deaths, f"nothing was committed at {point}"
        total += life.deaths


@pytest.mark.parametrize("deaths", lives_of(6, 1000))
def test_a_batch_that_is_killed_at_any_moment_goes_on_where_it_was(deaths: int, tmp_path: Path) -> None:
    """Killed at random moments, it ends with every line paid and saved once."""
    rng = random.Random(7)
    lines = 40 if deaths < 10 else 200
    total = 0
    while total < deaths:
        folder = tmp_path / str(total)
        folder.mkdir()
        with serving(FAULTY) as sandbox:
            life = Life(sandbox, folder, lines)
            while total + life.deaths < deaths and not life.until(life.begin(), rng.uniform(0.6, 2.5)):
                pass
            assert life.until(life.begin(), LONGEST)
            life.check()
        total += max(life.deaths, 1)
