"""A service on loopback that takes submissions, counts a job for each, and breaks what comes after, by seed.

The job is made before anything breaks: whoever does not hear the answer has been charged all the same.
"""

import asyncio
import contextlib
import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from random import Random
from typing import Any, Literal, assert_never
from uuid import UUID

Fault = Literal["dropped", "502", "truncated", "refused"]
SHARES: Mapping[Fault, float] = {"dropped": 0.10, "502": 0.10, "truncated": 0.05, "refused": 0.30}
"""The share of replies, or of the time in which the port refuses connects."""

WORDS: Mapping[Fault, str] = {
    "dropped": "10 % of replies dropped after the service accepted",
    "502": "10 % answered 502 after the service accepted",
    "truncated": "5 % of replies cut short",
    "refused": "connects refused 30 % of the time",
}

_WISH = re.compile(rb"wish-(\d+)")
_PERIOD = 1.0
"""Seconds from one refusal of connects to the next."""


class Service:
    """One run of it. `jobs` are the ids made for each wish; `page` is what its gateway says with a 502."""

    page = b"<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"

    def __init__(self, fault: Fault | None, seed: int) -> None:
        self.fault = fault
        self.jobs: defaultdict[int, list[str]] = defaultdict(list)
        self._rng = Random(f"{seed} {fault}")
        self._tasks: set[asyncio.Task[None]] = set()
        self.url = ""

    def is_submission(self, method: str, path: str) -> bool:
        """Whether this call costs money."""
        raise NotImplementedError

    def accepted(self, name: str, body: bytes) -> Mapping[str, Any]:
        """The answer to a submission that was taken."""
        raise NotImplementedError

    def other(self, method: str, target: str) -> Mapping[str, Any]:
        """The answer to any other call, which is always whole."""
        raise NotImplementedError

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Its URL, for as long as the block lasts."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        port = server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        refusing = asyncio.create_task(self._refuse(server, port)) if self.fault == "refused" else None
        try:
            yield self.url
        finally:
            if refusing is not None:
                refusing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await refusing
            server.close()
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _refuse(self, server: asyncio.Server, port: int) -> None:
        share = SHARES["refused"]
        try:
            while True:
                await asyncio.sleep(_PERIOD * (1 - share))
                server.close()
                await asyncio.sleep(_PERIOD * share)
                server = await asyncio.start_server(self._serve, "127.0.0.1", port, backlog=1024)
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while await self._answer(reader, writer):
                    await writer.drain()
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answers one call; False where the connection is to be closed after it."""
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        length = re.search(rb"(?i)^content-length: *(\d+)", head, re.MULTILINE)
        body = await reader.readexactly(int(length[1])) if length else b""
        if not self.is_submission(method, target.partition("?")[0]):
            writer.write(self._reply(self.other(method, target)))
            return self.fault != "refused"
        found = _WISH.search(body)
        assert found is not None, body
        name = str(UUID(int=self._rng.getrandbits(128)))
        self.jobs[int(found[1])].append(name)
        reply = self._reply(self.accepted(name, body))
        broken = self._broken(reply)
        writer.write(reply if broken is None else broken)
        return self.fault == "502" or (broken is None and self.fault != "refused")

    def _broken(self, reply: bytes) -> bytes | None:
        """What is left of a reply, None where nothing happens to it."""
        if self.fault is None or self.fault == "refused" or self._rng.random() >= SHARES[self.fault]:
            return None
        match self.fault:
            case "dropped":
                return b""
            case "truncated":
                return reply[:-10]
            case "502":
                return _head("502 Bad Gateway", "text/html", len(self.page)) + self.page
            case never:
                assert_never(never)

    def _reply(self, answer: Mapping[str, Any]) -> bytes:
        body = json.dumps(answer).encode()
        closes = "Connection: close\r\n" if self.fault == "refused" else ""
        return _head("200 OK", "application/json", len(body), closes) + body


def _head(status: str, kind: str, length: int, more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{more}\r\n".encode()
