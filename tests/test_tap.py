"""The rest of a body, past the parser: every byte once, over plain sockets and TLS, and a break told as one."""

import asyncio
import hashlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
from bytehost import Host
from fetching import FILM, PATIENT, WISH, saved, storage
from films import large
from peers import Answering, Peer, peer

from gmi_video import Media, errors
from gmi_video._downloads import Downloads
from gmi_video._stream import MediaStream
from gmi_video._tap import Tap
from gmi_video._transport import AiohttpTransport
from gmi_video.errors import Interrupted
from gmi_video.testing import run

CERTIFICATE = Path(__file__).parent / "faults" / "self-signed.pem"


class Wire(asyncio.Transport):
    """A connection of a test's own: `give` brings bytes while it is read from."""

    def __init__(self) -> None:
        super().__init__()
        self.reading = True
        self.protocol: asyncio.BaseProtocol = asyncio.Protocol()

    def pause_reading(self) -> None:
        """Nothing may come from now on."""
        self.reading = False

    def resume_reading(self) -> None:
        """Bytes may come again."""
        self.reading = True

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who is told."""
        return self.protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Somebody else is told from now on."""
        self.protocol = protocol

    def give(self, told: bytes) -> int:
        """As a selector's transport does: how many of the bytes were taken before reading was paused."""
        taken = 0
        while self.reading and taken < len(told):
            assert isinstance(self.protocol, Tap)
            room = self.protocol.get_buffer(-1)
            count = min(len(room), len(told) - taken)
            assert count
            room[:count] = told[taken : taken + count]
            self.protocol.buffer_updated(count)
            taken += count
        return taken


def test_a_room_is_filled_to_its_end_and_no_further() -> None:
    """What does not fit waits in the connection, which is not read from while nobody fills."""

    async def main() -> None:
        wire, room = Wire(), bytearray(10)
        tap = Tap(wire, 100, "media")
        assert not wire.reading
        filling = asyncio.ensure_future(tap.fill(memoryview(room), 1.0))
        await asyncio.sleep(0)

        assert wire.give(b"0123") == 4
        assert wire.give(b"456789abc") == 6
        assert not wire.reading
        assert (await filling, bytes(room), tap.left) == (10, b"0123456789", 90)

    run(main())


def test_what_came_in_a_moment_is_handed_out() -> None:
    """A slow connection fills no room, and is waited for no longer than was said; nothing at all is 0."""

    async def main() -> None:
        wire, room = Wire(), bytearray(10)
        tap = Tap(wire, 100, "media")
        clock = asyncio.get_running_loop().time
        begun = clock()
        filling = asyncio.ensure_future(tap.fill(memoryview(room), 1.0))
        await asyncio.sleep(0.5)
        wire.give(b"abc")

        assert (await filling, clock() - begun, bytes(room[:3])) == (3, 1.0, b"abc")
        assert (await tap.fill(memoryview(room), 1.0), clock() - begun) == (0, 2.0)

    run(main())


def test_no_byte_behind_the_body_is_taken() -> None:
    """The rest of a body ends where it ends, whatever the peer sends after it."""

    async def main() -> None:
        wire, room = Wire(), bytearray(10)
        tap = Tap(wire, 4, "media")
        filling = asyncio.ensure_future(tap.fill(memoryview(room), 1.0))
        await asyncio.sleep(0)

        assert wire.give(b"restHTTP/1.1 200 OK") == 4
        assert (await filling, bytes(room[:4])) == (4, b"rest")
        assert await tap.fill(memoryview(room), 1.0) == 0

    run(main())


def test_what_came_before_a_break_is_kept_and_then_the_break_is_told() -> None:
    """Bytes are bytes; the next to ask is told what happened, in words that name no link, and so is who was before."""
    told: list[Exception | None] = []

    class Before(asyncio.Protocol):
        def connection_lost(self, exc: Exception | None) -> None:
            told.append(exc)

    async def main() -> None:
        wire, room, broken = Wire(), memoryview(bytearray(10)), BrokenPipeError("https://secret/")
        wire.protocol = Before()
        tap = Tap(wire, 100, "media film.mp4")
        filling = asyncio.ensure_future(tap.fill(room, 1.0))
        await asyncio.sleep(0)
        wire.give(b"abc")
        tap.connection_lost(broken)

        assert await filling == 3
        for _ in range(2):
            with pytest.raises(Interrupted, match="the connection broke before") as caught:
                await tap.fill(room, 1.0)
            assert (caught.value.cause, "secret" in str(caught.value)) == ("BrokenPipeError", False)
        assert told == [broken]

    run(main())


def test_one_who_is_cancelled_leaves_the_connection_at_rest() -> None:
    """No byte goes into a room whose owner has left."""

    async def main() -> None:
        wire, room = Wire(), bytearray(10)
        tap = Tap(wire, 100, "media")
        filling = asyncio.ensure_future(tap.fill(memoryview(room), 1.0))
        await asyncio.sleep(0)
        filling.cancel()
        await asyncio.wait((filling,))

        assert (wire.reading, wire.give(b"abc"), bytes(room)) == (False, 0, bytes(10))

    run(main())


async def read(stream: MediaStream, room: int) -> bytes:
    """All that comes, by rooms of so many bytes."""
    came = bytearray()
    buffer = bytearray(room)
    while size := await stream.readinto(buffer):
        came += buffer[:size]
    return bytes(came)


