"""The two calls of an upload: where a file may be put, and the putting. Values in, values out.

The storage is Google Cloud Storage behind V4 signed URLs (the vendor's Upload API): the content type is part of
the signature, errors are XML, and the reply tells checksums of what lies there now.
"""

import base64
import json
import re
from collections.abc import AsyncIterable, Callable, Collection, Mapping
from html import unescape
from typing import Any

from attrs import frozen

from gmi_video._file_type import FileType
from gmi_video._links import vetted
from gmi_video._range import HASHES
from gmi_video._refusal import malformed
from gmi_video._words import one_line
from gmi_video.errors import (
    GmiVideoError,
    IntegrityError,
    LinkExpired,
    MalformedResponse,
    TransferError,
    UnsafeURL,
)
from gmi_video.settings import Secret
from gmi_video.wire import Call, Reply, record

FRESH = 720.0
"""Seconds for which an upload URL is used; it was signed for 899, and a large file takes its time to begin."""

_FORMS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "jpeg": (("jpeg", "image/jpeg"), ("jpg", "image/jpg")),
    "png": (("png", "image/png"),),
    "mp4": (("mp4", "video/mp4"),),
    "mp3": (("mp3", "audio/mpeg"), ("mp3", "audio/mp3")),
    "wav": (("wav", "audio/wav"),),
}
"""What to ask for, and the content type that was signed for it; a second pair where users saw the service differ:
`jpg` is signed for the literal image/jpg, `mp3` has been for audio/mp3."""
_AGAIN = frozenset({403, 408, 425, 429, 500, 502, 503, 504})
_CODE = re.compile(r"<(?:\w+:)?Code>\s*(?:<!\[CDATA\[)?\s*([\w.-]{1,80})\s*(?:\]\]>)?\s*</")
_MESSAGE = re.compile(r"<(?:\w+:)?Message>\s*(?:<!\[CDATA\[)?([^<]{1,400}?)(?:\]\]>)?</")
_SIGNED = re.compile(
    r"goog-(?!\w+=…)|goog4|signature\W*[:=\"'](?!…)|credential\W*[:=\"'](?!…)", re.IGNORECASE
)
"""What a message speaks of that quotes a link's secret."""
_WORDS = {"crc32c": "CRC-32C", "md5": "MD5"}
_MEANT = {
    "SignatureDoesNotMatch": "the link was signed for another content type than was sent",
    "MalformedSecurityHeader": "a header that was signed for is missing",
    "ExpiredToken": "the link had expired",
    "EntityTooLarge": "the file is larger than the storage takes",
    "AccessDenied": "the link does not allow it",
}
"""The storage's codes (cloud.google.com/storage/docs/xml-api/reference-status) as sentences."""


@frozen
class Slot:
    """Where one file may be put, once, and where it can be read then."""

    upload_url: Secret
    public_url: str


def forms_of(kind: FileType) -> tuple[tuple[str, str], ...]:
    """What may be asked for a file of that type, each with its content type; the usual one first."""
    return _FORMS[kind.name]


def slot_call(file_type: str) -> Call:
    """POST /upload-url: it costs nothing, and may be repeated."""
    body = json.dumps({"file_type": file_type}).encode()
    headers = {"Content-Type": "application/json"}
    return Call(
        operation="upload",
        subject=f"a {file_type} file",
        url="/upload-url",
        method="POST",
        body=body,
        headers=headers,
    )


def read_slot(call: Call, reply: Reply, *, loopback: bool, hosts: Collection[str] | None = None) -> Slot:
    """The two links of the answer, vetted; raises `MalformedResponse`, and `UnsafeURL` with nothing sent."""
    found: GmiVideoError
    try:
        return _slot(record(call, reply), loopback=loopback, hosts=hosts)
    except UnsafeURL as error:
        found = UnsafeURL(f"GMI's place for {call.subject} is not used: {error}")
    except MalformedResponse as error:
        found = error
    if isinstance(found, MalformedResponse):
        found = malformed(call.operation, call.subject, found.what, found.path, reply.shown)
    raise found


def _slot(told: object, *, loopback: bool, hosts: Collection[str] | None) -> Slot:
    links = {}
    for name in ("upload_url", "public_url"):
        link = told.get(name) if isinstance(told, Mapping) else None
        if not isinstance(link, str) or not link:
            what = "no link"
            raise MalformedResponse(f"{what} @ {name}", what=what, path=name)
        vetted(link, loopback=loopback, hosts=hosts)
        links[name] = Secret(link)
    return Slot(vetted(links["upload_url"], loopback=loopback, hosts=hosts), str(links["public_url"]))


def put_call(
    slot: Slot, name: str, content_type: str, size: int, chunks: Callable[[], AsyncIterable[Any]]
) -> Call:
    """PUT of a file at the storage host: no credentials, the very type that was signed, and the length."""
    headers = {"Content-Type": content_type, "Content-Length": str(size)}
    return Call(
        operation="put", subject=repr(name), url=slot.upload_url, method="PUT", headers=headers, chunks=chunks
    )


@frozen
class Refusal:
    """Why an upload failed; with another content type it may pass where the link was signed for another."""

    error: GmiVideoError
    another_type: bool = False


def judged(name: str, reply: Reply, sent: Mapping[str, bytes]) -> Refusal | None:
    """What the storage's answer to an upload means: None where the file lies there as it was sent.

    `sent` are the checksums of what went out, by the names of `checksums`; one that the answer tells as well decides.
    """
    if not reply.ok:
        return _refused(name, reply)
    for kind, told in checksums(reply.headers).items():
        if sent.get(kind, told) != told:
            message = (
                f"what lies at the storage host is not {name!r} as it was sent: its {_WORDS[kind]} differs"
            )
            return Refusal(IntegrityError(message))
    return None


def _refused(name: str, reply: Reply) -> Refusal:
    """A refusal as a sentence. Of its XML only code and message are read: the rest repeats the link's credential."""
    text = reply.body[:65_536].decode("utf-8", "replace")
    code = found[1] if (found := _CODE.search(text)) else ""
    words = unescape(found[1]) if (found := _MESSAGE.search(text)) else ""
    words = "" if _SIGNED.search(words := one_line(words, 200)) else words
    large = _MEANT["EntityTooLarge"] if reply.status == 413 else ""
    told = (
        f"{code}: {_MEANT.get(code, words)}".removesuffix(": ")
        if code
        else words or large or "no reason given"
    )
    if 300 <= reply.status < 400:
        told = "it points elsewhere, and an upload is not redirected"
    message = f"the storage host did not take {name!r} ({reply.status} {told})"
    expired = code == "ExpiredToken" or (reply.status == 403 and code in ("", "AccessDenied"))
    leaf = LinkExpired if expired else TransferError
    error = leaf(message, retryable=expired or reply.status in _AGAIN)
    return Refusal(error, another_type=code == "SignatureDoesNotMatch")


def checksums(headers: Mapping[str, str]) -> dict[str, bytes]:
    """What the storage tells of what lies there: "crc32c", and "md5" of `x-goog-hash` or else of an ETag that is one."""
    found = {kind: base64.b64decode(told) for kind, told in HASHES.findall(headers.get("x-goog-hash", ""))}
    etag = re.fullmatch(r'"?([0-9a-fA-F]{32})"?', headers.get("etag", ""))
    if etag is not None:
        found.setdefault("md5", bytes.fromhex(etag[1]))
    return found
