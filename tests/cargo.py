"""Files to upload, and what the sandbox's storage says of them."""

import asyncio
import struct
import urllib.request
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

from PIL import Image

from gmi_video import Chunks
from gmi_video.sandbox import Sandbox


def picture(width: int = 800, height: int = 600, form: str = "JPEG") -> bytes:
    """A picture of that size, in one colour."""
    made = BytesIO()
    Image.new("RGB", (width, height), (30, 90, 160)).save(made, form)
    return made.getvalue()


def placed(folder: Path, name: str = "photo.jpg", body: bytes | None = None) -> Path:
    """A file in a folder, a JPEG picture unless told."""
    path = folder / name
    path.write_bytes(picture() if body is None else body)
    return path


def large(size: int) -> bytes:
    """Bytes that begin as a WAV sound does, none like its neighbours."""
    noise = struct.pack(f">{size // 4}I", *range(size // 4))
    return (b"RIFF\0\0\0\0WAVE" + noise)[:size]


def in_chunks(body: bytes, size: int = 1000, *, length: int | None = None, name: str = "") -> Chunks:
    """The bytes from a factory, in pieces of `size`."""

    async def read() -> AsyncIterator[bytes]:
        for at in range(0, len(body), size):
            await asyncio.sleep(0)
            yield body[at : at + size]

    return Chunks(read, length=len(body) if length is None else length, name=name)


async def lying_at(url: str) -> tuple[bytes, str]:
    """What anybody reads there, and its content type."""

    def fetch() -> tuple[bytes, str]:
        with urllib.request.urlopen(url) as reply:
            return reply.read(), reply.headers["Content-Type"]

    return await asyncio.get_running_loop().run_in_executor(None, fetch)


def puts(sandbox: Sandbox) -> int:
    """How many PUTs reached the storage."""
    return sandbox.count_calls("put")
