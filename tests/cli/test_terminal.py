"""On a real terminal the view lives, and what is printed is for eyes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.terminal import FOX, environment
from gmi_video.sandbox import Sandbox

pty = pytest.importorskip("pty", reason="pseudo-terminals are a matter of POSIX")


def on_a_terminal(folder: Path, sandbox: Sandbox, *tokens: str, **extra: str) -> tuple[int, str]:
    """The exit code of the command, and all that it wrote to a terminal of a hundred columns."""
    kept = environment(sandbox, {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30", **extra})
    env = {name: value for name, value in kept.items() if name not in {"CI", "NO_COLOR"} - set(extra)}
    ours, its = pty.openpty()
    command = [sys.executable, "-m", "gmi_video", *tokens]
    with subprocess.Popen(command, cwd=folder, env=env, stdin=its, stdout=its, stderr=its) as process:
        os.close(its)
        seen = b""
        try:
            while piece := os.read(ours, 65536):
                seen += piece
        except OSError:  # how Linux tells that the other end has closed
            pass
        os.close(ours)
    return process.returncode, seen.decode()


def test_the_view_lives_on_a_terminal(tmp_path: Path, sandbox: Sandbox) -> None:
    """A request is drawn with its prompt as it stands, the cursor comes back, and the path is the last line."""
    code, seen = on_a_terminal(
        tmp_path, sandbox, "generate", "seedream-5.0-lite", "-p", "prompt=a [red]fox[/red]", "-o", "fox.jpg"
    )

    assert code == 0, seen
    assert "a [red]fox[/red]" in seen
    assert "saved" in seen
    assert seen.rstrip().endswith("fox.jpg")
    assert seen.rfind("\x1b[?25h") > seen.rfind("\x1b[?25l") >= 0


def test_no_color_asks_for_plain_lines(tmp_path: Path, sandbox: Sandbox) -> None:
    """With NO_COLOR a terminal gets the same plain lines as a pipe."""
    code, seen = on_a_terminal(tmp_path, sandbox, "generate", "seedream-5.0-lite", *FOX, NO_COLOR="1")

    assert code == 0, seen
    assert "\x1b" not in seen
    assert "seedream-5.0-lite  success" in seen


def test_a_table_is_framed_and_whole(tmp_path: Path, sandbox: Sandbox) -> None:
    """A table fits the terminal, and folds its words before the names of its parameters."""
    code, seen = on_a_terminal(tmp_path, sandbox, "model", "pixverse-v5.6-t2v")

    assert code == 0
    assert "─" * 90 in seen
    assert "generate_multi_clip_switch" in seen
