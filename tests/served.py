"""A sandbox that other threads and processes can talk to while the test goes on."""

from collections.abc import Iterator
from contextlib import contextmanager

from anyio.from_thread import start_blocking_portal

from gmi_video.sandbox import Sandbox, Script


@contextmanager
def serving(script: Script | None = None, *, speed: float = 60) -> Iterator[Sandbox]:
    """A fast sandbox on a real loop in a thread of its own, for as long as the block lasts."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Sandbox(script, render=False, speed=speed)) as sandbox,
    ):
        yield sandbox
