"""Bodies that come past the parser: over plain sockets and TLS, by rooms of any size, and a break told as one."""

import array
import asyncio
import hashlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from bytehost import Host
from fetching import FILM, PATIENT, WISH, saved, storage
from films import large
from peers import Answering, Peer, peer

from gmi_video import Media, errors
from gmi_video._downloads import Downloads
from gmi_video._stream import MediaStream
from gmi_video._transport import AiohttpTransport
from gmi_video.testing import run

CERTIFICATE = Path(__file__).parent / "faults" / "self-signed.pem"


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


def test_a_read_that_is_cancelled_loses_no_byte() -> None:
    """A reader that looks up now and then has the same file as one that does not."""

    async def slowly(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n")
        for place in range(0, 300_000, 10_000):
            writer.write(FILM[place : place + 10_000])
            await writer.drain()
            await asyncio.sleep(0.03)

    async def main() -> tuple[bytes, int]:
        came, left = bytearray(), 0
        async with (
            storage(slowly) as (it, downloads),
            downloads.stream(Media(f"{it.url}/film.mp4"), patience=PATIENT) as stream,
        ):
            came += await anext(stream)
            while True:
                room = bytearray(100_000)
                try:
                    async with asyncio.timeout(0.07):
                        size = await stream.readinto(room)
                except TimeoutError:
                    left += 1
                    continue
                came += room[:size]
                if not size:
                    return bytes(came), left

    came, left = run(main())
    assert (came == FILM[:300_000], left > 0) == (True, True)


def test_a_tapped_body_that_drips_is_given_up_in_time() -> None:
    """A few bytes now and then are no life: what came is handed out, and then it is told."""

    async def drip(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(FILM) + FILM[:300_000])
        for place in range(300_000, 400_000):
            writer.write(FILM[place : place + 1])
            await asyncio.sleep(0.06)

    async def main() -> None:
        async with storage(drip) as (it, downloads):
            clock = asyncio.get_running_loop().time
            async with downloads.stream(Media(f"{it.url}/film.mp4"), patience=PATIENT) as stream:
                begun = clock()
                with pytest.raises(
                    errors.Incomplete, match="bytes came of 5,120,000, then less than 1024 bytes"
                ):
                    await read(stream, 1 << 20)
                assert 300_000 < stream.position < 300_000 + 600
                assert 30 <= clock() - begun < 32

    run(main())


def test_the_end_of_a_body_is_not_lost_where_a_tls_host_closes_behind_it() -> None:
    """What the connection still holds at its end comes, however small the rooms and slow the reader."""
    films = [FILM[: len(FILM) - 37_777 * number] for number in range(12)]

    async def closing(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        film = films[len(it.heads) - 1]
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(film) + film)
        writer.transport.set_write_buffer_limits(high=0)
        await writer.drain()
        below: Any = writer.transport
        while below._ssl_protocol._transport.get_write_buffer_size():  # noqa: ASYNC110  # nobody tells of that
            await asyncio.sleep(0)
        writer.get_extra_info("socket").shutdown(socket.SHUT_WR)

    async def main() -> None:
        room = bytearray(1 << 16)
        async with secure(closing) as (it, downloads):
            for film in films:
                media, came = Media(f"{it.url.replace('http:', 'https:')}/film.mp4"), bytearray()
                async with downloads.stream(media, patience=PATIENT) as stream:
                    while size := await stream.readinto(room):
                        came += room[:size]
                        for _ in range(50):  # the loop reads on, into the connection's own memory
                            await asyncio.sleep(0)
                assert came == film

    run(main())


def test_a_length_with_noughts_before_it_is_that_length(tmp_path: Path) -> None:
    """Who takes it for no length ends the body early."""

    async def noughts(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        told = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(FILM):020}\r\n\r\n"
        writer.write(told.encode() + FILM)
        await writer.drain()

    async def main() -> None:
        async with storage(noughts) as (it, downloads):
            assert (await saved(it, downloads, tmp_path)).sha256 == hashlib.sha256(FILM).hexdigest()

    run(main())


ROOMS = [bytes(100), memoryview(bytes(100)), memoryview(bytearray(100))[::2]]


@pytest.mark.parametrize("room", ROOMS, ids=["bytes", "a view of bytes", "every second byte"])
@pytest.mark.parametrize("tapped", [False, True])
def test_what_cannot_be_written_to_is_refused(room: Any, tapped: bool) -> None:
    """The mistake is the caller's, and costs no byte; a buffer of larger items is filled by its bytes."""

    async def main() -> None:
        async with (
            storage(Host(FILM)) as (it, downloads),
            downloads.stream(Media(f"{it.url}/film.mp4"), patience=PATIENT) as stream,
        ):
            came = bytearray()
            if tapped:
                came += await anext(stream)
                came += await anext(stream)
            with pytest.raises(TypeError, match="in one piece that can be written to"):
                await stream.readinto(room)
            numbers = array.array("I", bytes(4000))
            size = await stream.readinto(memoryview(numbers))
            came += numbers.tobytes()[:size]

            assert (size, bytes(came)) == (4000, FILM[: len(came)])

    run(main())