@pytest.mark.parametrize("room", [1, 1000, 70_000, 10_000_000])
@pytest.mark.parametrize(("start", "stop"), [(0, None), (1000, None), (0, 300_000), (250_000, 400_001)])
def test_a_stream_is_read_into_rooms_of_any_size(start: int, stop: int | None, room: int) -> None:
    """The bytes are those that were asked for, by the tap and, for a short rest, by the parser."""
    film = FILM[:500_000] if room > 1 else FILM[:150_000]

    async def main() -> None:
        async with storage(Host(film)) as (it, downloads):
            media = Media(f"{it.url}/film.mp4")
            async with downloads.stream(media, start=start, stop=stop, patience=PATIENT) as stream:
                assert await read(stream, room) == film[start:stop]
                assert stream.position == len(film[:stop])

    if start < len(film):
        run(main())


def test_iterating_goes_on_where_reading_into_a_room_stopped() -> None:
    """Both ways give one after the other what comes."""

    async def main() -> bytes:
        async with storage(Host(FILM)) as (it, downloads):
            media = Media(f"{it.url}/film.mp4")
            async with downloads.stream(media, patience=PATIENT) as stream:
                first, room, second = await anext(stream), bytearray(100), bytearray(100)
                came = first + room[: await stream.readinto(room)] + second[: await stream.readinto(second)]
                with pytest.raises(ValueError, match="no bytes"):
                    await stream.readinto(bytearray())
                return came + b"".join([piece async for piece in stream])

    assert run(main()) == FILM


def test_a_tapped_body_that_stalls_is_given_up_in_time() -> None:
    """Less than 1 KiB a second for 30 s, as by the other way; what came is in the sentence."""

    async def stall(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(FILM) + FILM[:300_000])
        await asyncio.sleep(1000)

    async def main() -> None:
        async with storage(stall) as (it, downloads):
            clock = asyncio.get_running_loop().time
            async with downloads.stream(Media(f"{it.url}/film.mp4"), patience=PATIENT) as stream:
                begun = clock()
                words = "300,000 bytes came of 5,120,000, then less than 1024 bytes a second for 30 s"
                with pytest.raises(errors.Incomplete, match=words):
                    await read(stream, 1 << 20)
                assert 30 <= clock() - begun < 31

    run(main())


@pytest.mark.parametrize("cut", [66_000, 1_000_000, len(FILM) - 1])
def test_a_tapped_body_that_breaks_says_so_and_goes_on_there(cut: int, tmp_path: Path) -> None:
    """A download takes up what a tap brought before the connection broke: no byte comes twice."""

    async def main() -> None:
        host = Host(FILM, cuts=iter([cut]))
        async with storage(host) as (it, downloads):
            found = await saved(it, downloads, tmp_path)

        assert found.sha256 == hashlib.sha256(FILM).hexdigest()
        assert (host.sent, [start for start, _ in host.ranges]) == (len(FILM), [0, cut])

    run(main())


def test_a_tapped_connection_that_is_reset_is_gone_on_with(tmp_path: Path) -> None:
    """Whatever the system threw away is asked for again."""
    host = Host(FILM)

    async def reset(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        if len(it.heads) > 1:
            await host(it, writer, head)
            return
        told = f'HTTP/1.1 200 OK\r\nETag: "one"\r\nContent-Length: {len(FILM)}\r\n\r\n'
        writer.write(told.encode() + FILM[:2_000_000])
        await writer.drain()
        await asyncio.sleep(5)
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        writer.transport.abort()

    async def main() -> None:
        async with storage(reset) as (it, downloads):
            found = await saved(it, downloads, tmp_path)

        assert found.sha256 == hashlib.sha256(FILM).hexdigest()
        ((start, status),) = host.ranges
        assert (start <= 2_000_000, status) == (True, 206)

    run(main())


@asynccontextmanager
async def secure(answering: Answering) -> AsyncIterator[tuple[Peer, Downloads]]:
    """A storage host behind TLS."""
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(CERTIFICATE)
    trusting = ssl.create_default_context(cafile=str(CERTIFICATE))
    trusting.check_hostname = False
    async with peer(answering, tls=serving) as it:
        transport = AiohttpTransport(context=trusting, loopback=True, known={}, large=1 << 16)
        try:
            yield it, Downloads(transport, most=4, loopback=True, rng=Random(0))
        finally:
            await transport.aclose()


def test_a_tap_works_behind_tls(tmp_path: Path) -> None:
    """The decrypted bytes, all of them, and a cut in the middle gone on with."""

    async def main() -> None:
        host = Host(FILM, cuts=iter([1_234_567]))
        async with secure(host) as (it, downloads):
            media = Media(f"{it.url.replace('http:', 'https:')}/film.mp4")
            found = await downloads.save(media, tmp_path / "film.mp4", wish=WISH, patience=PATIENT)

        assert found.sha256 == hashlib.sha256(FILM).hexdigest()
        assert len(host.ranges) == 2

    run(main())


def test_a_tapped_connection_is_used_for_nothing_else(tmp_path: Path) -> None:
    """Its parser still waits for the body, so the next file comes over a new one; a short file's is used again."""

    async def main(film: bytes) -> int:
        async with storage(Host(film), keeps=True) as (it, downloads):
            for name in ("one", "two"):
                media = Media(f"{it.url}/{name}.mp4")
                await downloads.save(media, tmp_path / f"{len(film)}-{name}.mp4", wish=WISH, patience=PATIENT)
            return it.connections

    assert run(main(FILM)) == 2
    assert run(main(large(60_000))) == 1
