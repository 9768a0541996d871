"""Media to disk: streamed, whole or not at all, without credentials."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
from fetching import FILM, HALF, PATIENT, WISH, saved, storage
from peers import Answering, Peer, hanging_up, http, saying, silent
from scene import left_in

from gmi_video import Media, Saved, errors
from gmi_video._blocks import BLOCK
from gmi_video._downloads import Downloads
from gmi_video._pulse import STALL
from gmi_video.testing import run


def test_a_file_is_saved_whole_with_its_digest(tmp_path: Path) -> None:
    """Every byte is at the target, nothing is beside it, and the record tells its size and digest."""

    async def main() -> Saved:
        async with storage(saying(http(FILM))) as (it, downloads):
            found = await saved(it, downloads, tmp_path)

        (head,) = it.heads
        assert "authorization" not in head.lower()
        assert "accept-encoding: identity" in head.lower()
        return found

    found = run(main())
    assert len(FILM) > BLOCK
    assert (tmp_path / "film.mp4").read_bytes() == FILM
    assert (found.size, found.sha256) == (len(FILM), hashlib.sha256(FILM).hexdigest())
    assert left_in(tmp_path) == ["film.mp4"]


def test_a_body_without_a_length_is_taken_as_it_ends(tmp_path: Path) -> None:
    """A host that names no length is believed to have sent all."""

    async def main() -> None:
        async with storage(saying(b"HTTP/1.1 200 OK\r\n\r\n" + FILM)) as (it, downloads):
            await saved(it, downloads, tmp_path)

    run(main())
    assert (tmp_path / "film.mp4").read_bytes() == FILM


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (saying(HALF), errors.Incomplete),
        (hanging_up, errors.Interrupted),
        (saying(b"garbage\r\n\r\n"), errors.Interrupted),
        (silent, errors.TimedOut),
        (saying(http(b"", "500 Oops")), errors.TransferError),
        (saying(http(b"", "429 Slow Down")), errors.TransferError),
    ],
)
def test_what_breaks_is_tried_again_and_leaves_nothing(
    fault: Answering, error: type[errors.GmiVideoError], tmp_path: Path
) -> None:
    """A download that cannot be finished is begun anew with patience, then told; no byte of it stays."""

    async def main() -> None:
        async with storage(fault) as (it, downloads):
            with pytest.raises(error) as caught:
                await saved(it, downloads, tmp_path)

        assert (len(it.heads), caught.value.attempts) == (3, 3)
        assert "secret" not in str(caught.value)

    run(main())
    assert left_in(tmp_path) == []


def test_a_second_attempt_saves_only_its_own_bytes(tmp_path: Path) -> None:
    """What came of a broken attempt is not in the file."""

    async def main() -> Saved:
        async with storage(saying(HALF, b"HTTP/1.1 503 Busy\r\n\r\n", http(FILM))) as (it, downloads):
            return await saved(it, downloads, tmp_path)

    found = run(main())
    assert (tmp_path / "film.mp4").read_bytes() == FILM
    assert found.sha256 == hashlib.sha256(FILM).hexdigest()


def test_fewer_bytes_than_promised_is_incomplete(tmp_path: Path) -> None:
    """A transport that ends cleanly with a short body does not make a file."""

    class Short:
        status = 200
        headers = {"content-length": "10"}  # noqa: RUF012  # a stand-in for one reply

        async def chunks(self) -> AsyncIterator[bytes]:
            yield b"\0hort"

    class Transport:
        @asynccontextmanager
        async def stream(self, call: object) -> AsyncIterator[Short]:
            yield Short()

        async def send(self, call: object) -> None:
            raise AssertionError

        async def aclose(self) -> None:
            """There is nothing to close."""

    async def main() -> None:
        downloads = Downloads(Transport(), most=1, loopback=True, rng=Random(0))  # type: ignore[arg-type]  # it streams only
        media = Media("http://127.0.0.1/film.mp4")
        with pytest.raises(errors.Incomplete, match="5 bytes came of 10"):
            await downloads.save(media, tmp_path / "film.mp4", wish=WISH, patience=PATIENT)

    run(main())
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_link_that_is_refused_has_expired(status: int, tmp_path: Path) -> None:
    """A dead link is not tried again: a fresh one has to be asked for."""

    async def main() -> None:
        async with storage(saying(http(b"<xml/>", f"{status} No"))) as (it, downloads):
            with pytest.raises(errors.LinkExpired, match=str(status)):
                await saved(it, downloads, tmp_path)

        assert len(it.heads) == 1

    run(main())
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("status", [204, 206, 400, 418, 501])
def test_a_status_that_is_no_file_is_told_at_once(status: int, tmp_path: Path) -> None:
    """An answer that is not the whole file is not saved as one."""

    async def main() -> None:
        async with storage(saying(b"HTTP/1.1 %d Odd\r\nContent-Length: 0\r\n\r\n" % status)) as (
            it,
            downloads,
        ):
            with pytest.raises(errors.TransferError, match=str(status)):
                await saved(it, downloads, tmp_path)

        assert len(it.heads) == 1

    run(main())


def test_a_body_that_stops_is_broken_off(tmp_path: Path) -> None:
    """Half a minute without a byte ends an attempt; a slow body that goes on is waited for."""

    async def stops(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        writer.write(HALF)
        if len(it.heads) == 1:
            await asyncio.Event().wait()
        for start in range(1000, len(FILM), 1_000_000):
            await asyncio.sleep(STALL - 1)
            writer.write(FILM[start : start + 1_000_000])

    async def main() -> float:
        loop = asyncio.get_running_loop()
        async with storage(stops) as (it, downloads):
            begun = loop.time()
            await saved(it, downloads, tmp_path)

            assert len(it.heads) == 2
            return loop.time() - begun

    took = run(main())
    assert took == pytest.approx(STALL + 1 + 6 * (STALL - 1), abs=0.1)
    assert (tmp_path / "film.mp4").read_bytes() == FILM


def test_downloads_are_limited(tmp_path: Path) -> None:
    """No more files are carried at once than the limit says, counted at the host."""
    flying = peak = 0

    async def counting(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        nonlocal flying, peak
        flying += 1
        peak = max(peak, flying)
        await asyncio.sleep(1)
        flying -= 1
        writer.write(http(FILM))

    async def main() -> None:
        async with storage(counting, most=3) as (it, downloads), asyncio.TaskGroup() as group:
            for number in range(12):
                media = Media(f"{it.url}/{number}.mp4")
                group.create_task(
                    downloads.save(media, tmp_path / f"{number}.mp4", wish=WISH, patience=PATIENT)
                )

    run(main())
    assert peak == 3
    assert len(left_in(tmp_path)) == 12


def test_a_target_that_is_taken_stays_as_it_is(tmp_path: Path) -> None:
    """Without `overwrite` the file that is there wins; with it, it is replaced."""
    target = tmp_path / "film.mp4"

    async def main() -> None:
        async with storage(saying(http(FILM))) as (it, downloads):
            target.write_bytes(b"mine")
            with pytest.raises(errors.TargetUnusable):
                await saved(it, downloads, tmp_path)
            assert target.read_bytes() == b"mine"
            await saved(it, downloads, tmp_path, overwrite=True)

        assert len(it.heads) == 2

    run(main())
    assert target.read_bytes() == FILM
    assert left_in(tmp_path) == ["film.mp4"]


def test_a_folder_that_is_gone_costs_no_call(tmp_path: Path) -> None:
    """Where the file cannot be made nothing is fetched."""

    async def main() -> None:
        async with storage(saying(http(FILM))) as (it, downloads):
            with pytest.raises(errors.TargetUnusable):
                await saved(it, downloads, tmp_path / "gone")

        assert it.connections == 0

    run(main())
