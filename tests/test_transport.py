"""The aiohttp transport against raw peers: what goes over the wire, and what foreign errors become."""

import asyncio
import gc
import gzip
from collections.abc import Callable

import pytest
from carriage import OK, SECRET, carried, get, media, post
from peers import Peer, http, peer, saying
from scene import ours

from gmi_video import errors
from gmi_video._transport import make
from gmi_video.testing import run
from gmi_video.wire import Call


def test_a_reply_comes_whole() -> None:
    """Status, headers in lower case (the first of two counts) and the body as bytes."""

    async def main() -> None:
        async with carried(saying(OK)) as (it, transport):
            reply = await transport.send(get(it.url + "/requests/r%2F1?x=%20"))

        assert (reply.status, reply.body) == (200, b'{"a": 1}')
        assert reply.headers["x-twice"] == "first"
        assert it.heads[0].startswith("GET /queue/requests/r%2F1?x=%20 HTTP/1.1\r\n")

    run(main())


def test_nothing_is_sent_that_nobody_asked_for() -> None:
    """No cookies come back, no user agent is invented, and no key goes with a download."""
    cookie = http(b"", "200 OK", "Set-Cookie: a=b")

    async def main() -> None:
        async with carried(saying(cookie), keeps=True) as (it, transport):
            url = it.url.replace("127.0.0.1", "localhost")  # of an address no client keeps cookies
            for call in (get(url), get(url), post(url), media(url)):
                if call.operation == "media":
                    async with transport.stream(call) as stream:
                        assert stream.status == 200
                else:
                    await transport.send(call)

        heads = [head.lower() for head in it.heads]
        assert not any("cookie" in head or "user-agent" in head for head in heads)
        assert [SECRET in head for head in heads] == [True, True, True, False]

    run(main())


def test_looks_keep_their_connection_and_submissions_have_one_each() -> None:
    """Short calls share a connection; a POST gets a fresh one, on which "unsent" can be proven."""

    async def main() -> None:
        async with carried(saying(OK), keeps=True) as (it, transport):
            for _ in range(3):
                await transport.send(get(it.url))
            short = it.connections
            for _ in range(3):
                await transport.send(post(it.url))

        assert short == 1
        assert it.connections == 4

    run(main())


@pytest.mark.parametrize("keeps", [False, True])
@pytest.mark.parametrize("make_call", [get, post])
def test_a_call_is_sent_once(keeps: bool, make_call: Callable[[str], Call]) -> None:
    """A peer that hangs up sees exactly one call for each of ours, on a fresh connection and on a kept one."""

    async def hang_up_later(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        if len(it.heads) == 1 and keeps:
            writer.write(OK)
        else:
            it.keeps = False

    async def main() -> None:
        async with carried(hang_up_later, keeps=keeps) as (it, transport):
            if keeps:
                await transport.send(make_call(it.url))
            with pytest.raises(errors.Interrupted) as caught:
                await transport.send(make_call(it.url))

        assert len(it.heads) == (2 if keeps else 1)
        assert caught.value.cause == "ServerDisconnectedError"

    run(main())


def test_a_redirect_is_not_followed() -> None:
    """The other place of a 307 sees no connection, let alone a body or a key."""

    async def main() -> None:
        async with peer(saying(OK)) as other:
            away = http(b"", "307 Temporary Redirect", f"Location: {other.url}")
            async with carried(saying(away)) as (it, transport):
                for call in (get(it.url), post(it.url)):
                    assert (await transport.send(call)).status == 307
                async with transport.stream(media(it.url)) as stream:
                    assert stream.status == 307

            assert other.connections == 0

    run(main())


def test_a_stream_is_read_as_it_comes_and_as_it_is() -> None:
    """Pieces arrive before the end, and what is compressed stays so."""
    packed = gzip.compress(b"film")
    going_on = asyncio.Event

    async def main() -> None:
        more = going_on()

        async def slowly(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
            )
            writer.write(packed[:5])
            await more.wait()
            writer.write(packed[5:])

        async with carried(slowly) as (it, transport), transport.stream(media(it.url)) as stream:
            chunks = stream.chunks()
            first = await anext(chunks)
            more.set()
            rest = [piece async for piece in chunks]

        assert first == packed[:5]
        assert gzip.decompress(first + b"".join(rest)) == b"film"

    run(main())


def test_leaving_a_stream_early_closes_its_connection() -> None:
    """A body that nobody reads to its end does not wait in a pool."""

    async def endless(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async def main() -> None:
        async with carried(endless) as (it, transport):
            async with transport.stream(media(it.url)) as stream:
                await anext(stream.chunks())
            for _ in range(100):
                await asyncio.sleep(0.01)
            assert it.tasks == set()

    run(main())


def test_closing_twice_and_calling_afterwards() -> None:
    """A second close does nothing; a call on a closed transport is one of our errors."""

    async def main() -> None:
        async with carried(saying(OK)) as (it, transport):
            await transport.aclose()
            await transport.aclose()
            with pytest.raises(errors.TransportError):
                await transport.send(get(it.url))
            with pytest.raises(errors.TransportError):
                async with transport.stream(media(it.url)):
                    pass

    run(main())


@pytest.mark.parametrize("closed", [False, True])
def test_an_abandoned_transport_is_silent(closed: bool) -> None:
    """What a finaliser lets go of says nothing: the session has warned already."""

    async def main() -> None:
        async with peer(saying(OK), keeps=True) as it:
            transport = make(loopback=True)
            await transport.send(get(it.url))
            if closed:
                await transport.aclose()
            else:
                transport.abandon()
            del transport
            gc.collect()
            await asyncio.sleep(0)

            assert ours() == []

    run(main(), debug=True)
    gc.collect()
