"""A storage host in a process of its own, faster than any client here: objects of any size, by `sendfile`.

`GET /SIZE` brings that many bytes with ETag and checksums, a `Range` of them as 206. `GET /SIZE/cut/EVERY` hangs
up after EVERY bytes of each answer. `GET /sent` tells how many bytes of objects have gone out.
"""

import contextlib
import os
import random
import re
import socketserver
import struct
import sys
import tempfile
import threading
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import BinaryIO, ClassVar

from benchmarks.fresh import beside, cores
from benchmarks.hashes import Hashes

_BLOCK = random.Random(10).randbytes(1 << 20)
"""What objects are filled with, over and over."""
_CLIP = (files("gmi_video.sandbox") / "samples" / "clip.mp4").read_bytes()
_RANGE = re.compile(rb"(?im)^range: bytes=(\d+)-")


def pieces(size: int) -> Iterator[bytes]:
    """The object of that size: a clip, for only a video is taken for one, and behind it a box that players skip."""
    room = size - len(_CLIP)
    yield _CLIP + struct.pack(">I4s", room, b"free")
    for left in range(room - 8, 0, -len(_BLOCK)):
        yield _BLOCK[:left]


@cache
def _object(size: int) -> tuple[BinaryIO, str]:
    """An object in a file without a name, and what `x-goog-hash` tells of it."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  # kept for as long as the process lives
    hashes = Hashes()
    for piece in pieces(size):
        file.write(piece)
        hashes.update(piece)
    file.flush()
    return file, hashes.told()


class Storage(socketserver.StreamRequestHandler):
    """One connection, kept alive until a cut."""

    sent: ClassVar[list[int]] = []

    def handle(self) -> None:
        """Answers one call after the other."""
        with contextlib.suppress(ConnectionError):
            while head := self._head():
                path = head.split(b" ", 2)[1].decode().strip("/")
                if path == "sent":
                    told = b"%d" % sum(self.sent)
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(told) + told)
                elif not self._answer(head, *path.split("/")):
                    return

    def _head(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in {b"\r\n", b""}:
            lines.append(line)
        return b"".join(lines)

    def _answer(self, head: bytes, told: str, *cut: str) -> bool:
        """False where the connection is to end."""
        size, span = int(told), _RANGE.search(head)
        file, hashes = _object(size)
        start = int(span[1]) if span else 0
        place = f"Content-Range: bytes {start}-{size - 1}/{size}\r\n" if span else ""
        self.wfile.write(
            f"HTTP/1.1 {'206 Partial Content' if span else '200 OK'}\r\n"
            f"Content-Type: application/octet-stream\r\nContent-Length: {size - start}\r\n{place}"
            f'ETag: "{size}"\r\nx-goog-hash: {hashes}\r\n\r\n'.encode()
        )
        end = min(size, start + int(cut[1])) if cut else size
        while start < end:
            sent = os.sendfile(self.connection.fileno(), file.fileno(), start, min(end - start, 1 << 22))
            self.sent.append(sent)
            start += sent
        return end == size


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextlib.contextmanager
def storing() -> Iterator[str]:
    """A storage host in a process of its own: its URL, for as long as the block lasts."""
    with beside("benchmarks.storage") as port:
        yield f"http://127.0.0.1:{port}"


def main() -> None:
    """Serves on a free port, which is written to stdout, until stdin ends."""
    os.sched_setaffinity(0, cores()[1])
    with _Server(("127.0.0.1", 0), Storage) as server:
        print(server.server_address[1], flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.buffer.read()
        server.shutdown()


if __name__ == "__main__":
    main()
