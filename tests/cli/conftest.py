"""A sandbox for the tests of the command, shared where nothing scripted goes wrong."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.terminal import Shell, serving
from gmi_video.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with serving() as sandbox:
        yield sandbox


@pytest.fixture
def shell(tmp_path: Path, sandbox: Sandbox) -> Shell:
    return Shell(folder=tmp_path, sandbox=sandbox)
