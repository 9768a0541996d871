"""Killed at any moment, twice in a row, at each of its commits: a batch loses nothing and pays nothing twice."""

import contextlib
import hashlib
import json
import os
import random
import select
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import define
from served import serving

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


@pytest.fixture(scope="module")
def mother() -> Iterator["subprocess.Popen[bytes]"]:
    """What begins lives."""
    command = [sys.executable, "-W", "error", str(MORTAL)]
    environ = {**os.environ, "PYTHONPATH": SOURCE}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environ, stdin=pipe, stdout=pipe, bufsize=0) as process:
        yield process


@define
class Life:
    """One batch over all its processes."""

    mother: "subprocess.Popen[bytes]"
    sandbox: Sandbox
    folder: Path
    lines: int
    deaths: int = 0

    def live(self, seconds: float, trap: str = "") -> bool:
        """Whether another process of the same batch came to its end within so many seconds; else it is killed."""
        assert self.mother.stdin is not None
        assert self.mother.stdout is not None
        wish = {"url": self.sandbox.url, "folder": str(self.folder), "lines": self.lines, "trap": trap}
        self.mother.stdin.write(json.dumps(wish).encode() + b"\n")
        process = int(self.mother.stdout.readline())
        if not select.select([self.mother.stdout], [], [], seconds)[0]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        code = int(self.mother.stdout.readline())
        self.deaths += code == -signal.SIGKILL
        if code not in {0, -signal.SIGKILL}:
            raise AssertionError((self.folder / "errors.txt").read_text()[-3000:])
        return code == 0

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


def test_a_batch_that_is_killed_at_each_of_its_commits_goes_on_where_it_was(
    mother: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    """Killed before and after each kind of commit in turn, it ends with every line paid and saved once."""
    with serving(FAULTY, speed=20) as sandbox:
        life = Life(mother, sandbox, tmp_path, lines=40)
        for point in POINTS:
            for when in ("before", "after"):
                life.live(LONGEST, f"{point}:{when}:1")
        assert life.live(LONGEST)
        life.check()

    assert life.deaths == 2 * len(POINTS)


@pytest.mark.soak
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("point", POINTS)
def test_a_hundred_deaths_at_one_commit(
    mother: "subprocess.Popen[bytes]", point: str, when: str, tmp_path: Path
) -> None:
    """Killed a hundred times at one kind of commit, batches of 200 lose nothing and pay nothing twice."""
    rng = random.Random(f"{point} {when}")

    def next_one(life: Life) -> bool:
        number = 1 if point == "add" else rng.randint(1, 25)
        return life.live(LONGEST, f"{point}:{when}:{number}")

    die(mother, tmp_path, deaths=100, lines=200, next_one=next_one)


@pytest.mark.parametrize(
    ("deaths", "lines"),
    [pytest.param(4, 30, id="few"), pytest.param(1000, 200, id="all", marks=pytest.mark.soak)],
)
def test_a_batch_that_is_killed_at_any_moment_goes_on_where_it_was(
    mother: "subprocess.Popen[bytes]", deaths: int, lines: int, tmp_path: Path
) -> None:
    """Killed at random moments, it ends with every line paid and saved once."""
    rng = random.Random(7)

    def next_one(life: Life) -> bool:
        return life.live(rng.uniform(0.1, 1.5))

    die(mother, tmp_path, deaths=deaths, lines=lines, next_one=next_one)


def die(
    mother: "subprocess.Popen[bytes]",
    folder: Path,
    *,
    deaths: int,
    lines: int,
    next_one: Callable[[Life], bool],
) -> None:
    """Lives of batches, one after the other, until they have died so often together."""
    together = 0
    for number in range(deaths):
        if together >= deaths:
            return
        place = folder / str(number)
        place.mkdir()
        with serving(FAULTY, speed=20) as sandbox:
            life = Life(mother, sandbox, place, lines)
            while together + life.deaths < deaths and not next_one(life):
                pass
            assert life.live(LONGEST)
            life.check()
        together += max(life.deaths, 1)
