"""Raw peers on loopback: servers that say exactly the bytes that a test wants said, and count who came."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from ssl import SSLContext

from attrs import define, field

Answering = Callable[["Peer", asyncio.StreamWriter, str], Awaitable[None]]
"""Gets the peer, the socket and the head of the call; the connection is closed when it returns."""


@define(eq=False)
class Peer:
    """A listening peer. `heads` are the calls that it read, `connections` how many sockets it accepted.

    With `keeps` it reads one call after the other from a connection, else it closes after the first.
    """

    url: str = ""
    port: int = 0
    keeps: bool = False
    connections: int = 0
    heads: list[str] = field(factory=list)
    tasks: set["asyncio.Task[None]"] = field(factory=set)


async def _read(reader: asyncio.StreamReader) -> str:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    for line in head.lower().splitlines():
        if line.startswith("content-length:"):
            await reader.readexactly(int(line.partition(":")[2]))
    return head


@asynccontextmanager
async def peer(
    answering: Answering, *, keeps: bool = False, port: int = 0, tls: SSLContext | None = None
) -> AsyncIterator[Peer]:
    """A peer that reads each call whole and then lets `answering` write what it likes."""
    it = Peer(keeps=keeps)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        it.tasks.add(task)
        it.connections += 1
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    it.heads.append(head := await _read(reader))
                    await answering(it, writer, head)
                    await writer.drain()
                    if not it.keeps:
                        break
        finally:
            it.tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", port, ssl=tls)
    it.port = server.sockets[0].getsockname()[1]
    it.url = f"http://127.0.0.1:{it.port}/queue"
    try:
        yield it
    finally:
        server.close()
        for task in tuple(it.tasks):
            task.cancel()
        await asyncio.gather(*it.tasks, return_exceptions=True)
        await asyncio.sleep(0)


def saying(*answers: bytes) -> Answering:
    """Says these bytes to the first, second … call, the last of them to all that follow, and closes."""

    async def say(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        writer.write(answers[min(len(it.heads), len(answers)) - 1])

    return say


async def silent(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
    """Never answers."""
    await asyncio.Event().wait()


async def hanging_up(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
    """Closes without a word."""


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """An answer with its right length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body
