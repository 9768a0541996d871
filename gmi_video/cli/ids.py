"""Request ids out of a file or a pipe, one a line, in pieces: a million of them are read and not held."""

import asyncio
import codecs
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from gmi_video.cli.plain import printable
from gmi_video.errors import ConfigurationError
from gmi_video.wire import checked_id

PIECE = 65_536
"""Bytes that are read at once: some 1,700 ids."""
LONGEST = 4096
"""Signs of a line that are kept: an id has 128 at most, and a file that is none may have no lines at all."""
STDIN = "-"

Complain = Callable[[str], None]


class Roll:
    """Ids out of the bytes of a file, one a line; blank lines and what follows a # are passed over. Pure.

    A line that holds no id is told to `complain`, with file and line, and costs no other line anything.
    """

    def __init__(self, name: str, complain: Complain) -> None:
        self.name = name
        self.line = 0
        self.wrong = 0
        self._complain = complain
        self._decoder: codecs.IncrementalDecoder | None = None
        self._rest = ""

    def take(self, piece: bytes) -> list[str]:
        """The ids of the lines that are whole now; an empty piece ends the last line."""
        if self._decoder is None:  # PowerShell writes UTF-16 where its output is redirected
            coding = "utf-16" if piece[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE} else "utf-8-sig"
            self._decoder = codecs.getincrementaldecoder(coding)(errors="replace")
        *lines, rest = (self._rest + self._decoder.decode(piece, final=not piece)).split("\n")
        if not piece and rest:
            lines.append(rest)
            rest = ""
        self._rest = rest[:LONGEST]
        return [found for line in lines if (found := self._id(line)) is not None]

    def _id(self, line: str) -> str | None:
        self.line += 1
        text = line.partition("#")[0].strip()
        if not text:
            return None
        try:
            return checked_id(text)
        except ConfigurationError as error:
            self.wrong += 1
            self._complain(f"{self.name}:{self.line}: {printable(error)}")
            return None


class Source:
    """A file of ids, or stdin for `-`, read in threads of its own: a pipe may have nothing to say for hours.

    Those threads are daemons, which the event loop's executor has none of: nobody waits for stdin at the end.
    """

    def __init__(self, name: str, complain: Complain) -> None:
        self.name = "stdin" if name == STDIN else name
        self.roll = Roll(printable(self.name, 200), complain)
        self.over = False
        self.broken = False
        self.again = Path(name).is_file() if name != STDIN else False
        self._path = name
        self._fd: int | None = None
        self._pending: asyncio.Future[bytes] | None = None

    @property
    def whole(self) -> bool:
        """Whether every line held an id, and could be read."""
        return not (self.broken or self.roll.wrong)

    async def read(self) -> list[str]:
        """The next ids, none at the end. Raises `ConfigurationError`; a read that is cancelled loses nothing."""
        while not self.over:
            if self._pending is None:
                self._pending = _aside(self._piece)
            try:
                piece = await asyncio.shield(self._pending)
            except OSError as error:
                self.over = self.broken = True
                where = f" after line {self.roll.line}" if self.roll.line else ""
                message = (
                    f"{self.roll.name} cannot be read{where}: {error.strerror or 'an error of the system'}"
                )
                raise ConfigurationError(message) from None
            self._pending = None
            self.over = not piece
            ids = self.roll.take(piece)
            if ids:
                return ids
        return []

    async def gather(self, most: int, seconds: float) -> list[str]:
        """The first ids: all, or more than `most`, or what comes within `seconds` after the first."""
        found = await self.read()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(found) <= most and not self.over:
                    found += await self.read()
        return found

    def close(self) -> None:
        """Lets go of the file."""
        if self._fd is not None and self._path != STDIN and self._pending is None:
            os.close(self._fd)
            self._fd = None

    def _piece(self) -> bytes:
        if self._fd is None:
            self._fd = sys.__stdin__.fileno() if self._path == STDIN and sys.__stdin__ else self._opened()
        return os.read(self._fd, PIECE)  # a buffered reader's lock would be held at the interpreter's end

    def _opened(self) -> int:
        return os.open(self._path, os.O_RDONLY | getattr(os, "O_BINARY", 0))


def _aside(work: Callable[[], bytes]) -> "asyncio.Future[bytes]":
    """The result of `work`, done in a thread that nobody joins."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[bytes] = loop.create_future()

    def settle(result: bytes | OSError) -> None:
        if future.done():
            return
        if isinstance(result, OSError):
            future.set_exception(result)
        else:
            future.set_result(result)

    def run() -> None:
        result: bytes | OSError
        try:
            result = work()
        except OSError as error:
            result = error
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, result)

    threading.Thread(target=run, name="ids", daemon=True).start()
    return future
