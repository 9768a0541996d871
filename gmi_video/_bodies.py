"""The bodies of aiohttp's responses: whole and capped, or piece by piece as they come."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping

import aiohttp
from multidict import CIMultiDict

from gmi_video._foreign import mapped
from gmi_video._tap import Tap
from gmi_video._words import excerpt
from gmi_video.errors import GmiVideoError, MalformedResponse
from gmi_video.wire import Call


class AiohttpStream:
    """The body of a streamed reply. Where `large` bytes are left of it, its connection can be taken over."""

    def __init__(self, response: aiohttp.ClientResponse, call: Call, *, large: int) -> None:
        self._response = response
        self._call = call
        self._large = large
        self._gave = 0
        self.status = response.status
        told = response.headers
        self.headers: Mapping[str, str] = {name.lower(): ", ".join(told.getall(name)) for name in told}

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes; raises `TransportError` leaves."""
        ours: GmiVideoError | None = None
        while ours is None:
            try:
                chunk = await self._response.content.readany()
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                ours = mapped(error, self._call, sent=True)
                chunk = _left_behind(self._response.content)
            if chunk:
                self._gave += len(chunk)
                yield chunk
            elif ours is None:
                return
        raise ours

    def end(self) -> None:
        """Its connection is closed, which wakes nobody who reads."""
        self._response.content.set_exception(aiohttp.ClientConnectionError())

    def tap(self) -> tuple[bytes, Tap | None] | None:
        """What came of the body and was not read yet, and a tap for the rest; None where the parser is as good.

        That is so for a short rest, a length that is not known, and a connection that has ended or is free again.
        """
        response = self._response
        length = None if "Transfer-Encoding" in response.headers else response.content_length
        if length is None or length - self._gave < self._large or self._carrier() is None:
            return None
        early = b"".join(iter(self._at_hand, b""))
        if (carrier := self._carrier()) is None:  # all of it was there
            return early, None
        return early, Tap(carrier, length - self._gave, f"{self._call.operation} {self._call.subject}")

    def _carrier(self) -> asyncio.Transport | None:
        """What the rest of the body comes by, where it comes."""
        connection = self._response.connection
        transport = connection.transport if connection is not None else None
        return None if transport is None or transport.is_closing() else transport

    def _at_hand(self) -> bytes:
        """What can be read without waiting. To read lets the parser go on, which may bring more."""
        with contextlib.suppress(aiohttp.ClientError):  # the next to read learns of that
            piece = self._response.content.read_nowait()
            self._gave += len(piece)
            return piece
        return b""


def _left_behind(content: aiohttp.StreamReader) -> bytes:
    """What came before a connection broke and was not read yet: aiohttp's own readers raise, and it would be lost."""
    with contextlib.suppress(Exception):
        content._exception = None  # noqa: SLF001  # no public way leads to these bytes
        return content.read_nowait()
    return b""


class Headers(Mapping[str, str]):
    """Headers under their names in lower case, the first of several; not copied, for most looks read none."""

    __slots__ = ("_foreign",)

    def __init__(self, foreign: Mapping[str, str]) -> None:
        self._foreign = foreign

    def __getitem__(self, name: str) -> str:
        if name == "x-goog-hash":  # one line for each hash
            return ", ".join(CIMultiDict(self._foreign).getall(name))
        return self._foreign[name]  # aiohttp finds it in any spelling, the first of several

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name.lower() for name in self._foreign))

    def __len__(self) -> int:
        return sum(1 for _ in self)


async def read(response: aiohttp.ClientResponse, pieces: list[bytes], call: Call) -> None:
    """At most `call.cap` bytes, in bounded pieces; a larger body is refused without being held."""
    length = response.content_length
    content = response.content
    size = 0
    while length is None or length <= call.cap:
        piece = await content.readany()
        if not piece:
            return
        size += len(piece)
        if size > call.cap:
            break
        pieces.append(piece)
        if content.at_eof() and content.exception() is None:
            return
    response.close()
    what = f"larger than {call.cap:,} bytes"
    message = f"GMI's answer about {call.subject} is {what}, and was refused"
    shown = excerpt(b"".join(pieces[:1]))
    pieces.clear()  # a traceback with locals must not show a prompt
    piece = b""
    raise MalformedResponse(message, what=what, path="$", excerpt=shown)
