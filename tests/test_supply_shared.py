"""What several requests want of one file is done once, and what becomes of one of them is not the others' affair."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cargo import picture, placed

from gmi_video import Settings, errors
from gmi_video._contents import Contents
from gmi_video._offload import GivenUp, breakable
from gmi_video._supply import Supply
from gmi_video.inputs import examined
from gmi_video.testing import run

SETTINGS = Settings(api_key="k")


class Host:
    """In the place of uploads: each asks `then` what becomes of it, once it is told to go on."""

    def __init__(
        self, then: Callable[[Contents], str] = lambda contents: f"https://x/{contents.name}"
    ) -> None:
        self.sent: list[str] = []
        self.go_on = asyncio.Event()
        self._then = then

    async def send(self, contents: Contents, settings: Settings) -> str:
        """The link of what was sent."""
        self.sent.append(contents.name)
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:  # as where a thread still reads
            for _ in range(20):
                await asyncio.sleep(0)
            raise
        return self._then(contents)


def supply(host: Any, *, wall: Callable[[], float] = lambda: 0.0) -> Supply:
    """A supply on a disk whose times are long past, unless `wall` is said."""
    return Supply(host, wall=wall)


async def settled(until: Callable[[], object]) -> None:
    """Turns the loop until something holds; what a thread does takes real time."""
    for _ in range(20_000):
        if until():
            return
        await asyncio.sleep(0.001)
    pytest.fail("it never came to that")


def later(path: Path) -> None:
    """Returns when the disk's clock, which may go by hundredths of a second, has gone on since a file was changed."""
    probe = path.with_name("clock")
    for _ in range(1_000_000):
        probe.write_bytes(b"")
        if probe.stat().st_ctime_ns > path.stat().st_ctime_ns:
            return
    pytest.fail("the disk's clock stands still")


def asked(given: Supply, path: Path) -> "asyncio.Task[Any]":
    """A payload with that file on its way."""
    return asyncio.ensure_future(given.linked(examined({"a": path}), SETTINGS))


def test_who_comes_when_the_last_one_left_is_served(tmp_path: Path) -> None:
    """An upload that is being broken off is nobody's any more: the next to want it has one of its own."""
    photo = placed(tmp_path)

    async def main() -> None:
        host = Host()
        given = supply(host)
        first = asked(given, photo)
        await settled(lambda: host.sent)
        first.cancel()
        await asyncio.sleep(0)
        second = asked(given, photo)
        host.go_on.set()

        assert await second == {"a": "https://x/photo.jpg"}
        assert first.cancelled()
        await given.aclose()

    run(main())


@pytest.mark.parametrize(
    "error",
    [errors.TransferError("'a.jpg' changed", retryable=False), errors.ConfigurationError("it is gone")],
)
def test_what_is_wrong_with_one_file_is_not_the_affair_of_its_copy(error: Exception, tmp_path: Path) -> None:
    """Two files of one content share an upload; where the one that flies is deleted, the other goes by itself."""
    photo = placed(tmp_path, "a.jpg")
    copy = placed(tmp_path, "b.jpg", photo.read_bytes())

    def then(contents: Contents) -> str:
        if contents.name == "a.jpg":
            photo.unlink()
            raise error
        return "https://x/b"

    async def main() -> None:
        host = Host(then)
        given = supply(host)
        first = asked(given, photo)
        await settled(lambda: host.sent)
        others = [asked(given, copy), asked(given, photo), asked(given, copy)]
        await settled(lambda: sum(flight.waiting for flight in given._uploading._flights.values()) == 4)
        host.go_on.set()
        found = await asyncio.gather(first, *others, return_exceptions=True)

        assert [type(one) for one in (found[0], found[2])] == [type(error)] * 2
        assert found[1] == found[3] == {"a": "https://x/b"}
        assert host.sent == ["a.jpg", "b.jpg"]

    run(main())


