"""What all tests share: one deterministic way of searching for counter-examples, and the recorded replies."""

import gc
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from gmi_video.wire import Reply

SAMPLES = Path(__file__).with_name("samples")

# Tests start hundreds of processes; without bytecode each would compile the whole package anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

settings.register_profile("steady", derandomize=True, deadline=None, database=None, max_examples=100)
settings.load_profile("steady")


def pytest_collection_finish() -> None:
    """The thousands of collected tests live as long as the run: no collection of garbage walks them again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], Reply]:
    """A recorded reply by its name: a status line, headers, an empty line, and the body byte by byte."""

    def read(name: str) -> Reply:
        head, _, body = (SAMPLES / f"{name}.http").read_bytes().partition(b"\n\n")
        status, *lines = head.decode().splitlines()
        headers = dict(line.split(": ", 1) for line in lines)
        return Reply(status=int(status), headers=headers, body=body)

    return read
