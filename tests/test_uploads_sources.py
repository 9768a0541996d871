"""What uploads read: files that change, factories that fail, and sources that take their time."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cargo import in_chunks, large, lying_at, picture, placed, puts
from scene import stage
from sending import AGAIN, MORE_BLOCKS, put

from gmi_video import Chunks, Transfer, _contents, errors
from gmi_video._pool import Pool
from gmi_video.sandbox import Script
from gmi_video.sandbox.faults import HangUp
from gmi_video.testing import run


def test_a_file_that_changes_is_not_sent_half_old_half_new(tmp_path: Path) -> None:
    """A file that is written to between two attempts, or while it is read, is an error and is not tried again."""
    path = placed(tmp_path, "a.wav", MORE_BLOCKS)

    async def main() -> None:
        def write(transfer: Transfer) -> None:
            with path.open("r+b") as file:  # when the first of its blocks was read
                file.seek(-1, 2)
                file.write(b"!")

        async with stage(Script()) as (sandbox, session):
            with pytest.raises(errors.TransferError, match=r"changed while it was being uploaded") as caught:
                await session.upload(path, progress=write)

            assert not caught.value.retryable
            assert sandbox.count_calls("upload") == 1

        def append(transfer: Transfer) -> None:
            path.write_bytes(MORE_BLOCKS + b"more")

        async with stage(put(HangUp(of="request", after=10)), patience=AGAIN) as (sandbox, session):
            with pytest.raises(errors.TransferError, match="changed while"):
                await session.upload(path, progress=append)

            assert puts(sandbox) <= 2

    run(main())


@pytest.mark.parametrize("off", [-1, 1, -1000, 70_000])
def test_chunks_that_are_not_as_long_as_they_say_are_refused(off: int) -> None:
    """A factory that gives fewer or more bytes than its length says leaves no file that could be taken for whole."""
    body = large(300_000)

    async def main() -> None:
        async with stage(Script(), patience=AGAIN) as (sandbox, session):
            with pytest.raises(errors.TransferError, match="gives other than the"):
                await session.upload(in_chunks(body, length=len(body) + off))

            assert [call.status for call in sandbox.calls if call.operation == "put"] in ([None], [])

    run(main())


def test_what_a_factory_raises_is_the_callers_own() -> None:
    """An error of the source comes out as it was raised; there is no second attempt."""

    async def broken() -> AsyncIterator[bytes]:
        yield large(200_000)
        raise LookupError("the store lost it")

    async def main() -> None:
        async with stage(Script(), patience=AGAIN) as (sandbox, session):
            with pytest.raises(LookupError, match="the store lost it"):
                await session.upload(Chunks(broken, length=400_000))

            assert puts(sandbox) == 1

    run(main())


def test_a_slow_source_is_not_a_stall() -> None:
    """Only the connection has to keep moving: a source may take its time for each chunk."""
    body = large(30_000)

    async def slow() -> AsyncIterator[bytes]:
        for at in range(0, len(body), 10_000):
            await asyncio.sleep(200)
            yield body[at : at + 10_000]

    async def main() -> None:
        async with stage(Script()) as (sandbox, session):
            link = await session.upload(Chunks(slow, length=len(body)))

            assert (await lying_at(link))[0] == body
            assert puts(sandbox) == 1

    run(main())


class _Reading:
    """One reading of a source that wants to be closed by name: nothing collects it."""

    def __init__(self, readings: list["_Reading"]) -> None:
        self.closed = 0
        self._left = 40
        readings.append(self)

    def __aiter__(self) -> "_Reading":
        return self

    async def __anext__(self) -> bytes:
        await asyncio.sleep(1)
        self._left -= 1
        if self._left < 0:
            raise StopAsyncIteration
        return large(10_000)

    async def aclose(self) -> None:
        self.closed += 1


def test_a_factory_is_closed_however_it_ends() -> None:
    """Each reading of a source is closed once: the one that looked at its type, a broken one, a cancelled one."""
    readings: list[_Reading] = []

    async def main() -> None:
        chunks = Chunks(lambda: _Reading(readings), length=400_000)
        async with stage(put(HangUp(of="request", after=100_000)), patience=AGAIN) as (_, session):
            assert await session.upload(chunks)
            upload = asyncio.ensure_future(session.upload(chunks))
            await asyncio.sleep(20)
            upload.cancel()
            with pytest.raises(asyncio.CancelledError):
                await upload

    run(main())
    assert [reading.closed for reading in readings] == [1] * 5


@pytest.mark.parametrize(
    ("name", "body", "sentence"),
    [
        (
            "a.png",
            picture(),
            "it is named like a PNG picture and is a JPEG picture: rename it, or say file_type",
        ),
        ("a.jpg", b"", "it is empty"),
        ("a.jpg", b"<html><body>404", "its bytes are none of the types that are taken: jpeg, jpg, png"),
        ("a.webp", picture(form="WEBP"), "it is a WebP picture; jpeg, jpg, png, mp4, mp3 and wav are taken"),
        ("a.mp4", b"\x1aE\xdf\xa3" + b"0" * 99, "it is a WebM or Matroska video"),
        ("id_rsa", b"-----BEGIN OPENSSH PRIVATE KEY-----", "its bytes are none of the types"),
    ],
)
def test_what_is_not_taken_stays_here(name: str, body: bytes, sentence: str, tmp_path: Path) -> None:
    """Only the six types leave the machine, told by their bytes; the sentence says what it is and what would be right."""
    path = placed(tmp_path, name, body)

    async def main() -> None:
        async with stage(Script()) as (sandbox, session):
            with pytest.raises(errors.ConfigurationError, match="is not uploaded: ") as caught:
                await session.upload(path)

            assert sentence in str(caught.value)
            assert repr(name) in str(caught.value)
            assert len(sandbox.calls) == 0

    run(main())


def test_what_is_no_source_is_said_so(tmp_path: Path) -> None:
    """Folders, links, missing files, pipes and wrong types fail with a sentence, and nothing is sent."""
    import os  # noqa: PLC0415

    fifo = tmp_path / "pipe.jpg"
    os.mkfifo(fifo)
    cases: list[tuple[Any, Any, str]] = [
        (tmp_path, None, "it is a folder"),
        (tmp_path / "none.jpg", None, "No such file"),
        (fifo, None, "it is no regular file"),
        ("a\0b", None, "its name holds signs"),
        ("https://a.example/a.jpg", None, "was given a link"),
        ("data:image/png;base64,AAAA", None, "was given a link"),
        (7, None, "upload takes a path, bytes, or Chunks"),
        (iter([b"x"]), None, "not list_iterator"),
        (picture(), "gif", "file_type='gif' is not taken"),
        (picture(), 7, "file_type=7 is not taken"),
        (picture(), "png", "it is a JPEG picture, not a PNG picture as file_type says"),
        (in_chunks(picture(), name="a.mp4"), None, "it is named like an MP4 video and is a JPEG picture"),
    ]

    async def main() -> None:
        async with stage(Script()) as (sandbox, session):
            for source, file_type, sentence in cases:
                with pytest.raises(errors.ConfigurationError, match=sentence):
                    await session.upload(source, file_type=file_type)
            assert len(sandbox.calls) == 0

    run(main())


@pytest.mark.parametrize("how", ["changed", "dropped"])
def test_an_upload_that_failed_keeps_no_memory(how: str, tmp_path: Path) -> None:
    """The blocks of a file are let go with the error, and do not wait for the garbage collector."""
    path = placed(tmp_path, "a.wav", MORE_BLOCKS)
    drops = put(*(HangUp(of="request", after=100_000) for _ in range(3)))

    def write(_: Transfer) -> None:
        if how == "changed":
            path.write_bytes(MORE_BLOCKS + b"more")

    async def main() -> int:
        async with stage(drops if how == "dropped" else Script(), patience=AGAIN) as (_, session):
            gc.disable()
            try:
                with suppress(errors.TransferError, errors.TransportError):
                    await session.upload(path, progress=write)
                    return -1
                for _ in range(5):
                    await asyncio.sleep(0.1)
                return sum(len(one._blocks) for one in gc.get_objects() if isinstance(one, Pool))
            finally:
                gc.enable()

    gc.collect()
    assert run(main()) == 0


def test_bytes_that_were_sent_are_let_go() -> None:
    """Once they are there nothing holds them: not until the garbage collector comes either."""

    async def main() -> int:
        async with stage(Script()) as (_, session):
            gc.disable()
            try:
                await session.upload(MORE_BLOCKS)
                await asyncio.sleep(0.1)
                return sum(isinstance(one, _contents._BytesBlocks) for one in gc.get_objects())
            finally:
                gc.enable()

    gc.collect()
    assert run(main()) == 0


@pytest.mark.parametrize("kind", ["list", "coroutine"])
def test_a_factory_that_gives_no_async_iterable_is_a_sentence(kind: str) -> None:
    """Whatever it gives: what is wanted is said, and nothing is left to be awaited."""

    async def late() -> list[bytes]:
        return [b"RIFF"]

    factory: Any = late if kind == "coroutine" else lambda: [b"RIFF"]

    async def main() -> None:
        with pytest.raises(errors.ConfigurationError, match=f"an async iterable of bytes.*, not {kind}"):
            await _contents.contents_of(Chunks(factory, length=4))

    run(main())
