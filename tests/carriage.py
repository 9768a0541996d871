"""A raw peer and a transport to it, and one call of each kind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from peers import Answering, Peer, http, peer

from gmi_video._transport import AiohttpTransport, make
from gmi_video.wire import Call

OK = http(b'{"a": 1}', "200 OK", "X-Twice: first", "X-Twice: second", "Content-Type: application/json")


SECRET = "secret-of-mine"


@asynccontextmanager
async def carried(
    answering: Answering, *, keeps: bool = False, loopback: bool = True
) -> AsyncIterator[tuple[Peer, AiohttpTransport]]:
    """A peer and a transport."""
    async with peer(answering, keeps=keeps) as it:
        transport = make(loopback=loopback)
        try:
            yield it, transport
        finally:
            await transport.aclose()


def get(url: str, *, timeout: float | None = 5.0, cap: int = 1000) -> Call:
    """A look."""
    headers = {"Authorization": f"Bearer {SECRET}"}
    return Call(operation="snapshot", subject="r-1", url=url, headers=headers, timeout=timeout, cap=cap)


def post(url: str, *, timeout: float | None = 5.0) -> Call:
    """A submission."""
    headers = {"Authorization": f"Bearer {SECRET}"}
    return Call(
        operation="submit",
        subject="Veo3",
        url=url,
        method="POST",
        body=b"{}",
        headers=headers,
        timeout=timeout,
    )


def media(url: str) -> Call:
    """A download."""
    return Call(operation="media", subject="the file", url=url, timeout=5.0)
