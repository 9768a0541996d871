"""Bytes that lie in a file: given back to the system when they were used, so that they do not count as memory."""

import mmap
from collections.abc import Iterator

from gmi_video.sandbox.answers import Bytes

_PIECE = 256 * 1024
_KEPT = 8 * 1024 * 1024


def mapped(descriptor: int) -> Bytes:
    """The whole of an open file, to be looked at; the file may be closed, or be without a name."""
    return memoryview(mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ))


def pieces(body: Bytes) -> Iterator[Bytes]:
    """`body` in pieces; pages behind the piece at hand are given back every few megabytes."""
    for start in range(0, len(body), _PIECE):
        yield body[start : start + _PIECE]
        if start % _KEPT == 0:
            _release(body)
    _release(body)


def _release(body: Bytes) -> None:
    pages = body.obj if isinstance(body, memoryview) else None
    if isinstance(pages, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED)
