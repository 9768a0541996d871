"""What stands for a file of this machine: in a payload, or handed to `upload`. Values only; nobody is asked."""

from collections.abc import AsyncIterable, Callable
from pathlib import Path
from typing import Any

from attrs import field, frozen
from attrs.validators import ge, instance_of

from gmi_video.records import MediaKind, Record

DATA_URI_LIMIT = 10_000_000
"""Bytes of a file that goes into a payload itself, unless told: the pages that name a limit say 10 MB."""


@frozen
class Inline:
    """A file that goes into the payload itself, as a `data:` URI, where a bare path would be uploaded.

    Some models refuse it (seedance, wan3.0); `limit` is the most bytes that the file may have.
    """

    path: Path = field(converter=Path)
    limit: int = field(default=DATA_URI_LIMIT, kw_only=True, validator=ge(1))


@frozen
class Chunks:
    """Bytes that are made or fetched as they go out: `read()` begins anew at each call.

    Each attempt to upload reads from the first byte on, so an iterator that can be read only once is not enough.
    `length` is the number of bytes in all; `name` is for people, and its extension is held against the bytes.
    """

    read: Callable[[], AsyncIterable[bytes]] = field(repr=False)
    length: int = field(kw_only=True, validator=[instance_of(int), ge(1)])
    name: str = field(default="", kw_only=True)


@frozen(kw_only=True)
class LocalFile(Record):
    """A file in a payload as its own header shows it; it is sent as a link, or `inline` as a `data:` URI.

    `type` is the short name of what its bytes are; sides are pixels, None where the header does not tell.
    `stamp` is what a file that was changed meanwhile does not have any more.
    """

    path: Path
    size: int
    type: str
    words: str
    kind: MediaKind
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    inline: bool = False
    stamp: tuple[int, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        sides = f" of {self.width}x{self.height} pixels" if self.width and self.height else ""
        lasts = f" of {self.seconds:.1f} s" if self.seconds is not None else ""
        return f"{self.path.name}, {self.words}{sides}{lasts}, {megabytes(self.size)}"


def megabytes(size: int) -> str:
    """A number of bytes for people."""
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size:,} bytes"


def is_local(value: Any) -> bool:
    """Whether a payload value stands for a file of this machine."""
    return isinstance(value, Path | Inline | LocalFile)
