"""Bodies that are no file: pages, torn films, what never ends, and what has no room."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from bytehost import Host
from films import sample
from resuming import FILM, MIB, fetching, placed
from scene import left_in

from gmi_video import Patience, errors
from gmi_video.sandbox import Behaviour, Script
from gmi_video.sandbox.faults import Drip, Endless
from gmi_video.settings import Limits
from gmi_video.testing import run


@pytest.mark.parametrize(
    "page",
    [
        Behaviour.edge(200),
        Behaviour.garbage(b"<html>not here</html>"),
        Behaviour.garbage(b"upstream connect error or disconnect"),
        Behaviour.garbage(b""),
    ],
)
def test_a_page_with_a_200_is_never_a_video(page: Behaviour, tmp_path: Path) -> None:
    """A proxy's page is tried again, then told; one that passes costs nothing but an attempt."""
    saved, _ = run(placed(Script(media=[page]), tmp_path))
    assert saved.path.read_bytes() == FILM
    saved.path.unlink()

    with pytest.raises(errors.IntegrityError) as caught:
        run(placed(Script(media=[page] * 9), tmp_path))

    assert caught.value.attempts == 3
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("kind", ["text/html", "video/mp4"])
def test_a_page_takes_nothing_of_what_came_before(kind: str, tmp_path: Path) -> None:
    """A network that answers for the host with a page of its own costs not one byte of a film that was begun."""
    first, last = Host(FILM, cuts=iter([MIB])), Host(FILM)
    page = Host(b"<html>Please log in to this network</html>" * 20, headers={"Content-Type": kind})
    hosts = [first, page, last]

    async def answer(it: Any, writer: Any, head: str) -> None:
        await hosts[0](it, writer, head)

    async def main() -> None:
        async with fetching(answer, patience=Patience(attempts=1)) as (session, media):
            for error in (errors.Incomplete, errors.IntegrityError):
                with pytest.raises(error):
                    await session.download(media, to=tmp_path / "film.mp4")
                hosts.pop(0)
            await session.download(media, to=tmp_path / "film.mp4")

    run(main())
    assert last.ranges == [(MIB, 206)]
    assert (tmp_path / "film.mp4").read_bytes() == FILM


def test_a_page_that_calls_itself_a_video_is_none(tmp_path: Path) -> None:
    """Neither type nor length make a video of words; cut to dripping bytes they are still words."""
    page = b"<!doctype html><p>This video is not available in your country</p>" * 40

    for script in (Script(), Script(media=[Behaviour(fault=Drip(interval=0.04))] * 9)):
        with pytest.raises(errors.IntegrityError, match="page"):
            run(placed(script, tmp_path, page))
    assert left_in(tmp_path) == []


def test_a_film_that_was_stored_torn_is_refused(tmp_path: Path) -> None:
    """Length and checksum are right, and it is half a film all the same."""
    with pytest.raises(errors.IntegrityError, match="goes on to byte"):
        run(placed(Script(), tmp_path, sample()[:9000]))
    assert left_in(tmp_path) == []


def test_a_body_without_an_end_is_broken_off_at_the_cap(tmp_path: Path) -> None:
    """What never ends, and what says that it is too large, is refused without patience and leaves nothing."""
    limits = Limits(file_size=MIB)
    for script in (Script(media=[Behaviour(fault=Endless(size=65_536))]), Script()):
        with pytest.raises(
            errors.TransferError, match=r"more than 1,048,576 bytes.*Limits\.file_size"
        ) as caught:
            run(placed(script, tmp_path, limits=limits))
        assert caught.value.attempts == 1
    assert left_in(tmp_path) == []


def test_more_than_the_disk_has_free_is_refused_before_it_comes(tmp_path: Path) -> None:
    """A length that cannot be is no reason to fill a disk."""
    answer = b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\nETag: "a"\r\n\r\n' % 2**59

    async def say(it: Any, writer: asyncio.StreamWriter, head: str) -> None:
        writer.write(answer + sample())
        await asyncio.sleep(1)

    async def main() -> None:
        async with fetching(say, limits=Limits(file_size=2**60)) as (session, media):
            with pytest.raises(errors.TargetUnusable, match="the disk has"):
                await session.download(media, to=tmp_path / "film.mp4")

    run(main())
    assert left_in(tmp_path) == []


def test_what_comes_packed_is_refused(tmp_path: Path) -> None:
    """Compressed bytes are not the file, and are not unpacked: a small bomb is a large file."""
    host = Host(FILM, headers={"Content-Encoding": "gzip"})

    async def main() -> None:
        async with fetching(host) as (session, media):
            with pytest.raises(errors.IntegrityError, match="packed by gzip"):
                await session.download(media, to=tmp_path / "film.mp4")

    run(main())
