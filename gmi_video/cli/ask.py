"""Questions to the person at the terminal, asked so that Ctrl-C still works."""

import asyncio
import getpass
import sys

from gmi_video.errors import ConfigurationError


def text(question: str, *, hidden: bool = False) -> str:
    """A line that was typed, before anything runs; `hidden` shows nothing of it. Raises `ConfigurationError`."""
    if not sys.stdin.isatty():
        message = f"{question.lower()} is wanted, and there is no terminal to ask at"
        raise ConfigurationError(message)
    prompt = f"{question}: "
    try:
        if hidden:
            return getpass.getpass(prompt, stream=sys.stderr)
        sys.stderr.write(prompt)
        sys.stderr.flush()
        return sys.stdin.readline().strip()
    except EOFError:
        return ""


async def code(attempt: int) -> str:
    """A one-time code that was typed while the loop went on; raises `ConfigurationError` without a terminal."""
    if not sys.stdin.isatty():
        message = "this account asks for a one-time code, and there is no terminal to ask at: gmi-video login"
        raise ConfigurationError(message)
    again = "" if attempt == 1 else " (that one was wrong)"
    sys.stderr.write(f"One-time code{again}: ")
    sys.stderr.flush()
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    try:
        loop.add_reader(sys.stdin, _settle, ready)
    except NotImplementedError:  # Windows: the loop cannot wait for a terminal, and stands still for it
        return sys.stdin.readline()
    try:
        await ready
        return sys.stdin.readline()
    finally:
        loop.remove_reader(sys.stdin)


def _settle(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)
