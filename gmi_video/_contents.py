"""What is to be uploaded, and how it is read anew from its first byte for each attempt."""

import os
from functools import partial
from pathlib import Path
from typing import Protocol

from attrs import frozen

from gmi_video._ahead import Ahead
from gmi_video._chunks import ChunkBlocks, Digest, head_of
from gmi_video._file_type import TAKEN, FileType, named, telling
from gmi_video._local import Chunks, LocalFile
from gmi_video._offload import GivenUp, breakable
from gmi_video._opening import OpenFile
from gmi_video._pool import Pool
from gmi_video.errors import ConfigurationError, TransferError
from gmi_video.inputs import entire, uploadable

BLOCK, AHEAD = 4 << 20, 3
"""Bytes of a block of a file, and how many of them are read before they are sent. A GiB went 1.08 times as fast as the bare
client's, in 3 of 2 MiB 1.04, in 2 of 8 MiB 0.96 times (Intel Xeon of model 167, 2 MiB of L2 a core)."""
STEP = 1 << 19
"""Bytes that are read and digested at once: the digest finds them in the core's own cache, which a block outgrows."""

_LINKS = ("https:", "http:", "data:")

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | Chunks


class Blocks(Protocol):
    """One reading of a source, from its first byte to its last."""

    async def read(self) -> bytes | memoryview:
        """Some more bytes, none at the end; raises `TransferError` where the source is not what it was.

        Nobody may write in them.
        """
        ...

    async def close(self) -> None:
        """Lets go of the source."""
        ...


class Contents(Protocol):
    """Bytes to upload: what people call them, how many there are, and what they are."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    @property
    def size(self) -> int:
        """In bytes."""
        ...

    @property
    def kind(self) -> FileType:
        """By the bytes themselves."""
        ...

    def blocks(self, digest: Digest) -> Blocks:
        """A new reading. Who has come to its end knows that `digest` was told all of it, in a thread."""
        ...


def changed(contents: "Contents", why: str = "") -> TransferError:
    """The source is not what it was when it was looked at: what would be sent is neither the old nor the new."""
    what = why or f"it gives other than the {contents.size:,} bytes that were expected"
    message = f"{contents.name!r} changed while it was being uploaded ({what}); upload it when it is complete"
    return TransferError(message, retryable=False)


@frozen(kw_only=True)
class _OfFile:
    path: Path
    name: str
    size: int
    kind: FileType
    stamp: tuple[int, ...]

    def blocks(self, digest: Digest) -> Blocks:
        return _FileBlocks(self, digest)


class _FileBlocks:
    """A file as it is read: off the loop, a block ahead, and held against its stamp at its first and last byte."""

    def __init__(self, file: _OfFile, digest: Digest) -> None:
        self._told = file
        self._digest = digest
        self._pool = Pool(min(BLOCK, file.size + 1))  # one more: by that it is seen whether it has grown
        self._file: OpenFile | None = None
        self._at = 0
        self._ahead = Ahead(self._block, AHEAD)

    async def read(self) -> bytes | memoryview:
        return await self._ahead.take()

    def _block(self) -> memoryview:
        if self._file is None:
            self._file = OpenFile(self._told.path)
            self._unchanged(self._file.stamp)
        room, came, more = self._pool.take(), 0, STEP
        while came < len(room) and more:
            step = room[came : came + STEP]
            more = self._file.readinto(self._at, step)
            if more < len(step):
                self._unchanged(self._file.stamp_now())
            self._digest(step[:more])
            self._at += more
            came += more
        return room[:came].toreadonly()

    def _unchanged(self, stamp: tuple[int, ...]) -> None:
        if not OpenFile.same(stamp, self._told.stamp):
            raise changed(self._told, "it was written to, or replaced")

    async def close(self) -> None:
        try:
            await self._ahead.close()
        finally:
            self._pool.clear()  # aiohttp may keep hold of who reads it
            if self._file is not None:
                self._file.close()


@frozen(kw_only=True)
class _OfBytes:
    data: bytes
    name: str
    kind: FileType

    @property
    def size(self) -> int:
        return len(self.data)

    def blocks(self, digest: Digest) -> Blocks:
        return _BytesBlocks(self.data, digest)


class _BytesBlocks:
    def __init__(self, data: bytes, digest: Digest) -> None:
        self._left = memoryview(data)
        self._digest = digest
        self._ahead = Ahead(self._block, AHEAD)

    async def read(self) -> bytes | memoryview:
        return await self._ahead.take()

    def _block(self) -> memoryview:
        block, self._left = self._left[:BLOCK], self._left[BLOCK:]
        self._digest(block)
        return block

    async def close(self) -> None:
        await self._ahead.close()


@frozen(kw_only=True)
class _OfChunks:
    chunks: Chunks
    kind: FileType

    @property
    def name(self) -> str:
        return self.chunks.name or "the chunks"

    @property
    def size(self) -> int:
        return self.chunks.length

    def blocks(self, digest: Digest) -> Blocks:
        return ChunkBlocks(self.chunks, digest)


async def contents_of(source: Source, file_type: str | None = None) -> Contents:
    """What is to be uploaded, looked at. Raises `ConfigurationError` where it cannot be read, or is not taken."""
    told = None if file_type is None else _told(file_type)
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
        at = partial(_part, data)
        kind = _kind("the bytes", telling(at), told)
        entire("the bytes", kind, at, len(data))
        return _OfBytes(data=data, name="the bytes", kind=kind)
    if isinstance(source, Chunks):
        head = await head_of(source)
        return _OfChunks(chunks=source, kind=_kind(source.name or "the chunks", head, told))
    if isinstance(source, str | os.PathLike) and not isinstance(source, str | Path):
        source = os.fspath(source)
    given: object = source
    if isinstance(given, str) and given.startswith(_LINKS):
        message = "upload was given a link: a link stands in a payload as it is, only files are uploaded"
        raise ConfigurationError(message)
    if isinstance(given, str | Path):
        return await breakable(_file, Path(given), told)
    message = f"upload takes a path, bytes, or Chunks(read, length=…), not {type(given).__name__}"
    raise ConfigurationError(message)


def of_local(file: LocalFile) -> Contents:
    """A file of a payload as it was looked at."""
    kind = named(file.type)
    assert kind is not None
    return _OfFile(path=file.path, name=file.path.name, size=file.size, kind=kind, stamp=file.stamp)


def _kind(name: str, head: bytes, told: FileType | None) -> FileType:
    return uploadable(name, head, told, hint=", or say file_type={!r}")


def _part(data: bytes, at: int, length: int) -> bytes:
    return data[at : at + length]


def _told(file_type: object) -> FileType:
    kind = named(file_type) if isinstance(file_type, str) else None
    if kind is None:
        message = f"file_type={file_type!r} is not taken: {TAKEN} are"
        raise ConfigurationError(message)
    return kind


def _file(given_up: GivenUp, path: Path, told: FileType | None) -> Contents:
    with OpenFile(path, given_up) as file:
        kind = _kind(path.name, telling(file.read), told)
        entire(path.name, kind, file.read, file.size)
        return _OfFile(path=path, name=path.name, size=file.size, kind=kind, stamp=file.stamp)
