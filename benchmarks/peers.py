"""Other clients, each in an environment of its own under `benchmarks/.peers`, never in the project's."""

import subprocess
import sys
from pathlib import Path

from attrs import frozen

HOME = Path(__file__).resolve().parent / ".peers"


class PeerMissing(Exception):
    """A peer cannot be had here; the text says why."""


@frozen
class Peer:
    """A peer that is installed: its interpreter, and its version."""

    python: Path
    version: str


def _ran(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = done.stderr.strip().splitlines() or [f"{command[0]} ended with code {done.returncode}"]
        raise PeerMissing(words[-1][:200])
    return done.stdout.strip()


def peer(package: str, *others: str) -> Peer:
    """A package of the index, installed with `others` by the first call and kept; raises `PeerMissing`."""
    home = HOME / package
    python = home / "bin" / "python"
    whole = home / "installed"
    if not whole.exists():
        _ran(sys.executable, "-m", "venv", "--clear", home)
        _ran(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", package, *others)
        _ran(python, "-m", "compileall", "-q", home / "lib")
        whole.touch()
    version = _ran(python, "-c", f"from importlib.metadata import version; print(version({package!r}))")
    return Peer(python, version)
