"""What is asked of a storage host, and what the head of its answer says of the file. Values only.

A file is told from another of the same name by a strong ETag or by the storage's own generation number; only
with one of them may a broken download go on where it was.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Self

from attrs import asdict, frozen

from gmi_video.records import without_query

_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.ASCII)
_UNSATISFIED = re.compile(r"bytes \*/(\d{1,18})", re.ASCII)
HASHES = re.compile(r"\b(crc32c(?==[A-Za-z0-9+/]{6}==)|md5(?==[A-Za-z0-9+/]{22}==))=([A-Za-z0-9+/]+==)")
"""The checksums of `x-goog-hash`, in base64: four bytes and sixteen. What is of another length is none."""
_PAGES = ("text/", "application/json", "application/xml", "application/xhtml")


@frozen(kw_only=True)
class Edition:
    """One state of a remote file: where it lies, what tells it from another, and what it has to come to.

    `md5` and `crc32c` are in base64, as the storage tells them. `link` is a digest of the whole link, whose query may
    name another file, or hold a signature.
    """

    url: str
    link: str | None = None
    etag: str | None = None
    generation: str | None = None
    size: int | None = None
    md5: str | None = None
    crc32c: str | None = None

    @property
    def strong(self) -> str | None:
        """The ETag, where it vouches for every byte (RFC 9110, 8.8.1)."""
        return self.etag if self.etag and self.etag.startswith('"') else None

    @property
    def resumable(self) -> bool:
        """Whether a part of it may be completed later."""
        return self.strong is not None or self.generation is not None

    def continues(self, later: "Edition") -> bool:
        """Whether `later`, told with a part, is this very edition.

        A strong ETag was a condition of the call (`If-Range`), so a host that keeps it back has vouched for it.
        """
        if self.strong is None and self.generation != later.generation:
            return False
        told = (
            (self.strong, later.strong),
            (self.generation, later.generation),
            (self.size, later.size),
            (self.md5, later.md5),
            (self.crc32c, later.crc32c),
        )
        return all(mine is None or other is None or mine == other for mine, other in told)

    def as_dict(self) -> dict[str, Any]:
        """For the note that lies beside a file that is not whole."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: object) -> Self | None:
        """The edition of such a note; None where it is none."""
        if not isinstance(data, Mapping) or not isinstance(data.get("url"), str):
            return None
        words = {name: data.get(name) for name in ("link", "etag", "generation", "md5", "crc32c")}
        size = data.get("size")
        return cls(
            url=data["url"],
            size=size if isinstance(size, int) else None,
            **{name: word if isinstance(word, str) else None for name, word in words.items()},
        )


@frozen(kw_only=True)
class Head:
    """The head of an answer: the edition, the first byte that comes, how many come (None: not told), the type."""

    edition: Edition
    start: int = 0
    length: int | None = None
    content_type: str = ""


def link_digest(url: str) -> str:
    """What tells a link from another, and nothing of it."""
    return hashlib.sha256(url.encode(errors="surrogatepass")).hexdigest()[:32]


def asking(start: int, stop: int | None, edition: Edition | None) -> dict[str, str]:
    """The headers of a GET for `start` up to `stop` (not included), on condition that the edition is the same."""
    if not start and stop is None:
        return {}
    headers = {"Range": f"bytes={start}-{'' if stop is None else stop - 1}"}
    if edition is not None and edition.strong is not None:
        headers["If-Range"] = edition.strong
    return headers


def head(url: str, status: int, headers: Mapping[str, str]) -> Head | None:
    """What a 200 or 206 says; None where a 206 does not say which bytes come."""
    size = _number(headers.get("content-length"))
    start, length = 0, size
    if status == 206:
        place = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
        if place is None or int(place[2]) < int(place[1]):
            return None
        start, length = int(place[1]), int(place[2]) + 1 - int(place[1])
        if size is not None and size != length:
            return None
        size = None if place[3] == "*" else int(place[3])
    hashes = dict(HASHES.findall(headers.get("x-goog-hash", "")))
    edition = Edition(
        url=without_query(url),
        link=link_digest(url),
        etag=headers.get("etag"),
        generation=headers.get("x-goog-generation"),
        size=size,
        md5=hashes.get("md5"),
        crc32c=hashes.get("crc32c"),
    )
    return Head(
        edition=edition, start=start, length=length, content_type=headers.get("content-type", "").strip()
    )


def whole_size(headers: Mapping[str, str]) -> int | None:
    """The file's size, from the head of a 416."""
    told = _UNSATISFIED.fullmatch(headers.get("content-range", "").strip())
    return int(told[1]) if told else None


def is_page(content_type: str) -> bool:
    """Whether this is the type of something to be read by people or programs, never of media."""
    return content_type.lower().startswith(_PAGES)


def _number(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit():
        return None
    return int(text) if len(text.lstrip("0")) < 19 else None
