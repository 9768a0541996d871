"""A download goes on where it was broken off, and only there: every answer that does not fit begins it anew."""

import asyncio
import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest
from bytehost import Host, md5_of
from films import large
from resuming import CUT, FILM, MIB, fetching, placed
from scene import left_in

from gmi_video import Media, Patience, Saved, Transfer, errors
from gmi_video.sandbox import Behaviour, Script, Serving
from gmi_video.sandbox.checksums import crc32c
from gmi_video.sandbox.faults import Drip
from gmi_video.testing import run


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
