"""The command as its user runs it: a process of its own, against a sandbox in a thread with real time."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import served
from attrs import field, frozen

from gmi_video import cli
from gmi_video.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
FOX = ("-p", "prompt=a fox in snow")


serving = partial(served.serving, speed=20_000.0)
"""A sandbox whose requests take no time that a person would notice."""


@frozen(kw_only=True)
class Ran:
    """What a process left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Stdout as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


def environment(sandbox: Sandbox | None, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Variables of a shell in which the key of a sandbox is set, and no other."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GMI_")}
    kept |= {"PYTHONPATH": os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))}
    if sandbox is not None:
        kept |= {"GMI_API_KEY": sandbox.api_key, "GMI_BASE_URL": sandbox.url}
    return kept | dict(extra or {})


@frozen(kw_only=True)
class Shell:
    """A folder, and a service to speak to."""

    folder: Path
    sandbox: Sandbox | None = None
    extra: Mapping[str, str] = field(factory=dict)

    def start(self, *tokens: str) -> "subprocess.Popen[str]":
        """The command, begun in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "gmi_video", *tokens],
            cwd=self.folder,
            env=environment(self.sandbox, self.extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def spawn(self, *tokens: str) -> Ran:
        """The command, run to its end in a process of its own."""
        return ended(self.start(*tokens))

    def run(self, *tokens: str) -> Ran:
        """The command, run to its end in this process: the same from its arguments on, and ten times quicker."""
        out, err = StringIO(), StringIO()
        with pytest.MonkeyPatch.context() as shell, redirect_stdout(out), redirect_stderr(err):
            shell.chdir(self.folder)
            for name in [name for name in os.environ if name.startswith("GMI_")]:
                shell.delenv(name)
            for name, value in environment(self.sandbox, self.extra).items():
                shell.setenv(name, value)
            code = cli.run(tokens)
        return Ran(code=code, out=out.getvalue(), err=err.getvalue())


def ended(process: "subprocess.Popen[str]", seen: str = "") -> Ran:
    """A process's end; `seen` is what was already read of its stderr."""
    try:
        out, err = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Ran(code=process.returncode, out=out, err=seen + err)


def until(happened: Callable[[], object], seconds: float = 30.0) -> None:
    """Returns once `happened`; fails after `seconds`."""
    latest = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < latest, "it never happened"
        time.sleep(0.005)


def read_until(process: "subprocess.Popen[str]", words: str) -> str:
    """Stderr up to the line that holds `words`; fails where it ends before."""
    assert process.stderr is not None
    seen = ""
    for line in process.stderr:
        seen += line
        if words in line:
            return seen
    ran = ended(process, seen)
    message = f"{words!r} never came, but: {ran}"
    raise AssertionError(message)
