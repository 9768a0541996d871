"""Uploads: whole and as they were at the storage host, or an error that says why not."""

import asyncio
import hashlib
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from cargo import in_chunks, large, lying_at, picture, placed, puts
from scene import left_in, stage
from sending import AGAIN, TWO_BLOCKS, put

from gmi_video import Limits, Session, Settings, Transfer, errors
from gmi_video._contents import AHEAD, BLOCK
from gmi_video.sandbox import Script
from gmi_video.sandbox.faults import HangUp, Late, Redirect
from gmi_video.testing import run
from gmi_video.wire import Call, Reply


def test_a_file_lies_at_its_public_link_as_it_was(tmp_path: Path) -> None:
    """Path, bytes and chunks of one content give equal files, with the right type, and nothing else on disk."""
    body = picture()
    path = placed(tmp_path, body=body)

    async def main() -> None:
        async with stage(Script(), organization="an-organisation") as (sandbox, session):
            links = [
                await session.upload(source)
                for source in (path, str(path), body, bytearray(body), memoryview(body), in_chunks(body))
            ]
            lying = [await lying_at(link) for link in links]
            calls = [
                (call.operation, call.authorized, bool(call.organization))
                for call in sandbox.calls
                if call.operation != "media"
            ]

        assert len(set(links)) == 6
        assert lying == [(body, "image/jpeg")] * 6
        assert calls == [("upload", True, True), ("put", False, False)] * 6

    run(main())
    assert left_in(tmp_path) == ["photo.jpg"]