def test_what_the_host_refuses_is_not_sent_again_by_another_name(tmp_path: Path) -> None:
    """The content is the same: fifty names of it are not fifty attempts."""
    files = [placed(tmp_path, f"{name}.jpg", picture()) for name in "abc"]

    def then(_: Contents) -> str:
        raise errors.TransferError("the storage host did not take it", retryable=False)

    async def main() -> list[str]:
        host = Host(then)
        given = supply(host)
        tasks = [asked(given, path) for path in files]
        await settled(lambda: sum(flight.waiting for flight in given._uploading._flights.values()) == 3)
        host.go_on.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(one, errors.TransferError) for one in found)
        return host.sent

    assert len(run(main())) == 1


@pytest.mark.parametrize("how", ["mode", "link", "rewritten"])
def test_what_is_done_to_a_file_while_it_is_sent(how: str, tmp_path: Path) -> None:
    """A mode and a second name change no content. One that was written with its time set back is not believed."""
    photo = placed(tmp_path, "a.png", picture(400, 400, "PNG"))
    told = photo.stat()

    def then(contents: Contents) -> str:
        if how == "mode":
            photo.chmod(0o644 if told.st_mode & 0o777 != 0o644 else 0o600)
        elif how == "link":
            (tmp_path / "b.png").hardlink_to(photo)
        else:
            later(photo)
            photo.write_bytes(photo.read_bytes()[:-1] + b"!")
            os.utime(photo, ns=(told.st_atime_ns, told.st_mtime_ns))
        return "https://x/a"

    async def main() -> Any:
        host = Host(then)
        host.go_on.set()
        return await asked(supply(host), photo)

    if how == "rewritten":
        with pytest.raises(errors.TransferError, match="its time was set back"):
            run(main())
    else:
        assert run(main()) == {"a": "https://x/a"}


def test_many_who_want_one_file_read_it_once(tmp_path: Path) -> None:
    """Its digest is taken by one for all, and remembered where no later content can have the same stamp."""
    photo = placed(tmp_path)
    wall = photo.stat().st_ctime

    async def main() -> tuple[int, list[int]]:
        host, kept = Host(), []
        host.go_on.set()
        now = [wall]
        given = supply(host, wall=lambda: now[0])
        file = examined(photo)
        flights = {id(given._reading.of((file.path, file.stamp), file, _never)) for _ in range(60)}
        await given._reading.aclose()
        for later in (1.0, 3.0):
            now[0] = wall + later
            await given.linked({"a": file}, SETTINGS)
            kept.append(len(given._digests))
        return len(flights), kept

    assert run(main()) == (1, [0, 1])


async def _never() -> str:
    await asyncio.Event().wait()
    return ""


@pytest.mark.parametrize("how", ["rewritten", "replaced"])
def test_a_time_that_was_set_back_hides_no_other_content(how: str, tmp_path: Path) -> None:
    """Tools keep a file's time, and a new file may get the inode of one that was deleted: it is another content."""
    photo = placed(tmp_path, "a.png", picture(400, 400, "PNG"))
    before = photo.stat()
    hour = before.st_mtime_ns - 3600 * 10**9
    os.utime(photo, ns=(hour, hour))
    other = bytearray(photo.read_bytes())
    other[-1] ^= 1
    digests = []

    async def main() -> None:
        given = supply(Host(), wall=lambda: before.st_mtime + 3600)
        digests.append(await given._digest(examined(photo)))
        later(photo)
        if how == "replaced":
            photo.unlink()
        photo.write_bytes(bytes(other))
        os.utime(photo, ns=(hour, hour))
        digests.append(await given._digest(examined(photo)))

    run(main())
    assert len(set(digests)) == 2


def test_what_nobody_wants_any_more_is_not_done_to_its_end() -> None:
    """Who is cancelled waits for the thread, and the thread is told."""
    begun: list[bool] = []
    asked: list[bool] = []

    def work(given_up: GivenUp) -> None:
        begun.append(True)
        for _ in range(10**7):
            if given_up():
                asked.append(True)
                return

    async def main() -> None:
        task = asyncio.ensure_future(breakable(work))
        while not begun:  # noqa: ASYNC110  # a thread says so
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled()

    run(main())
    assert asked


def test_a_file_that_nobody_wants_is_not_read(tmp_path: Path) -> None:
    """Reading for somebody who has given up ends with the next block, in a sentence."""
    photo = placed(tmp_path)

    with pytest.raises(errors.PayloadInvalid, match="not wanted any more"):
        examined({"a": photo}, lambda: True)
