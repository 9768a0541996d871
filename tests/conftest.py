"""What all tests share: one deterministic way of searching for counter-examples, and the recorded replies."""

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import is_hypothesis_test, settings
from searching import IN_SOAK

from gmi_video.wire import Reply

SAMPLES = Path(__file__).with_name("samples")

# Tests start hundreds of processes; without bytecode each would compile the whole package anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

for profile in ("steady", IN_SOAK):
    settings.register_profile(profile, derandomize=True, deadline=None, database=None, max_examples=100)


def _is_soak(config: pytest.Config) -> bool:
    return bool(config.option.markexpr == "soak")


def pytest_configure(config: pytest.Config) -> None:
    """Loads the profile before any test is imported, so that a search knows how long it may take."""
    settings.load_profile(IN_SOAK if _is_soak(config) else "steady")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """The thousands of collected tests live as long as the run: no collection of garbage walks them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


_AROUND = tuple(f"{Path(__file__).parent / name}{os.sep}" for name in ("batch", "cli", "sandbox"))
"""Tests of what stands around the core: tracing the core under them takes a part of every run, and reaches no more of it."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `-m soak` each search for counter-examples is made as well, in full."""
    if config.pluginmanager.hasplugin("_cov"):
        for item in items:
            if str(item.path).startswith(_AROUND):
                item.add_marker(pytest.mark.no_cover)
    if _is_soak(config):
        for item in items:
            if isinstance(item, pytest.Function) and is_hypothesis_test(item.obj):
                item.add_marker(pytest.mark.soak)


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], Reply]:
    """A recorded reply by its name: a status line, headers, an empty line, and the body byte by byte."""

    def read(name: str) -> Reply:
        head, _, body = (SAMPLES / f"{name}.http").read_bytes().partition(b"\n\n")
        status, *lines = head.decode().splitlines()
        headers = dict(line.split(": ", 1) for line in lines)
        return Reply(status=int(status), headers=headers, body=body)

    return read
