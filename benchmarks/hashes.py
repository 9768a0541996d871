"""What the storage tells of an object in `x-goog-hash`: CRC-32C, where the package crc32c is here to make it, and MD5."""

import base64
import contextlib
import hashlib
import importlib
from typing import Any


class Hashes:
    """Reads the pieces of an object in their order."""

    def __init__(self) -> None:
        self._sums: dict[str, Any] = {"md5": hashlib.md5(usedforsecurity=False)}
        with contextlib.suppress(ImportError):
            self._sums["crc32c"] = importlib.import_module("crc32c").CRC32CHash()  # of the extra `speed`

    def update(self, piece: bytes) -> None:
        """The next bytes."""
        for each in self._sums.values():
            each.update(piece)

    def told(self) -> str:
        """The header's value."""
        digests = {name: base64.b64encode(each.digest()).decode() for name, each in self._sums.items()}
        return ",".join(f"{name}={digest}" for name, digest in digests.items())
