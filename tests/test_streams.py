"""`Session.stream`: the bytes without a disk, all of them or an error that says how many came."""

import asyncio
import re
from contextlib import aclosing
from typing import Any

import pytest
from bytehost import Host
from films import large, sample
from resuming import fetching
from scene import EAGLE, seen, stage

from gmi_video import Media, Patience, errors
from gmi_video.sandbox import Behaviour, Script, Serving
from gmi_video.sandbox.faults import Drip, Edge, HangUp, Unmeasured, WrongLength
from gmi_video.testing import run

FILM = large(300_000)


async def read(stream: Any) -> bytes:
    """All that comes."""
    return b"".join([piece async for piece in stream])


async def read_until_broken(stream: Any) -> tuple[bytes, errors.Incomplete]:
    """What came before the error, and the error."""
    came = b""
    try:
        async for piece in stream:
            came += piece
    except errors.Incomplete as error:
        return came, error
    raise AssertionError("it did not break")


def test_a_stream_brings_the_file_and_what_a_proxy_must_say_of_it() -> None:
    """Media, size, type and ETag are known before the first byte; no credentials go with the call."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            video = await session.generate(EAGLE)
            async with session.stream(video) as stream:
                assert (stream.size, stream.length) == (len(sample()), len(sample()))
                assert (stream.media, stream.content_type) == (video.media[0], "video/mp4")
                assert stream.etag is not None
                assert stream.etag.startswith('"')
                assert await read(stream) == sample()
                assert stream.position == len(sample())
            (call,) = [call for call in sandbox.calls if call.origin == "media"]

        assert (call.authorized, call.organization) == (False, False)

    run(main())


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize(
    ("start", "stop"),
    [(0, 1), (0, 100), (100, None), (1000, 299_999), (299_999, None), (300_000, None), (5, 10**9)],
)
def test_a_part_is_that_part_whether_the_host_knows_ranges_or_not(
    ranges: bool, start: int, stop: int | None
) -> None:
    """`start` is the first byte, `stop` the one after the last; a host that sends all is cut to it."""

    async def main() -> None:
        async with stage(Script(serving=Serving(ranges=ranges))) as (sandbox, session):
            media = Media(sandbox.place("film.mp4", FILM))
            async with session.stream(media, start=start, stop=stop) as stream:
                assert (stream.start, stream.size) == (start, len(FILM))
                assert stream.length == len(FILM[start:stop])
                assert await read(stream) == FILM[start:stop]

    run(main())


@pytest.mark.parametrize("ranges", [True, False])
def test_a_start_behind_the_end_is_told(ranges: bool) -> None:
    """The sentence names the size, whether the host refuses the range or sends the whole file."""

    async def main() -> None:
        async with stage(Script(serving=Serving(ranges=ranges))) as (sandbox, session):
            media = Media(sandbox.place("film.mp4", FILM))
            with pytest.raises(errors.TransferError, match=r"no byte 300,001 .* has 300,000 bytes"):
                async with session.stream(media, start=300_001):
                    pass
            wrongs: tuple[dict[str, Any], ...] = (
                {"start": -1},
                {"start": 5, "stop": 5},
                {"start": "0"},
                {"start": 1.5},
                {"stop": "9"},
                {"start": True},
            )
            for wrong in wrongs:
                with pytest.raises(errors.ConfigurationError, match="0 <= start < stop"):
                    async with session.stream(media, **wrong):
                        pass

    run(main())


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (HangUp(of="body", after=100_000), r"100,000 bytes came of 300,000, then the connection broke"),
        (WrongLength(by=8), "300,000 bytes came of 300,008, then less than 1024 bytes a second for 30 s"),
        (HangUp(of="body", after=0), "0 bytes came of 300,000"),
    ],
)
def test_a_short_body_is_incomplete_and_says_where_to_go_on(fault: Any, words: str) -> None:
    """What came was handed on; the rest begins at `position`."""

    async def main() -> None:
        async with stage(Script(media=[Behaviour(fault=fault)])) as (sandbox, session):
            media = Media(sandbox.place("film.mp4", FILM))
            async with session.stream(media) as stream:
                came, error = await read_until_broken(stream)
            assert re.search(words, str(error))
            if stream.position < len(FILM):
                async with session.stream(media, start=stream.position) as rest:
                    came += await read(rest)

            assert came == FILM

    run(main())


def test_a_body_without_a_length_ends_where_it_ends() -> None:
    """Nobody can tell; a reader that needs proof has `size` to look at."""

    async def main() -> None:
        async with stage(Script(media=[Behaviour(fault=Unmeasured())])) as (sandbox, session):
            media = Media(sandbox.place("film.mp4", FILM))
            async with session.stream(media) as stream:
                assert (stream.size, stream.length) == (None, None)
                assert await read(stream) == FILM

    run(main())


def test_a_slow_reader_is_no_stall() -> None:
    """The time that the reader itself takes between two pieces does not count against the host."""

    async def main() -> None:
        body = large(4_000_000)
        async with fetching(Host(body)) as (session, media), session.stream(media) as stream:
            came = 0
            async for piece in stream:
                came += len(piece)
                await asyncio.sleep(600)

        assert came == len(body)

    run(main())


def test_a_host_that_drips_is_cut_off() -> None:
    """Less than a kibibyte a second for half a minute ends the stream, however steadily it comes."""
    drip = Behaviour(fault=Drip(interval=1, size=900))

    async def main() -> float:
        loop = asyncio.get_running_loop()
        async with stage(Script(media=[drip])) as (sandbox, session):
            media = Media(sandbox.place("film.mp4", FILM))
            begun = loop.time()
            async with session.stream(media) as stream:
                with pytest.raises(errors.Incomplete, match="less than 1024 bytes a second"):
                    await read(stream)
            return loop.time() - begun

    assert run(main()) == pytest.approx(30, abs=2)


def test_what_fails_before_the_first_byte_is_tried_again() -> None:
    """A busy host and a broken connection cost an attempt; a page is refused before a byte is handed on."""
    busy = [Behaviour(fault=Edge(status=503)), Behaviour(fault=HangUp()), Behaviour.edge(200)]

    async def main() -> None:
        async with stage(Script(media=busy)) as (sandbox, session):
            async with session.stream(Media(sandbox.place("film.mp4", FILM))) as stream:
                assert await read(stream) == FILM
            words = Media(sandbox.place("words.mp4", b"<p>no video</p>"))
            async with session.stream(words) as stream:
                with pytest.raises(errors.IntegrityError, match="page"):
                    await read(stream)

        assert sandbox.count_calls("media") == 5

    run(main())


def test_leaving_early_leaves_nothing_open() -> None:
    """A viewer who goes away ends the call; the session goes on."""

    async def main() -> None:
        host = Host(large(4_000_000))
        async with fetching(host, patience=Patience(attempts=1)) as (session, media):
            async with session.stream(media) as stream:
                async for _ in stream:
                    break
            async with session.stream(media) as again:
                assert len(await read(again)) == 4_000_000

    run(main())


def test_what_has_no_media_has_no_stream() -> None:
    """The error is the one that `download` raises."""

    async def main() -> None:
        async with stage() as (_, session):
            with pytest.raises(errors.GenerationEmpty):
                async with session.stream(seen(word="success", links=False)):
                    pass

    run(main())


def test_a_stream_is_what_generators_are_fed_with() -> None:
    """Any consumer of an async iterator of bytes can take it, one that is closed early as well."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            media = Media(sandbox.place("film.mp4", FILM))

            async def body() -> Any:
                async with session.stream(media) as stream:
                    async for piece in stream:
                        yield piece

            async with aclosing(body()) as pieces:
                first = await anext(pieces)
            whole = b"".join([piece async for piece in body()])

        assert FILM.startswith(first)
        assert whole == FILM

    run(main())
