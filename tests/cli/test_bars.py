"""Bars of files under way: how much, how fast, how long still; at any width, and only where somebody looks."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from cli.terminal import FOX, Shell
from cli.test_terminal import on_a_terminal
from gmi_video import Transfer
from gmi_video.cli.bars import Bars
from gmi_video.sandbox import Sandbox


def drawn(bars: Bars, width: int = 100) -> list[str]:
    console = Console(file=StringIO(), width=width, force_terminal=True, color_system=None, emoji=False)
    console.print(bars.picture())
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def test_each_file_has_a_bar_with_its_bytes() -> None:
    """Names are shown as they stand, totals that nobody told are left open, and a file that begins anew falls back."""
    bars = Bars()
    bars.tell(Transfer(name="[red]fox[/red].mp4", done=0, total=2_000_000))
    bars.tell(Transfer(name="[red]fox[/red].mp4", done=1_500_000, total=2_000_000))
    bars.tell(Transfer(name="sound.mp3", done=300_000))
    before = drawn(bars)
    bars.tell(Transfer(name="[red]fox[/red].mp4", done=100_000, total=2_000_000))
    after = drawn(bars)

    assert len(bars) == len(before) == 2
    assert "[red]fox[/red].mp4" in before[0]
    assert "1.5/2.0 MB" in before[0]
    assert "300.0/? kB" in before[1]
    assert "0.1/2.0 MB" in after[0]


@pytest.mark.parametrize("width", [200, 100, 80, 60])
def test_no_bar_is_wider_than_the_terminal(width: int) -> None:
    """A long name is cut, the figures are not."""
    bars = Bars()
    bars.tell(Transfer(name="🦅" * 80 + ".mp4", done=5, total=10))
    (line,) = drawn(bars, width)

    assert len(line) <= width
    assert "5/10 bytes" in line


def test_a_download_has_a_bar_on_a_terminal_and_none_on_a_pipe(
    tmp_path: Path, sandbox: Sandbox, shell: Shell
) -> None:
    """The same command: eyes see the bytes come, a pipe gets the path and one plain line."""
    request_id = shell.run("submit", "wan2.7-t2v", *FOX).out.strip()
    assert shell.run("watch", request_id).code == 0
    code, seen = on_a_terminal(tmp_path, sandbox, "download", request_id, "-o", "fox.mp4")
    piped = shell.run("download", request_id, "-o", "piped.mp4")

    assert code == 0, seen
    assert "17.6/17.6 kB" in seen
    assert "saved fox.mp4" in seen
    assert (piped.out, piped.err) == ("piped.mp4\n", "saved piped.mp4 (17.6 kB)\n")
