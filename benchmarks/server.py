"""A queue that answers from memory, faster than any client here: a raw protocol in a process of its own.

`GET …/requests/{id}` brings a record of about 600 bytes, `GET …/requests/{id}/status` what fal's queue says instead. An id that begins with "w" lives: it is queued at
the first look and succeeds at the tenth; any other is processed for ever. `GET …/looks` counts the looks.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Iterator
from email.utils import formatdate

from benchmarks.fresh import beside, cores

LOOKS = 10
"""Looks that an id which lives takes to its end: as many as the default pace makes of a request of 90 s."""

_PROMPT = "A majestic eagle soaring through a mountain landscape at golden hour, slow aerial tracking shot"
_BORN = 1_767_225_600


def record(request_id: str, status: str, updated_at: int = _BORN, *, created: int = _BORN) -> bytes:
    """A record as the queue writes it."""
    outcome = None
    if status == "success":
        link = f"https://storage.example.com/gmi-video/{request_id}"
        outcome = {"video_url": f"{link}.mp4", "thumbnail_image_url": f"{link}.jpg"}
    whole = {
        "request_id": request_id,
        "org_id": "8c5f1a62-9a3e-4d0b-8f57-2f1f1f6a0b11",
        "user_id": "1d7e0d0c-55d2-4f0f-a1b1-7f0c6c9f8a22",
        "model": "Veo3-Fast",
        "status": status,
        "is_public": False,
        "payload": {
            "aspect_ratio": "16:9",
            "duration": 8,
            "generate_audio": True,
            "negative_prompt": "blurry, low quality, watermark",
            "prompt": _PROMPT,
            "resolution": "1080p",
            "seed": 1_234_567_890,
        },
        "outcome": outcome,
        "created_at": created,
        "updated_at": updated_at,
        "queued_at": created,
    }
    return json.dumps(whole, separators=(",", ":")).encode()


_MARK = "00000000-0000-0000-0000-000000000000"
_AGES = (("queued", 0), *(("processing", 2),) * (LOOKS - 2), ("success", 90))
_LIFE = tuple(record(_MARK, status, _BORN + age) for status, age in _AGES)
_FAL = b'{"status":"IN_PROGRESS","request_id":"r","logs":null}'
_HEAD = (
    "HTTP/1.1 200 OK\r\nServer: cloudflare\r\n"
    f"Date: {formatdate(usegmt=True)}\r\nContent-Type: application/json; charset=utf-8\r\n"
    "Vary: Accept-Encoding\r\nContent-Length: %d\r\n\r\n"
).encode()


LISTED = 2000
"""Records of the list, newest first, a second apart."""
LONGEST = 100
"""Records of a page at most."""


def listed_name(place: int) -> str:
    """The id at a place of the list."""
    return f"l{LISTED - place:035}"


class Listing:
    """The list: its records as bytes, so that a page is nothing but joined."""

    def __init__(self) -> None:
        self.served = 0
        self._turn = 0
        self._records = [self._record(place, 0) for place in range(LISTED)]

    @staticmethod
    def _record(place: int, moved: int) -> bytes:
        created = _BORN + LISTED - place
        return record(listed_name(place), "processing", created + 2 + moved, created=created)

    def at(self, place: int) -> bytes:
        """One of its records."""
        return self._records[place]

    def page(self, query: bytes) -> bytes:
        """A page; one of a hundred of its records has moved since the one before."""
        asked = dict(part.split(b"=") for part in query.split(b"&"))
        offset, limit = int(asked.get(b"offset", 0)), min(int(asked.get(b"limit", LONGEST)), LONGEST)
        if offset < LISTED:
            self._turn += 1
            place = offset + self._turn * 37 % min(limit, LISTED - offset)
            self._records[place] = self._record(place, self._turn)
        found = self._records[offset : offset + limit]
        self.served += len(found)
        more = b"true" if offset + len(found) < LISTED else b"false"
        return b'{"requests":[%s],"total":%d,"has_more":%s}' % (b",".join(found), LISTED, more)


class Queue:
    """How often each living id was looked at, and all looks together."""

    def __init__(self) -> None:
        self.looks = 0
        self.listing = Listing()
        self._ages: dict[bytes, int] = {}

    def answer(self, path: bytes) -> bytes:
        """The body for a path."""
        name, _, query = path.rpartition(b"/")[2].partition(b"?")
        if name == b"looks":
            return b"%d" % self.looks
        if name == b"records":
            return b"%d" % self.listing.served
        if name == b"requests":
            return self.listing.page(query)
        self.looks += 1
        if name.startswith(b"status"):
            return _FAL
        if name.startswith(b"l"):
            return self.listing.at(LISTED - int(name[1:]))
        age = 1
        if name.startswith(b"w"):
            age = self._ages.get(name, 0)
            self._ages[name] = age + 1
        return _LIFE[min(age, LOOKS - 1)].replace(_MARK.encode(), name)


class Answering(asyncio.Protocol):
    """One connection, kept alive."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._rest = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remembers where answers go."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answers each complete head; a GET has no body."""
        *heads, self._rest = (self._rest + data).split(b"\r\n\r\n")
        assert self._transport is not None
        for head in heads:
            body = self._queue.answer(head[4 : head.index(b" ", 4)])
            self._transport.write(_HEAD % len(body) + body)


def _stay_awake(loop: asyncio.AbstractEventLoop) -> None:
    loop.call_soon(_stay_awake, loop)


async def serve(*, awake: bool) -> None:
    """Serves on a free port, which is written to stdout, until stdin ends.

    With a core of its own it stays `awake`: to wake it would be the client's CPU, the more the slower the client.
    """
    loop = asyncio.get_running_loop()
    queue = Queue()
    if awake:
        _stay_awake(loop)
    server = await loop.create_server(lambda: Answering(queue), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    server.close()


@contextlib.contextmanager
def serving(module: str = "benchmarks.server") -> Iterator[str]:
    """A queue in a process of its own: its URL, for as long as the block lasts."""
    with beside(module) as port:
        yield f"http://127.0.0.1:{port}/api"


if __name__ == "__main__":
    client, server = cores()
    os.sched_setaffinity(0, server)
    asyncio.run(serve(awake=client != server))
