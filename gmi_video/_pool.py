"""Memory that is used again: to get the same megabytes anew from the system costs as much as reading a file into them."""

_SKEW = 48
"""Bytes left out at the start of a block. Large ones begin 16 bytes behind the start of a page, and to copy a page's bytes
right there takes four times as long on some processors (AMD EPYC: 0.48 s a GiB, anywhere else 0.12)."""


class Pool:
    """Blocks of `size` bytes, each of them handed out again once nobody can read in it any more.

    Whether somebody can is asked of the block itself: what is still being sent is kept by views of it, and a block with
    views cannot be resized. So it holds for every kind of connection, and however long it keeps what it was given.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._blocks: list[bytearray] = []

    def take(self) -> memoryview:
        """A block that nobody reads in; it is taken for as long as a view of it is kept."""
        block = next(filter(_is_free, self._blocks), None)
        if block is None:
            block = bytearray(self._size + _SKEW)
            self._blocks.append(block)
        return _usable(block)

    def clear(self) -> None:
        """Lets go of all of it."""
        self._blocks.clear()


def memory(size: int) -> memoryview:
    """A block of so many bytes, into which the system copies as fast as it can."""
    return _usable(bytearray(size + _SKEW))


def _usable(block: bytearray) -> memoryview:
    return memoryview(block)[_SKEW:]


def _is_free(block: bytearray) -> bool:
    try:
        block.append(0)
    except BufferError:
        return False
    block.pop()
    return True
