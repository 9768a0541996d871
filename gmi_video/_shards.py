"""Mappings of a million names that grow in small steps: a dict alone stands still while it moves to a larger table.

Neither makes an object of its own for each name, so that a garbage collection has nothing to walk through.
"""

from collections import deque
from collections.abc import Iterator, MutableMapping
from typing import TypeVar

V = TypeVar("V")

WHOLE = 10_000
"""Names up to which one dict is enough: it grows in less than a millisecond."""
PARTS = 256
"""Dicts for more than that; a power of two. They do not grow at the same moment, for names fall into them by chance."""
PIECE = 1000
"""Names of one piece of a line."""


class Shards(MutableMapping[str, V]):
    """A dict in parts. Its order is that of a dict while it is small, and by chance when it is not.

    Another thread may read while it is written to: it finds what is there before and after. A name is in that of its
    `parts` which the last bits of its hash tell.
    """

    __slots__ = ("_count", "parts")

    def __init__(self) -> None:
        self.parts: list[dict[str, V]] = [{}]
        self._count = 0

    def get(self, key: str, default: V | None = None) -> V | None:  # type: ignore[override]  # one default, as we use it
        """The value of a name, or `default`."""
        parts = self.parts
        return parts[hash(key) & (len(parts) - 1)].get(key, default)

    def __getitem__(self, key: str) -> V:
        parts = self.parts
        return parts[hash(key) & (len(parts) - 1)][key]

    def __contains__(self, key: object) -> bool:
        parts = self.parts
        return key in parts[hash(key) & (len(parts) - 1)]

    def __setitem__(self, key: str, value: V) -> None:
        parts = self.parts
        part = parts[hash(key) & (len(parts) - 1)]
        before = len(part)
        part[key] = value
        if len(part) != before:
            self._count += 1
            if self._count > WHOLE and len(parts) == 1:
                self._split()

    def __delitem__(self, key: str) -> None:
        parts = self.parts
        del parts[hash(key) & (len(parts) - 1)][key]
        self._count -= 1

    def __iter__(self) -> Iterator[str]:
        for part in self.parts:
            yield from part

    def __len__(self) -> int:
        return self._count

    def _split(self) -> None:
        parts: list[dict[str, V]] = [{} for _ in range(PARTS)]
        for key, value in self.parts[0].items():
            parts[hash(key) & (PARTS - 1)][key] = value
        self.parts = parts


class Row(MutableMapping[str, float]):
    """Names in the order in which they came, in pieces, so that the first is found at once however many left.

    Their values are all nought: it stands in where others keep a number.
    """

    __slots__ = ("_pieces", "_where")

    def __init__(self) -> None:
        self._where: Shards[dict[str, None]] = Shards()
        self._pieces: deque[dict[str, None]] = deque([{}])

    def first(self) -> str | None:
        """The one that came first, of those that are still there."""
        return next(iter(self._pieces[0]), None)

    def __getitem__(self, key: str) -> float:
        if key not in self._where:
            raise KeyError(key)
        return 0.0

    def __contains__(self, key: object) -> bool:
        return key in self._where

    def __setitem__(self, key: str, value: float) -> None:
        if key in self._where:
            return
        piece = self._pieces[-1]
        if len(piece) >= PIECE:
            piece = {}
            self._pieces.append(piece)
        piece[key] = None
        self._where[key] = piece

    def __delitem__(self, key: str) -> None:
        piece = self._where[key]
        del self._where[key]
        del piece[key]
        if piece:
            return
        if piece is self._pieces[0] and len(self._pieces) > 1:
            self._pieces.popleft()
        elif piece is not self._pieces[-1]:
            self._pieces = deque(other for other in self._pieces if other is not piece)

    def __iter__(self) -> Iterator[str]:
        for piece in self._pieces:
            yield from piece

    def __len__(self) -> int:
        return len(self._where)
