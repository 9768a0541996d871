"""What breaks on the wire, and what a transport makes of it."""

import asyncio
import gzip
import ssl
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve
from carriage import OK, SECRET, carried, get, media, post
from peers import Peer, hanging_up, http, peer, saying, silent

from gmi_video import Media, Session, Settings, errors
from gmi_video._transport import make
from gmi_video.testing import run
from gmi_video.wire import Call

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
def test_what_is_not_an_answer_is_an_interruption(fault: str, make_call: Callable[[str], Call]) -> None:
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
def test_an_answer_that_does_not_come_is_timed_out(make_call: Callable[[str], Call]) -> None:
    """Silence ends after the call's own time, to the second."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with carried(silent) as (it, transport):
            begun = loop.time()
            with pytest.raises(errors.TimedOut) as caught:
                await transport.send(evolve(make_call(it.url), timeout=5.2))

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
def test_a_host_that_is_not_there_is_unreachable(make_call: Callable[[str], Call]) -> None:
    """Where nobody listens nothing was sent, and the error says so without a URL."""

    async def main() -> None:
        async with carried(silent) as (it, transport):
            free = it.url
            it.port = 0
        transport = make(loopback=True)
        with pytest.raises(errors.Unreachable) as caught:
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


def test_a_storage_host_whose_certificate_is_not_trusted_was_not_reached(tmp_path: Path) -> None:
    """It says what is wrong with it, and no ill of the link: a proxy that opens TLS is met by good ones."""

    async def main() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(Path(__file__).parent / "faults" / "self-signed.pem")
        async with peer(saying(OK), tls=context) as it:
            settings = Settings(api_key="k", base_url=it.url)
            async with Session(settings) as session:
                with pytest.raises(errors.Unreachable, match="its certificate was not accepted"):
                    await session.download(Media(it.url.replace("http:", "https:")), into=tmp_path)

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


def test_naming_hosts_without_a_proxy_takes_no_guard_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_PROXY alone means that nothing is proxied: private addresses are refused as ever."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "localhost,.example")

    async def main() -> None:
        async with carried(saying(OK), loopback=False) as (it, transport):
            with pytest.raises(errors.UnsafeURL, match="private address"):
                async with transport.stream(media(f"http://127.0.0.1:{it.port}/a.mp4")):
                    pass

        assert it.connections == 0

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
