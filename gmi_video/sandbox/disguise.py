"""Faults that are still well-formed HTTP: an `Answer` dressed as something else. Pure."""

import struct
import zlib
from functools import lru_cache
from typing import TypeAlias

from attrs import evolve

from gmi_video.sandbox.answers import Answer
from gmi_video.sandbox.faults import Bomb, Early, Edge, HeaderFlood, Redirect

Disguise: TypeAlias = Bomb | Early | Edge | HeaderFlood | Redirect

_BLOCK = 1024 * 1024
_REASONS = {
    413: "request body too large",
    400: "invalid request body",
    401: "Access token expired or invalid",
}


def dressed(answer: Answer, fault: Disguise, *, elsewhere: str, here: str) -> Answer:
    """`answer` as the client gets it; `elsewhere` and `here` are the URLs that a redirect may name."""
    match fault:
        case Edge():
            return Answer.html(fault.status)
        case Early():
            return Answer.refusal(fault.status, _REASONS.get(fault.status, "request refused"))
        case HeaderFlood():
            flood = tuple((f"X-Flood-{number}", "x" * fault.size) for number in range(fault.count))
            return evolve(answer, headers=(*answer.headers, *flood))
        case Redirect():
            target = {"elsewhere": elsewhere, "self": here}.get(fault.to, fault.to)
            return Answer(fault.status, b"", "text/html; charset=UTF-8", (("Location", target),))
        case Bomb():
            told = (("Content-Encoding", "gzip"),)
            return evolve(
                answer, body=bomb(bytes(answer.body), fault.inflated), headers=(*answer.headers, *told)
            )


def bomb(body: bytes, inflated: int) -> bytes:
    """`body` and white space up to `inflated` bytes more, as one gzip member."""
    blocks, rest = divmod(inflated, _BLOCK)
    head, tail = _deflated(body), _deflated(b" " * rest)
    check = zlib.crc32(b" " * rest, _check(zlib.crc32(body), blocks))
    size = (len(body) + inflated) & 0xFFFFFFFF
    return b"".join(
        (
            b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff",
            head,
            _deflated(b" " * _BLOCK) * blocks,
            tail,
            b"\x03\x00",  # an empty last block of fixed codes (RFC 1951, 3.2.6) ends the stream
            struct.pack("<II", check, size),
        )
    )


@lru_cache(maxsize=64)
def _deflated(part: bytes) -> bytes:
    """Raw deflate blocks of `part` that stand by themselves: a full flush forgets the window and ends on a byte."""
    press = zlib.compressobj(9, zlib.DEFLATED, -15)
    return press.compress(part) + press.flush(zlib.Z_FULL_FLUSH)


@lru_cache(maxsize=256)
def _check(start: int, blocks: int) -> int:
    check, block = start, b" " * _BLOCK
    for _ in range(blocks):
        check = zlib.crc32(block, check)
    return check
