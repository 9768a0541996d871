"""A sandbox that other processes can talk to while the test goes on."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from gmi_video.sandbox import Sandbox, Script


@contextmanager
def serving(script: Script, *, speed: float = 50) -> Iterator[Sandbox]:
    """A sandbox on a real loop in a thread of its own, for other processes."""
    ready: list[Sandbox] = []
    begun, over = threading.Event(), threading.Event()

    async def main() -> None:
        async with Sandbox(script, render=False, speed=speed) as sandbox:
            ready.append(sandbox)
            begun.set()
            await asyncio.get_running_loop().run_in_executor(None, over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    try:
        assert begun.wait(20)
        yield ready[0]
    finally:
        over.set()
        thread.join(20)
