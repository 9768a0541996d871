"""A tap by itself, on a connection of the test's own: every byte once, whatever becomes of who asked for it."""

import asyncio

import pytest

from gmi_video._tap import Tap
from gmi_video.errors import Interrupted
from gmi_video.testing import run


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

    def push(self, told: bytes) -> None:
        """As a connection does that has read these bytes already, and says how many they are: to its end."""
        while told:
            assert isinstance(self.protocol, Tap)
            room = self.protocol.get_buffer(len(told))
            count = min(len(room), len(told))
            assert count
            room[:count] = told[:count]
            self.protocol.buffer_updated(count)
            told = told[count:]


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


def test_what_came_for_one_who_was_cancelled_is_the_next_ones() -> None:
    """A heartbeat around a read loses no byte and invents none, whatever the size of the next room."""

    async def main() -> None:
        wire, lost = Wire(), bytearray(10)
        tap = Tap(wire, 12, "media")
        filling = asyncio.ensure_future(tap.fill(memoryview(lost), 1.0))
        await asyncio.sleep(0)
        wire.give(b"01234")
        filling.cancel()
        await asyncio.wait((filling,))
        found = []
        for size in (2, 10):
            room = memoryview(bytearray(size))
            found.append(bytes(room[: await tap.fill(room, 1.0)]))
        filling = asyncio.ensure_future(tap.fill(room, 1.0))
        await asyncio.sleep(0)
        wire.give(b"56789abc")

        assert (filling.cancelled(), found, await filling, bytes(room[:7])) == (
            False,
            [b"01", b"234"],
            7,
            b"56789ab",
        )
        assert tap.left == 0

    run(main())


@pytest.mark.parametrize("size", [1, 4, 10, 30])
def test_a_connection_that_must_be_rid_of_its_bytes_is(size: int) -> None:
    """What does not fit into the room is kept for the next, and what is behind the body is dropped."""
    body = bytes(range(40))

    async def main() -> bytes:
        wire, found = Wire(), b""
        tap = Tap(wire, len(body), "media")
        room = memoryview(bytearray(size))
        filling = asyncio.ensure_future(tap.fill(room, 1.0))
        await asyncio.sleep(0)
        wire.push(body[:25])
        wire.push(body[25:] + b"HTTP/1.1 200 OK")
        tap.connection_lost(None)
        while came := await filling:
            found += room[:came]
            filling = asyncio.ensure_future(tap.fill(room, 1.0))
        return found

    assert run(main()) == body


def test_a_second_reader_is_refused_and_the_first_goes_on() -> None:
    """Two tasks would share out the bytes at random."""

    async def main() -> None:
        wire, room = Wire(), bytearray(3)
        tap = Tap(wire, 100, "media")
        filling = asyncio.ensure_future(tap.fill(memoryview(room), 1.0))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="two tasks read one stream"):
            await tap.fill(memoryview(bytearray(3)), 1.0)
        wire.give(b"abc")

        assert (await filling, bytes(room)) == (3, b"abc")

    run(main())
