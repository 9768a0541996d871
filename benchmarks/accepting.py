"""A queue that accepts every submission at once, from memory: a raw protocol in a process of its own."""

import asyncio
import itertools
import os
import sys

from benchmarks.fresh import cores

_BODY = (
    b'{"request_id":"00000000-0000-4000-8000-%012d","model":"Veo3","status":"queued","payload":{},'
    b'"outcome":null,"created_at":%d,"updated_at":%d,"queued_at":0}'
)
_HEAD = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


class Accepting(asyncio.Protocol):
    """One connection: a POST is accepted, anything else is not found."""

    numbers = itertools.count(1)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remembers where answers go."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._read = b""

    def data_received(self, data: bytes) -> None:
        """Answers each complete call."""
        self._read += data
        while b"\r\n\r\n" in self._read:
            head, _, rest = self._read.partition(b"\r\n\r\n")
            length = 0
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    length = int(line[15:])
            if len(rest) < length:
                return
            self._read = rest[length:]
            self._answer(accepted=head.startswith(b"POST"))

    def _answer(self, *, accepted: bool) -> None:
        now = 1_767_225_600
        body = _BODY % (next(self.numbers), now, now) if accepted else b"{}"
        self._transport.write(_HEAD % (b"200 OK" if accepted else b"404 Not Found", len(body)) + body)


async def serve() -> None:
    """Serves on a free port, which is written to stdout, until stdin ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Accepting, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    server.close()


if __name__ == "__main__":
    os.sched_setaffinity(0, cores()[1])
    asyncio.run(serve())
