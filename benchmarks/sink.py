"""A service that takes uploads, in a process of its own, faster than any client here: it reads and forgets.

`POST …/upload-url` names a place on the same port; a PUT there is read to its end and answered with the checksums that
the process was told at its start, as the storage tells those of what it has.
"""

import contextlib
import os
import socketserver
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.fresh import ROOT, cores

_BUFFER = 1 << 20


class Taking(socketserver.StreamRequestHandler):
    """One connection, kept alive."""

    def handle(self) -> None:
        """Answers one call after the other."""
        with contextlib.suppress(ConnectionError):
            while line := self.rfile.readline():
                self._answer(line.split()[0], self._length())

    def _length(self) -> int:
        length = 0
        while (line := self.rfile.readline()) not in {b"\r\n", b""}:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return length

    def _answer(self, method: bytes, left: int) -> None:
        buffer = memoryview(bytearray(_BUFFER))
        while left and (came := self.rfile.readinto1(buffer[: min(left, _BUFFER)])):
            left -= came
        link = f"http://127.0.0.1:{self.connection.getsockname()[1]}/a.wav"
        body = f'{{"upload_url": "{link}", "public_url": "{link}"}}' if method == b"POST" else ""
        head = (
            "HTTP/1.1 200 OK",
            "Content-Type: application/json",
            f"x-goog-hash: {sys.argv[1]}",
            f"Content-Length: {len(body)}",
        )
        self.wfile.write("\r\n".join((*head, "", body)).encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextlib.contextmanager
def taking(hashes: str) -> Iterator[str]:
    """The base URL of a service that runs as long as the block does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.sink", hashes], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    os.sched_setaffinity(0, cores()[1])
    with _Server(("127.0.0.1", 0), Taking) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}/queue", flush=True)
        server.serve_forever()
