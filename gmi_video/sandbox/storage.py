"""What a bucket says of an object: whole, a range, or the XML of an error. Pure.

The bucket is public: it wants no credentials, sends no CORS headers, and its objects have strong ETags.
"""

import base64
import hashlib
import re
from collections.abc import Mapping

from attrs import define, field, frozen

from gmi_video.sandbox.answers import Answer

_XML = "application/xml; charset=UTF-8"
_RANGE = re.compile(r"^bytes=(\d*)-(\d*)$")


@frozen
class Stored:
    """One object of the bucket."""

    body: bytes = field(repr=False)
    content_type: str
    md5: bytes

    @classmethod
    def of(cls, body: bytes, content_type: str) -> "Stored":
        """An object with its checksum."""
        return cls(body, content_type, hashlib.md5(body, usedforsecurity=False).digest())

    @property
    def etag(self) -> str:
        """The MD5 in hex, quoted, as the real bucket gives for objects uploaded in one piece."""
        return f'"{self.md5.hex()}"'


@define
class Shelf:
    """The objects made last, up to `room` bytes of them; making one again gives equal bytes."""

    room: int = 256 * 1024 * 1024
    _objects: dict[object, Stored] = field(init=False, factory=dict)
    _size: int = field(init=False, default=0)

    def get(self, key: object) -> Stored | None:
        """The object, which thereby becomes the one used last."""
        stored = self._objects.pop(key, None)
        if stored is not None:
            self._objects[key] = stored
        return stored

    def put(self, key: object, stored: Stored) -> None:
        """Keeps the object, and forgets those unused for longest where room runs out."""
        self._objects[key] = stored
        self._size += len(stored.body)
        while self._size > self.room and len(self._objects) > 1:
            oldest = next(iter(self._objects))
            self._size -= len(self._objects.pop(oldest).body)


def no_such_key() -> Answer:
    """404 with the storage's own XML."""
    return _error(404, "NoSuchKey", "The specified key does not exist.")


def method_not_allowed() -> Answer:
    """405 with the storage's own XML."""
    return _error(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")


def answer(stored: Stored, headers: Mapping[str, str]) -> Answer:
    """GET (and, body aside, HEAD) of an object: `Range`, `If-Range` and `If-None-Match` are honoured.

    A range that cannot be read, and several ranges in one header, are answered with the whole object.
    """
    size = len(stored.body)
    told = (
        ("Accept-Ranges", "bytes"),
        ("ETag", stored.etag),
        ("Cache-Control", "public, max-age=3600"),
        ("x-goog-hash", f"md5={base64.b64encode(stored.md5).decode()}"),
    )
    if headers.get("If-None-Match") == stored.etag:
        return Answer(304, b"", stored.content_type, told)
    span = _span(headers.get("Range", ""), size)
    if span is None or headers.get("If-Range", stored.etag) != stored.etag:
        return Answer(200, stored.body, stored.content_type, told)
    first, last = span
    if first > last:
        refusal = _error(416, "InvalidRange", "The requested range cannot be satisfied.")
        return Answer(416, refusal.body, _XML, (("Content-Range", f"bytes */{size}"),))
    part = (*told, ("Content-Range", f"bytes {first}-{last}/{size}"))
    return Answer(206, stored.body[first : last + 1], stored.content_type, part)


def _span(header: str, size: int) -> tuple[int, int] | None:
    match = _RANGE.match(header)
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        wanted = int(match[2])
        return (max(0, size - wanted), size - 1) if wanted else (size, size - 1)
    first = int(match[1])
    last = int(match[2]) if match[2] else size - 1
    if match[2] and last < first:
        return None
    return (first, min(last, size - 1))


def _error(status: int, code: str, message: str) -> Answer:
    text = f"<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Answer(status, text.encode(), _XML)
