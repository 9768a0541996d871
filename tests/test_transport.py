"""The aiohttp transport against raw peers: what goes over the wire, and what foreign errors become."""

import asyncio
import gc
import gzip
import ssl
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from peers import Answering, Peer, hanging_up, http, peer, saying, silent
from scene import ours

from gmi_video import errors
from gmi_video._transport import AiohttpTransport, make
from gmi_video.testing import run
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
            for call in (get(it.url), get(it.url), post(it.url), media(it.url)):
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
def test_a_call_is_sent_once(keeps: bool, make_call: type[Call]) -> None:
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


FLOOD = b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 100) for n in range(10_000))
FAULTS = {
    "garbage": saying(b"\x00\xff\x13garbage\r\n\r\n"),
    "half a status line": saying(b"HTTP/1.1 2"),
    "half a header": saying(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "a flood of headers": saying(FLOOD + b"\r\n"),
    "a long header": saying(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n"),
    "half a body": saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"),
    "half a chunk": saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf"),
    "a broken chunk": saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhalf\r\n"),
    "a broken length": saying(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nhalf"),
    "broken compression": saying(http(b"not gzip", "200 OK", "Content-Encoding: gzip")),
    "nothing": hanging_up,
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("make_call", [get, post])
def test_what_is_not_an_answer_is_an_interruption(fault: str, make_call: type[Call]) -> None:
    """Whatever breaks after the call was sent is `Interrupted`, with the foreign class's name and no secret."""

    async def main() -> None:
        async with carried(FAULTS[fault]) as (it, transport):
            with pytest.raises(errors.Interrupted) as caught:
                await transport.send(make_call(it.url + "?token=" + SECRET))
        error = caught.value

        assert len(it.heads) == 1
        assert error.cause
        assert SECRET not in f"{error} {error!r} {error.args}"
        assert (error.__cause__, error.__context__) == (None, None)

    run(main())


@pytest.mark.parametrize("make_call", [get, post])
def test_an_answer_that_does_not_come_is_timed_out(make_call: type[Call]) -> None:
    """Silence ends after the call's own time, to the second."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with carried(silent) as (it, transport):
            begun = loop.time()
            with pytest.raises(errors.TimedOut) as caught:
                await transport.send(make_call(it.url, timeout=5.2))

        assert loop.time() - begun == pytest.approx(5.2, abs=0.01)
        assert isinstance(caught.value, TimeoutError)
        assert "5.2 s" in str(caught.value)

    run(main())


def test_an_answer_that_drips_is_timed_out() -> None:
    """A byte now and then does not prolong a call: its time is that of the whole answer."""

    async def drip(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(1)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with carried(drip) as (it, transport):
            begun = loop.time()
            with pytest.raises(errors.TimedOut):
                await transport.send(get(it.url, timeout=10))

        assert loop.time() - begun == pytest.approx(10, abs=0.1)

    run(main())


@pytest.mark.parametrize("make_call", [get, post, media])
def test_a_host_that_is_not_there_is_unreachable(make_call: type[Call]) -> None:
    """Where nobody listens nothing was sent, and the error says so without a URL."""

    async def main() -> None:
        async with carried(silent) as (it, transport):
            free = it.url
            it.port = 0
        transport = make(loopback=True)
        with pytest.raises(errors.Unreachable) as caught:
            if make_call is media:
                async with transport.stream(media(free)):
                    pass
            else:
                await transport.send(make_call(free))
        await transport.aclose()

        assert "ECONNREFUSED" in str(caught.value)
        assert "http" not in str(caught.value)
        assert caught.value.retryable

    run(main())


def test_a_name_that_is_not_known_is_unreachable() -> None:
    """A host whose name does not resolve was not reached."""

    async def main() -> None:
        transport = make(loopback=False)
        with pytest.raises(errors.Unreachable, match="its name was not resolved"):
            await transport.send(post("https://no-such-host.invalid/x"))
        await transport.aclose()

    run(main())


def test_a_host_that_does_not_speak_tls_is_unreachable() -> None:
    """A handshake that fails sent nothing of the call."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ready\r\n")
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        transport = make(loopback=True)
        with pytest.raises(errors.Unreachable, match="TLS failed") as caught:
            await transport.send(post(f"https://127.0.0.1:{port}/x"))
        await transport.aclose()
        server.close()

        assert caught.value.retryable

    run(main())


def test_a_certificate_that_is_not_trusted_is_not_tried_again() -> None:
    """A self-signed certificate ends the call before it is sent, and repeating would change nothing."""

    async def main() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(Path(__file__).parent / "faults" / "self-signed.pem")
        async with peer(saying(OK), tls=context) as it:
            transport = make(loopback=True)
            with pytest.raises(errors.Unreachable, match="certificate") as caught:
                await transport.send(post(it.url.replace("http:", "https:")))
            await transport.aclose()

        assert not caught.value.retryable
        assert it.heads == []

    run(main())


@pytest.mark.parametrize("how", ["length", "chunks", "endless", "bomb"])
def test_a_body_over_its_cap_is_refused_without_being_held(how: str) -> None:
    """Neither a long body, nor an endless one, nor half a megabyte that unpacks to half a gigabyte is kept."""
    bomb = gzip.compress(bytes(100 * 2**20), 1) if how == "bomb" else b""
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    async def endless(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        writer.write(start)
        while True:
            writer.write(chunk)
            await writer.drain()

    answers = {
        "length": saying(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\nxx"),
        "chunks": saying(start + chunk * 40 + b"0\r\n\r\n"),
        "endless": endless,
        "bomb": saying(http(bomb, "200 OK", "Content-Encoding: gzip")),
    }

    async def main() -> None:
        async with carried(answers[how]) as (it, transport):
            tracemalloc.start()
            with pytest.raises(errors.MalformedResponse, match="larger than 1,000,000 bytes") as caught:
                await transport.send(get(it.url, cap=1_000_000))
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()

        assert peak < 20 * 2**20
        assert len(caught.value.excerpt) <= 300

    run(main())


@pytest.mark.parametrize("spelling", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"])
def test_a_link_to_a_private_address_is_not_connected(spelling: str) -> None:
    """The storage connection refuses private addresses at the socket, however they are spelt; others are not guarded."""

    async def main() -> None:
        async with carried(saying(OK), loopback=False) as (it, transport):
            with pytest.raises(errors.UnsafeURL, match="private address"):
                async with transport.stream(media(f"http://{spelling}:{it.port}/a.mp4")):
                    pass
            connections = it.connections
            await transport.send(get(it.url))

        assert (connections, it.connections) == (0, 1)

    run(main())


@pytest.mark.parametrize("url", ["http://", "http://127.0.0.1:99999/x", "nonsense", "http://a..b/"])
def test_a_link_that_is_no_link_is_unsafe(url: str) -> None:
    """What cannot be understood as a link is not followed."""

    async def main() -> None:
        transport = make(loopback=True)
        with pytest.raises((errors.UnsafeURL, errors.Unreachable)):
            async with transport.stream(media(url)):
                pass
        await transport.aclose()

    run(main())


def test_a_stream_is_read_as_it_comes_and_as_it_is() -> None:
    """Pieces arrive before the end, and what is compressed stays so."""
    packed = gzip.compress(b"film")
    going_on = asyncio.Event

    async def main() -> None:
        more = going_on()

        async def slowly(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed))
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


def test_a_stream_that_breaks_is_an_interruption() -> None:
    """A body that ends before its length is told, and the connection is not used again."""

    async def main() -> None:
        async with carried(FAULTS["half a body"]) as (it, transport):
            async with transport.stream(media(it.url)) as stream:
                with pytest.raises(errors.Interrupted) as caught:
                    _ = [piece async for piece in stream.chunks()]
            assert caught.value.__context__ is None

    run(main())


def test_a_stream_that_breaks_before_its_head_is_mapped() -> None:
    """A download whose answer never begins is one of our errors as well."""

    async def main() -> None:
        async with carried(hanging_up) as (it, transport):
            with pytest.raises(errors.Interrupted):
                async with transport.stream(media(it.url)):
                    pass

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
