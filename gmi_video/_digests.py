"""The checksums of a file as it is written: the SHA-256 that users are told, and one that the storage told.

The storage tells MD5 and CRC-32C. With the extra `speed` the latter is taken: google-crc32c reads 20 GiB a second,
MD5 less than one.
"""

import base64
import contextlib
import functools
import hashlib
import importlib
from collections.abc import Callable
from typing import Protocol, cast

from gmi_video._range import Edition

_BITE = 1 << 16
"""Bytes that google-crc32c is given at once. It takes none but `bytes`, and copies of this size stay in the cache."""

Piece = bytes | bytearray | memoryview


class _Checksum(Protocol):
    def update(self, piece: Piece, /) -> None: ...

    def digest(self) -> bytes: ...


class Digests:
    """Reads the pieces of one file in their order.

    `lanes` take a piece each, together all of it. Two threads may be in two of them, and no two in one.
    """

    def __init__(self, edition: Edition) -> None:
        self._sha = hashlib.sha256()
        self._check: _Checksum | None = None
        self._told: str | None = None
        self.lanes: tuple[Callable[[Piece], None], ...] = (self._sha.update,)
        if edition.crc32c and (made := _crc32c()):
            self._check, self._told = made, edition.crc32c
            self.lanes = (self._both,)  # so quick that a thread of its own costs more than it saves
        elif edition.md5:
            self._check, self._told = hashlib.md5(usedforsecurity=False), edition.md5
            self.lanes = (self._sha.update, self._check.update)

    def _both(self, piece: Piece) -> None:
        assert self._check is not None
        self._sha.update(piece)
        whole = memoryview(piece)
        for place in range(0, len(whole), _BITE):
            self._check.update(bytes(whole[place : place + _BITE]))

    def update(self, piece: Piece) -> None:
        """The next bytes."""
        for lane in self.lanes:
            lane(piece)

    @property
    def sha256(self) -> str:
        """In hex."""
        return self._sha.hexdigest()

    @property
    def agrees(self) -> bool:
        """Whether this is what the storage told, where it told anything that can be checked here."""
        return self._check is None or base64.b64encode(self._check.digest()).decode() == self._told


def _crc32c() -> _Checksum | None:
    room = _fast()
    made: _Checksum | None = room.Checksum() if room is not None else None
    return made


@functools.cache
def _fast() -> "_Room | None":
    """google-crc32c, where it is installed with its extension: its Python code would be slower than MD5."""
    with contextlib.suppress(ImportError, RuntimeWarning):  # the warning says that the extension is missing
        room = importlib.import_module("google_crc32c")
        if getattr(room, "implementation", "") == "c":
            return cast("_Room", room)  # a module, of which no more is used than the protocol says
    return None


class _Room(Protocol):
    def Checksum(self) -> _Checksum: ...  # noqa: N802  # its name there
