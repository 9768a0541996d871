"""A download goes on where it was broken off, and only there: every answer that does not fit begins it anew."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from bytehost import Host, md5_of
from films import large, sample
from peers import Answering, peer
from scene import left_in, stage

from gmi_video import Media, Patience, Saved, Session, Settings, Transfer, errors
from gmi_video.sandbox import Behaviour, Script, Serving
from gmi_video.sandbox.checksums import crc32c
from gmi_video.sandbox.faults import Drip, Endless, HangUp
from gmi_video.settings import Limits
from gmi_video.testing import run

MIB = 1 << 20
FILM = large(2 * MIB)
PATIENT = Patience(attempts=3, first=1, jitter=0)
CUT = Behaviour(fault=HangUp(of="body", after=MIB))


@asynccontextmanager
async def fetching(answering: Answering, **settings: Any) -> AsyncIterator[tuple[Session, Media]]:
    """A session, and a link to a peer."""
    async with peer(answering) as it:
        told = Settings(api_key="a-key", base_url=it.url, **{"patience": PATIENT, **settings})
        async with Session(told) as session:
            yield session, Media(f"{it.url}/film.mp4?X-Goog-Signature=secret")


async def placed(
    script: Script, folder: Path, body: bytes = FILM, **settings: Any
) -> tuple[Saved, list[Any]]:
    """A film in the sandbox's bucket, saved; and the calls that it took."""
    async with stage(script, **{"patience": PATIENT, **settings}) as (sandbox, session):
        url = sandbox.place("film.mp4", body)
        return await session.download(Media(url), to=folder / "film.mp4"), sandbox.calls


def test_ten_cuts_cost_no_byte_twice(tmp_path: Path) -> None:
    """However often the connection breaks, the digest is the file's and next to nothing is sent again."""
    body = large(11 * MIB)
    host = Host(body, cuts=iter([MIB] * 10), headers={"ETag": '"one"', "x-goog-hash": f"md5={md5_of(body)}"})

    async def main() -> Saved:
        async with fetching(host) as (session, media):
            return await session.download(media, to=tmp_path / "film.mp4")

    saved = run(main())
    assert saved.sha256 == hashlib.sha256(body).hexdigest()
    assert [status for _, status in host.ranges] == [200, *[206] * 10]
    assert host.sent <= 1.05 * len(body)
    assert left_in(tmp_path) == ["film.mp4"]


@pytest.mark.parametrize(
    ("serving", "calls"),
    [
        (Serving(), 2),
        (Serving(ranges=False), 2),
        (Serving(edition=1), 2),
        (Serving(etag="changing"), 2),
        (Serving(content_range="wrong"), 3),
        (Serving(content_range="missing"), 3),
    ],
)
def test_an_answer_that_does_not_fit_begins_anew(serving: Serving, calls: int, tmp_path: Path) -> None:
    """Whatever the host makes of the range after a cut, the file is one edition from its first byte to its last."""
    second = Behaviour(serving=serving)
    saved, seen = run(placed(Script(media=[CUT, second, second]), tmp_path))
    wanted = FILM if not serving.edition else FILM + b"\0\0\0\x10free" + (1).to_bytes(8, "big")

    assert saved.path.read_bytes() == wanted
    assert len(seen) == calls
    assert left_in(tmp_path) == ["film.mp4"]


def test_without_a_validator_every_attempt_begins_anew(tmp_path: Path) -> None:
    """A host that names neither ETag nor generation is never asked for a range."""
    host = Host(FILM, cuts=iter([MIB]), headers={})

    async def main() -> None:
        async with fetching(host) as (session, media):
            await session.download(media, to=tmp_path / "film.mp4")

    run(main())
    assert host.ranges == [(0, 200), (0, 200)]
    assert (tmp_path / "film.mp4").read_bytes() == FILM


def test_a_file_that_has_shrunk_begins_anew(tmp_path: Path) -> None:
    """A 416 to what was to be the rest says that the file is another one."""
    short = large(MIB)

    class Shrinking(Host):
        async def __call__(self, it: Any, writer: Any, head: str) -> None:
            await super().__call__(it, writer, head)
            self.body = short

    host = Shrinking(FILM, cuts=iter([MIB + 5]))

    async def main() -> None:
        async with fetching(host) as (session, media):
            await session.download(media, to=tmp_path / "film.mp4")

    run(main())
    assert host.ranges == [(0, 200), (MIB + 5, 416), (0, 200)]
    assert (tmp_path / "film.mp4").read_bytes() == short


@pytest.mark.parametrize("lasting", [True, False])
def test_what_an_ended_process_left_is_completed(lasting: bool, tmp_path: Path) -> None:
    """A later session asks for the rest only; where the host has another file by then, for all of it."""
    first, second = Host(FILM, cuts=iter([MIB])), Host(FILM)
    if not lasting:
        second = Host(large(3 * MIB), headers={"ETag": '"two"'})
    hosts = [first, second]

    async def answer(it: Any, writer: Any, head: str) -> None:
        await hosts[0](it, writer, head)

    async def main() -> None:
        async with fetching(answer, patience=Patience(attempts=1)) as (session, media):
            with pytest.raises(errors.Incomplete, match="of 2,097,152, then the connection broke"):
                await session.download(media, to=tmp_path / "film.mp4")
            assert [name[-5:] for name in left_in(tmp_path)] == [".json", ".part"]
            await session.aclose()
            hosts.pop(0)
            await session.download(media, to=tmp_path / "film.mp4")

    run(main())
    assert second.ranges == [(MIB, 206) if lasting else (0, 200)]
    assert (tmp_path / "film.mp4").read_bytes() == second.body
    assert left_in(tmp_path) == ["film.mp4"]


