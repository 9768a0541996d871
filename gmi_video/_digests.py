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
"""Bytes that google-crc32c is given at once."""

Piece = bytes | bytearray | memoryview


class Checksum(Protocol):
    """What `hashlib` makes, and what stands for it here."""

    @property
    def name(self) -> str:
        """As the storage spells it: "md5" or "crc32c"."""
        ...

    def update(self, piece: Piece, /) -> None:
        """The next bytes."""
        ...

    def digest(self) -> bytes:
        """Of all so far."""
        ...


class Digests:
    """Reads the pieces of one file in their order.

    `lanes` take a piece each, together all of it. Two threads may be in two of them, and no two in one.
    """

    def __init__(self, edition: Edition) -> None:
        self._sha = hashlib.sha256()
        self._check: Checksum | None = None
        self._told: str | None = None
        self.lanes: tuple[Callable[[Piece], None], ...] = (self._sha.update,)
        if edition.crc32c and _fast():
            self._check, self._told = fastest(), edition.crc32c
            self.lanes = (self._both,)  # see `is_quick`
        elif edition.md5:
            self._check, self._told = hashlib.md5(usedforsecurity=False), edition.md5
            self.lanes = (self._sha.update, self._check.update)

    def _both(self, piece: Piece) -> None:
        assert self._check is not None
        self._sha.update(piece)
        self._check.update(piece)

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


def is_quick(checksum: Checksum) -> bool:
    """Whether it reads so fast that a thread of its own costs more than it saves."""
    return isinstance(checksum, _Crc32c)


def fastest() -> Checksum:
    """An empty checksum of the kind that the storage tells and that costs the least here; its `name` says which."""
    room = _fast()
    return hashlib.md5(usedforsecurity=False) if room is None else _Crc32c(room.Checksum())


class _Crc32c:
    """google-crc32c for pieces of any kind."""

    name = "crc32c"

    def __init__(self, made: "_Made") -> None:
        self._made = made
        self.digest = made.digest

    def update(self, piece: Piece) -> None:
        """The next bytes. It reads nothing but `bytes`: others are copied, in bites that stay in the cache."""
        if isinstance(piece, bytes):
            self._made.update(piece)
            return
        whole = memoryview(piece)
        for place in range(0, len(whole), _BITE):
            self._made.update(bytes(whole[place : place + _BITE]))


@functools.cache
def _fast() -> "_Room | None":
    """google-crc32c, where it is installed with its extension: its Python code would be slower than MD5."""
    with contextlib.suppress(ImportError, RuntimeWarning):  # the warning says that the extension is missing
        room = importlib.import_module("google_crc32c")
        if getattr(room, "implementation", "") == "c":
            return cast("_Room", room)  # a module, of which no more is used than the protocol says
    return None


class _Made(Protocol):
    def update(self, piece: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _Room(Protocol):
    def Checksum(self) -> _Made: ...  # noqa: N802  # its name there
