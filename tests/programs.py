"""The programs of the documentation: how they are read, and run against a cloud of their own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import gmi_video
from gmi_video.sandbox import Sandbox


def blocks(page: Path) -> list[str]:
    """The Python blocks of a page, in order."""
    return re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def environment(sandbox: Sandbox, base_url: str = "") -> dict[str, str]:
    """What a program needs to find a sandbox, and this package."""
    return {
        **os.environ,
        "GMI_API_KEY": sandbox.api_key,
        "GMI_BASE_URL": base_url or sandbox.url,
        "PYTHONPATH": str(Path(gmi_video.__file__).parents[1]),
    }


def run_block(text: str, folder: Path, sandbox: Sandbox, *, base_url: str = "") -> str:
    """What a block prints when it is run as a program, warnings being errors."""
    program = folder / "program.py"
    program.write_text(text)
    done = subprocess.run(
        [sys.executable, "-W", "error", str(program)],
        env=environment(sandbox, base_url),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