def test_a_part_of_another_file_is_not_built_on(tmp_path: Path) -> None:
    """Equal ETags at two places mean nothing: a name that is used again begins with the first byte."""
    first, second = Host(FILM, cuts=iter([MIB])), Host(large(2 * MIB + 8))

    async def answer(it: Any, writer: Any, head: str) -> None:
        await (second if "other" in head else first)(it, writer, head)

    async def main() -> None:
        async with fetching(answer, patience=Patience(attempts=1)) as (session, media):
            with pytest.raises(errors.Incomplete):
                await session.download(media, to=tmp_path / "film.mp4")
            other = Media(media.url.replace("film.mp4", "other.mp4"))
            await session.download(other, to=tmp_path / "film.mp4")

    run(main())
    assert second.ranges == [(0, 200)]
    assert (tmp_path / "film.mp4").read_bytes() == second.body


@pytest.mark.parametrize(
    "told",
    [
        {"x-goog-hash": "crc32c=AAAAAA==,md5=%s"},
        {"x-goog-hash": "crc32c=AAAAAA==, md5=%s"},
        {"X-Goog-Hash": "crc32c=AAAAAA==\r\nx-goog-hash: md5=%s"},
        {"x-goog-hash": "md5=%s\r\nx-goog-hash: crc32c=AAAAAA=="},
    ],
)
@pytest.mark.parametrize("right", [True, False])
def test_a_checksum_is_read_from_one_header_or_from_two(
    told: dict[str, str], right: bool, tmp_path: Path
) -> None:
    """The MD5 is found beside a CRC in one line or in two, and a file that it does not fit is refused."""
    promised = FILM if right else FILM[:-1]
    crc = base64.b64encode(crc32c(promised).to_bytes(4, "big")).decode()
    headers = {name: value.replace("AAAAAA==", crc) % md5_of(promised) for name, value in told.items()}
    host = Host(FILM, headers=headers)

    async def main() -> None:
        async with fetching(host) as (session, media):
            if right:
                await session.download(media, to=tmp_path / "film.mp4")
                return
            with pytest.raises(errors.IntegrityError, match="checksum") as caught:
                await session.download(media, to=tmp_path / "film.mp4")
            assert caught.value.attempts == 3

    run(main())
    assert left_in(tmp_path) == (["film.mp4"] if right else [])


def test_a_flipped_bit_is_found_out_and_fetched_again(tmp_path: Path) -> None:
    """One wrong bit on the way costs another attempt, from the first byte; it never reaches the place."""
    flipped = Behaviour(serving=Serving(flips=-1))
    saved, seen = run(placed(Script(media=[flipped]), tmp_path))

    assert saved.path.read_bytes() == FILM
    assert len(seen) == 2


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


def test_a_body_that_drips_is_cut_off(tmp_path: Path) -> None:
    """A byte every 29 seconds keeps no download alive: it is resumed, and ends in `Incomplete`."""
    slow = Behaviour(fault=Drip(interval=29, size=1))

    async def main() -> float:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        with pytest.raises((errors.Incomplete, errors.TimedOut)) as caught:
            await placed(Script(media=[slow] * 9), tmp_path)
        assert caught.value.attempts == 3
        return loop.time() - begun

    assert run(main()) < 200


def test_a_drip_that_becomes_a_stream_is_resumed(tmp_path: Path) -> None:
    """What dripped in counts, and the next attempt brings the rest."""
    body = large(60_000)
    host = Host(body, cuts=iter([4000]))

    async def answer(it: Any, writer: asyncio.StreamWriter, head: str) -> None:
        await host(it, writer, head)
        for byte in body[4000:4003] if len(host.ranges) == 1 else b"":
            writer.write(bytes([byte]))
            await asyncio.sleep(29)

    async def main() -> None:
        async with fetching(answer) as (session, media):
            await session.download(media, to=tmp_path / "film.mp4")

    run(main())
    assert host.ranges[1][1] == 206
    assert 4000 <= host.ranges[1][0] <= 4003
    assert (tmp_path / "film.mp4").read_bytes() == body


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


def test_progress_is_told_from_the_first_byte_to_the_last(tmp_path: Path) -> None:
    """A frozen record each time; what is there already counts at once, and a callback that fails costs nothing."""
    told: list[Transfer] = []
    host = Host(FILM, cuts=iter([MIB]))

    def note(transfer: Transfer) -> None:
        told.append(transfer)
        raise LookupError

    async def main() -> None:
        async with fetching(host) as (session, media):
            await session.download(media, to=tmp_path / "film.mp4", progress=note)

    run(main())
    assert [(each.done, each.total) for each in told] == [(0, 2 * MIB), (MIB, 2 * MIB), (2 * MIB, 2 * MIB)]
    assert {each.name for each in told} == {"film.mp4"}
    assert "secret" not in repr(told)
