"""The checksums of a file as it is written: the SHA-256 that users are told, and one that the storage told.

The storage tells MD5 and CRC-32C. With the extra `speed` the latter is taken: the package crc32c reads 20 GiB a second
where the processor knows how, of any memory, and lets other threads run meanwhile; MD5 less than one.
"""

import base64
import contextlib
import functools
import hashlib
import importlib
from collections.abc import Callable
from typing import Protocol, cast

from gmi_video._range import Edition

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
            self.lanes = (self._both,)  # it reads so fast that a thread of its own costs more than it saves
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
    def tell(self) -> bool:
        """Whether anything that the storage told is checked here."""
        return self._check is not None

    @property
    def agrees(self) -> bool:
        """Whether this is what the storage told, where it told anything that can be checked here."""
        return self._check is None or base64.b64encode(self._check.digest()).decode() == self._told


def fastest() -> Checksum:
    """An empty checksum of the kind that the storage tells and that costs the least here; its `name` says which."""
    go_on = _fast()
    return hashlib.md5(usedforsecurity=False) if go_on is None else _Crc32c(go_on)


class _Crc32c:
    """CRC-32C of pieces of any kind."""

    name = "crc32c"

    def __init__(self, go_on: "_GoOn") -> None:
        self._go_on = go_on
        self._value = 0

    def update(self, piece: Piece) -> None:
        """The next bytes."""
        self._value = self._go_on(piece, self._value)

    def digest(self) -> bytes:
        """Of all so far."""
        return self._value.to_bytes(4, "big")


@functools.cache
def _fast() -> "_GoOn | None":
    """The package crc32c, where it is installed."""
    with contextlib.suppress(ImportError):
        return cast("_GoOn", importlib.import_module("crc32c").crc32c)
    return None


class _GoOn(Protocol):
    def __call__(self, piece: Piece, value: int, /) -> int: ...
