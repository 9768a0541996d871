"""What a bucket says of an object: whole, a range, or the XML of an error. Pure.

The bucket is public: it wants no credentials, sends no CORS headers, and its objects have strong ETags.
"""

import base64
import hashlib
import re
import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal
from xml.sax.saxutils import escape

from attrs import define, field, frozen

from gmi_video.sandbox.answers import Answer, Bytes
from gmi_video.sandbox.checksums import crc32c
from gmi_video.sandbox.pages import pieces
from gmi_video.sandbox.serving import HONEST_BUCKET, Serving

_XML = "application/xml; charset=UTF-8"
_CHECKED = 128 * 1024 * 1024
"""The most bytes of which the CRC-32C is told; more would take seconds."""
_RANGE = re.compile(r"^bytes=(\d*)-(\d*)$")


@frozen
class Stored:
    """One object of the bucket."""

    body: Bytes = field(repr=False)
    content_type: str
    md5: bytes
    crc32c: bytes = b""
    """Big-endian, as the storage tells it; empty: not told."""

    @classmethod
    def of(cls, body: Bytes, content_type: str) -> "Stored":
        """An object with its checksums; of very large ones the MD5 only."""
        md5 = hashlib.md5(usedforsecurity=False)
        for piece in pieces(body):
            md5.update(piece)
        check = crc32c(body).to_bytes(4, "big") if len(body) <= _CHECKED else b""
        return cls(body, content_type, md5.digest(), check)

    @property
    def etag(self) -> str:
        """The MD5 in hex, quoted, as the real bucket gives for objects uploaded in one piece."""
        return f'"{self.md5.hex()}"'

    def edition(self, number: int) -> "Stored":
        """Another object that can be played as well: a free box behind the last, which players skip."""
        if not number:
            return self
        return Stored.of(bytes(self.body) + struct.pack(">I4sQ", 16, b"free", number), self.content_type)

    def flipped(self, place: int | None) -> Bytes:
        """The bytes, with the lowest bit of one of them flipped."""
        if place is None or not -len(self.body) <= place < len(self.body):
            return self.body
        body = bytearray(self.body)
        body[place] ^= 1
        return bytes(body)


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


def access_denied() -> Answer:
    """403 for a call that wants a signature and has none."""
    return _error(
        403,
        "AccessDenied",
        "Access denied.",
        Details="Anonymous caller does not have storage.objects.get access to the Google Cloud Storage object.",
    )


def gone(status: int) -> Answer:
    """A link past its time, at a host that says so with 403, 404 or 410."""
    if status == 410:
        return _error(410, "Gone", "The link has expired.")
    return access_denied() if status == 403 else no_such_key()


def malformed_header(name: str) -> Answer:
    """400: a header was signed for and not sent."""
    return _error(
        400,
        "MalformedSecurityHeader",
        "Your request has a malformed header.",
        ParameterName=name,
        Details="Header was included in signedheaders, but not in the request.",
    )


def expired_token(ended: float) -> Answer:
    """400, not 403: a signed URL past its time."""
    when = datetime.fromtimestamp(ended, UTC).isoformat()
    details = f"The provided token has expired. Request signature expired at: {when}"
    return _error(400, "ExpiredToken", "Invalid argument.", Details=details)


def signature_does_not_match(to_sign: str, canonical: str) -> Answer:
    """403, with the text that should have been signed: it repeats the URL's credential and date."""
    return _error(
        403,
        "SignatureDoesNotMatch",
        "Access denied.",
        Details="The request signature we calculated does not match the signature you provided. "
        "Check your Google secret key and signing method.",
        StringToSign=to_sign,
        CanonicalRequest=canonical,
    )


def kept(stored: Stored, serving: Serving = HONEST_BUCKET) -> Answer:
    """200 without a body: an upload lies there now, and these are its checksums."""
    told = (("ETag", stored.etag), *_hashes(stored, serving.hashes))
    return Answer(200, b"", "text/html; charset=UTF-8", told)


def answer(
    stored: Stored, headers: Mapping[str, str], serving: Serving = HONEST_BUCKET, turn: int = 0
) -> Answer:
    """GET (and, body aside, HEAD) of an object: `Range`, `If-Range` and `If-None-Match` are honoured.

    A range that cannot be read, and several ranges in one header, are answered with the whole object. `turn`
    tells calls apart where `serving` has an ETag of its own for each.
    """
    stored = stored.edition(serving.edition)
    size = len(stored.body)
    etag = stored.etag if serving.etag != "changing" else f'"{turn:032x}"'
    told: list[tuple[str, str]] = [
        ("Cache-Control", "public, max-age=3600"),
        *_hashes(stored, serving.hashes),
    ]
    if serving.etag != "missing":
        told.append(("ETag", etag))
    if serving.ranges:
        told.append(("Accept-Ranges", "bytes"))
    if headers.get("If-None-Match") == etag:
        return Answer(304, b"", stored.content_type, tuple(told))
    body = stored.flipped(serving.flips)
    span = _span(headers.get("Range", ""), size) if serving.ranges else None
    if span is None or headers.get("If-Range", etag) != etag:
        return Answer(200, body, stored.content_type, tuple(told))
    first, last = span
    if first > last:
        refusal = _error(416, "InvalidRange", "The requested range cannot be satisfied.")
        return Answer(416, refusal.body, _XML, (("Content-Range", f"bytes */{size}"),))
    if serving.content_range != "missing":
        early = int(serving.content_range == "wrong")
        told.append(("Content-Range", f"bytes {first - early}-{last - early}/{size}"))
    return Answer(206, body[first : last + 1], stored.content_type, tuple(told))


def _hashes(stored: Stored, told: Literal["both", "md5", "crc32c", "none", "wrong"]) -> list[tuple[str, str]]:
    md5, check = stored.md5, stored.crc32c
    if told == "wrong":
        md5, check = md5[::-1], check[::-1]
    hashes = []
    if check and told in {"both", "crc32c", "wrong"}:
        hashes.append(("x-goog-hash", f"crc32c={base64.b64encode(check).decode()}"))
    if told in {"both", "md5", "wrong"}:
        hashes.append(("x-goog-hash", f"md5={base64.b64encode(md5).decode()}"))
    return hashes


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


def _error(status: int, code: str, message: str, **more: str) -> Answer:
    told = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in more.items())
    text = f"<Error><Code>{code}</Code><Message>{message}</Message>{told}</Error>"
    return Answer(status, f"<?xml version='1.0' encoding='UTF-8'?>{text}".encode(), _XML)
