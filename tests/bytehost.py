"""A storage host that counts the bytes it sends: ranges, ETags and hashes as real ones have them, cut where told."""

import asyncio
import base64
import hashlib
import re
from collections.abc import Iterator, Mapping

from attrs import define, field
from peers import Peer

_RANGE = re.compile(r"(?im)^range: bytes=(\d+)-(\d*)")
_IF_RANGE = re.compile(r"(?im)^if-range: (.*?)\r?$")


def md5_of(body: bytes) -> str:
    """As `x-goog-hash` tells it."""
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()


@define
class Host:
    """Gives to the `peer` of `peers`: `body`, cut at each of `cuts` bytes of an answer in turn, then whole."""

    body: bytes
    cuts: Iterator[int] = field(factory=lambda: iter(()))
    headers: Mapping[str, str] = field(factory=lambda: {"ETag": '"one"'})
    sent: int = 0
    """Bytes of bodies that went out."""
    ranges: list[tuple[int, int]] = field(factory=list)
    """First byte and status of each answer."""

    async def __call__(self, it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        asked, wanted = _RANGE.search(head), _IF_RANGE.search(head)
        start, end = 0, len(self.body)
        if asked and (wanted is None or wanted[1] == self.headers.get("ETag")):
            start = int(asked[1])
            end = min(int(asked[2]) + 1, end) if asked[2] else end
            if start >= len(self.body):
                self.ranges.append((start, 416))
                writer.write(
                    f"HTTP/1.1 416 No\r\nContent-Range: bytes */{end}\r\nContent-Length: 0\r\n\r\n".encode()
                )
                return
        else:
            asked = None
        self.ranges.append((start, 206 if asked else 200))
        told = [f"{name}: {value}" for name, value in self.headers.items()]
        told += [f"Content-Range: bytes {start}-{end - 1}/{len(self.body)}"] if asked else []
        told = [f"HTTP/1.1 {self.ranges[-1][1]} OK", f"Content-Length: {end - start}", *told, "", ""]
        writer.write("\r\n".join(told).encode())
        end = min(end, start + next(self.cuts, end))
        for place in range(start, end, 1 << 18):
            piece = self.body[place : min(end, place + (1 << 18))]
            self.sent += len(piece)
            writer.write(piece)
            await writer.drain()
