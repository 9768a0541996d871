"""The page on batches is a program: each of its blocks runs, and its commands and options are there."""

import re
import subprocess
import sys
from pathlib import Path

from cli.terminal import environment, serving

from gmi_video import cli
from gmi_video.sandbox import Behaviour, Script

PAGE = (Path(__file__).parents[2] / "docs" / "batch.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_its_programs_run(tmp_path: Path) -> None:
    """Both programs print what a reader expects, without a warning, from an empty folder."""
    told = []
    at_once = Script(models={"*": Behaviour(sync=True)})
    with serving(at_once) as sandbox:
        for number, block in enumerate(BLOCKS):
            folder = tmp_path / str(number)
            folder.mkdir()
            done = subprocess.run(
                [sys.executable, "-W", "error", "-c", block],
                cwd=folder,
                env=environment(sandbox),
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert (done.returncode, done.stderr) == (0, "")
            told.append(sorted(done.stdout.splitlines()))

    assert told[0] == ["2.25", *(f"fox-{number} videos/fox-{number}.mp4" for number in range(3))]
    assert told[1] == ["1 None done", "2 owl done", "2 rows", "report.html"]


def test_its_options_are_those_of_the_command() -> None:
    """Every option that the page names is one that the command has."""
    batch = cli.app["batch"]

    apps = (batch, *(batch[name] for name in ("status", "export", "report", "resolve", "audit")))
    known = {
        name for app in apps for argument in app.assemble_argument_collection() for name in argument.names
    }
    named = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", PAGE))
    assert named <= known, named - known
