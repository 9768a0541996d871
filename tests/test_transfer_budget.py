"""Transfers repeat their calls from one budget: a storage host in trouble does not get each call many times."""

import asyncio
from asyncio import StreamWriter
from collections.abc import Iterator
from pathlib import Path

from bytehost import Host
from cargo import picture, puts
from films import large
from peers import Peer, http, peer
from scene import stage

from gmi_video import Media, Patience, Session, Settings, errors
from gmi_video._budget import FULL, TRANSIENT
from gmi_video.sandbox import Behaviour, Script
from gmi_video.sandbox.answers import Answer
from gmi_video.testing import run

REPETITIONS = int(FULL // TRANSIENT)
FILES = 20
WORN = Patience(attempts=6, first=1, longest=2)
DOWN = Answer(503, b"", "text/plain")


def test_downloads_from_a_host_that_is_down_share_their_repetitions(tmp_path: Path) -> None:
    """Each is asked for once, and all of them together no more often again than one budget allows."""

    async def down(_: Peer, writer: StreamWriter, __: str) -> None:
        writer.write(http(b"", "503 Service Unavailable"))

    async def main() -> int:
        async with (
            peer(down) as it,
            Session(Settings(api_key="key", base_url=it.url, patience=WORN)) as session,
        ):
            work = (
                session.download(Media(f"{it.url}/{number}.mp4"), to=tmp_path / f"{number}.mp4")
                for number in range(FILES)
            )
            ended = await asyncio.gather(*work, return_exceptions=True)

        assert all(isinstance(error, errors.TransferError) for error in ended)
        return len(it.heads)

    assert FILES * WORN.attempts > run(main()) == FILES + REPETITIONS


def test_uploads_and_downloads_have_one_budget(tmp_path: Path) -> None:
    """What uploads to a host that is down have used up is not there for streams from it, and the API's is untouched."""

    async def main() -> None:
        refused = Behaviour(answer=DOWN)
        script = Script(puts=[refused] * 100, media=[refused] * 100)
        async with stage(script, patience=WORN) as (sandbox, session):
            sources = (picture(100 + number) for number in range(FILES))
            await asyncio.gather(*map(session.upload, sources), return_exceptions=True)
            sent = puts(sandbox)
            video = Media(f"{sandbox.media_url}/a.mp4")
            ended = await asyncio.gather(
                *(session.download(video, to=tmp_path / f"{number}.mp4") for number in range(5)),
                return_exceptions=True,
            )

            assert FILES < sent == FILES + REPETITIONS
            assert all(isinstance(error, errors.TransferError) for error in ended)
            assert sandbox.count_calls("media") == 5
            assert await session.models()

    run(main())


def test_going_on_after_new_bytes_takes_nothing(tmp_path: Path) -> None:
    """A host that cuts each answer, but never before something came, brings every file home."""
    film = large(3_000_000)
    cuts: Iterator[int] = iter(range(40_000, 40_000 + 10_000))
    host = Host(film, headers={"ETag": '"film"'}, cuts=cuts)

    async def main() -> int:
        async with (
            peer(host) as it,
            Session(Settings(api_key="key", base_url=it.url, patience=WORN)) as session,
        ):
            saved = await session.download(Media(f"{it.url}/film.mp4"), to=tmp_path / "film.mp4")

        assert saved.path.read_bytes() == film
        return len(it.heads)

    assert run(main()) > REPETITIONS