@pytest.mark.parametrize("size", [BLOCK // 2, BLOCK, BLOCK + 1, 2 * BLOCK, (AHEAD + 2) * BLOCK + 9, 65_536])
def test_every_size_arrives_whole(size: int, tmp_path: Path) -> None:
    """Sizes at the edges of blocks and pieces lose no byte."""
    body = large(size)
    path = placed(tmp_path, "a.wav", body)

    async def main() -> None:
        async with stage(Script()) as (_, session):
            for source in (path, body, in_chunks(body, 70_000)):
                assert await lying_at(await session.upload(source)) == (body, "audio/wav")

    run(main())


@pytest.mark.parametrize(
    ("name", "file_type", "asked", "content_type"),
    [
        ("photo.jpg", None, "jpeg", "image/jpeg"),
        ("photo.jpeg", None, "jpeg", "image/jpeg"),
        ("photo", None, "jpeg", "image/jpeg"),
        ("photo.tmp", None, "jpeg", "image/jpeg"),
        ("photo.JPG", "jpg", "jpeg", "image/jpeg"),
        ("photo.png", "jpeg", "jpeg", "image/jpeg"),
    ],
)
def test_a_jpeg_is_asked_for_as_jpeg(
    name: str, file_type: str | None, asked: str, content_type: str, tmp_path: Path
) -> None:
    """`jpg` would be signed for image/jpg, which no other program sends: every JPEG is asked for as `jpeg`."""
    path = placed(tmp_path, name)

    async def main() -> None:
        async with stage(Script()) as (sandbox, session):
            link = await session.upload(path, file_type=file_type)

            assert link.endswith(f".{asked}")
            assert (await lying_at(link))[1] == content_type
            assert puts(sandbox) == 1

    run(main())


def test_a_service_that_signs_another_type_is_followed_once() -> None:
    """Where the storage says that the signature is of another type, the other known type is tried, with a fresh link."""
    body = b"ID3\4\0\0\0\0\0\0\xff\xfb\x90\0" + large(5000)

    async def main() -> None:
        async with stage(Script(upload_types={"mp3": "audio/mp3"}), patience=AGAIN) as (sandbox, session):
            link = await session.upload(body)

            assert await lying_at(link) == (body, "audio/mp3")
            assert [call.status for call in sandbox.calls if call.operation == "put"] == [403, 200]
            assert sandbox.count_calls("upload") == 2
        async with stage(Script(upload_types={"png": "image/x-png"}), patience=AGAIN) as (sandbox, session):
            with pytest.raises(
                errors.TransferError, match="403 SignatureDoesNotMatch: the link was signed for"
            ):
                await session.upload(picture(form="PNG"))

            assert puts(sandbox) == 3

    run(main())


def test_an_upload_is_not_redirected() -> None:
    """A redirect of an upload is not followed: the other host sees nothing."""

    async def main() -> None:
        for status in (302, 307, 308):
            async with stage(put(Redirect(status=status))) as (sandbox, session):
                with pytest.raises(errors.TransferError, match="it points elsewhere"):
                    await session.upload(picture())

                assert [call.origin for call in sandbox.calls] == ["api", "media"]

    run(main())


class _Elsewhere:
    """A service on another machine, which names a place that no public host is."""

    def __init__(self) -> None:
        self.operations: list[str] = []

    async def send(self, call: Call) -> Reply:
        self.operations.append(call.operation)
        link = "http://127.0.0.1:9/a?X-Goog-Signature=abc"
        return Reply(status=200, body=json.dumps({"upload_url": link, "public_url": link}).encode())

    def stream(self, call: Call) -> Any:
        raise NotImplementedError

    async def aclose(self) -> None:
        """Nothing is open."""


def test_a_service_elsewhere_cannot_make_us_send_to_this_machine() -> None:
    """Loopback is a public host only where the API itself is on it: not a byte goes to a place of this machine."""
    elsewhere = _Elsewhere()

    async def main() -> None:
        async with Session(Settings(api_key="a-key"), transport=elsewhere) as session:
            with pytest.raises(errors.UnsafeURL, match="GMI's place for a jpeg file is not used"):
                await session.upload(picture())

    run(main())
    assert elsewhere.operations == ["upload"]


def test_progress_is_told_and_may_fail(caplog: pytest.LogCaptureFixture) -> None:
    """Progress counts up to the whole, begins again with each attempt, and what it raises is logged only."""
    told: list[tuple[int, int]] = []

    def progress(transfer: Transfer) -> None:
        assert transfer.name == "the bytes"
        assert transfer.total is not None
        told.append((transfer.done, transfer.total))
        raise LookupError("no screen")

    async def main() -> None:
        async with stage(put(HangUp(of="request", after=100_000)), patience=AGAIN) as (_, session):
            await session.upload(TWO_BLOCKS, progress=progress)

    run(main())
    again = told.index((0, len(TWO_BLOCKS)), 1)
    assert told[-1] == (len(TWO_BLOCKS), len(TWO_BLOCKS))
    assert told[0] == (0, len(TWO_BLOCKS))
    assert told[:again] == sorted(told[:again])
    assert told[again:] == sorted(told[again:])
    assert (len(TWO_BLOCKS), len(TWO_BLOCKS)) not in told[:-1]
    assert "no screen" in caplog.text
    assert {entry.levelno for entry in caplog.records} == {logging.ERROR}


def test_uploads_wait_for_each_other() -> None:
    """Many uploads at once keep to the limit on files being carried."""
    under_way: list[int] = []
    most = 0

    async def main() -> None:
        async with stage(put(*[Late(seconds=5)] * 12), limits=Limits(downloads=3)) as (_, session):

            async def one(number: int) -> None:
                def begun(transfer: Transfer) -> None:
                    nonlocal most
                    if number not in under_way:
                        under_way.append(number)
                    most = max(most, len(under_way))

                await session.upload(picture(400 + number, 400), progress=begun)
                under_way.remove(number)

            await asyncio.gather(*(one(number) for number in range(12)))

    run(main())
    assert most == 3


def test_the_storage_knows_the_file_by_its_hash() -> None:
    """The MD5 that is held against the storage's is that of all bytes, however they were cut."""
    body = large(333_333)

    async def main() -> None:
        async with stage(Script()) as (_, session):
            links = [await session.upload(in_chunks(body, size)) for size in (1, 65_537, 400_000) if size > 1]
            for link in links:
                assert hashlib.md5((await lying_at(link))[0]).digest() == hashlib.md5(body).digest()

    run(main())
