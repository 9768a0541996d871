"""Uploads: whole and as they were at the storage host, or an error that says why not."""

import asyncio
import hashlib
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import pytest
from cargo import in_chunks, large, lying_at, picture, placed, puts
from scene import left_in, ours, stage

from gmi_video import Chunks, Limits, Patience, Session, Settings, Transfer, errors
from gmi_video.sandbox import Behaviour, Script, Serving
from gmi_video.sandbox.answers import Answer
from gmi_video.sandbox.faults import Drip, Early, Fault, HangUp, Late, Redirect, Silence
from gmi_video.sandbox.storage import gone
from gmi_video.testing import run
from gmi_video.wire import Call, Reply

AGAIN = Patience(first=1, jitter=0)
TWO_BLOCKS = large(2_500_000)
"""One block of a file and a part of the next."""


def put(*faults: Fault | None, **more: Any) -> Script:
    """A script whose first PUTs meet these faults."""
    return Script(puts=[None if fault is None else Behaviour(fault=fault) for fault in faults], **more)


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


@pytest.mark.parametrize("size", [1 << 20, 2 << 20, (2 << 20) + 1, 4 << 20, 65_536])
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
    body = b"ID3" + large(5000)

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


FAILING: dict[str, Fault] = {
    "reset in the body": HangUp(how="reset", of="request", after=100_000),
    "drop in the body": HangUp(of="request", after=100_000),
    "drop before the body": HangUp(of="request"),
    "drop after all": HangUp(),
    "half a reply": HangUp(after=20),
    "silence": Silence(),
    "silence after all": Silence(accepted=True),
    "a drip": Drip(),
}


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("fault", FAILING)
def test_a_broken_upload_begins_again_with_a_fresh_link(fault: str, times: int, tmp_path: Path) -> None:
    """After a drop, a reset or silence all bytes are sent anew, by a link of their own, three times at most."""
    path = placed(tmp_path, "a.wav", TWO_BLOCKS)

    async def main() -> None:
        script = put(*[FAILING[fault]] * times)
        async with stage(script, patience=AGAIN) as (sandbox, session):
            if times < 3:
                link = await session.upload(path)

                assert await lying_at(link) == (TWO_BLOCKS, "audio/wav")
                assert puts(sandbox) == sandbox.count_calls("upload") == times + 1
                return
            with pytest.raises(errors.TransportError) as caught:
                await session.upload(path)

            assert (caught.value.attempts, caught.value.charged, caught.value.retryable) == (3, "no", True)
            assert puts(sandbox) == sandbox.count_calls("upload") == 3
            await asyncio.sleep(1)
            assert ours() == []

    run(main())


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_storage_in_trouble_is_asked_again(status: int) -> None:
    """A storage that says that it is in trouble gets the file once more, by a fresh link."""
    trouble = Behaviour(answer=Answer(status, b"<html>trouble</html>", "text/html"))

    async def main() -> None:
        async with stage(Script(puts=[trouble, trouble]), patience=AGAIN) as (sandbox, session):
            assert await session.upload(picture())
            assert puts(sandbox) == 3
        async with stage(Script(puts=[trouble] * 3), patience=AGAIN) as (sandbox, session):
            with pytest.raises(errors.TransferError, match=rf"\({status} no reason given\)"):
                await session.upload(picture())

    run(main())


def test_a_link_that_expired_is_replaced() -> None:
    """400 ExpiredToken, and a 403, cost a fresh link; three of them in a row are `LinkExpired`."""

    async def main() -> None:
        async with stage(Script(upload_lasts=0), patience=AGAIN) as (sandbox, session):
            with pytest.raises(errors.LinkExpired, match="400 ExpiredToken: the link had expired"):
                await session.upload(picture())
            assert puts(sandbox) == 3
        denied = Behaviour(answer=gone(403))
        async with stage(Script(puts=[denied, denied]), patience=AGAIN) as (sandbox, session):
            assert await session.upload(picture())
            assert puts(sandbox) == 3

    run(main())


def test_a_link_that_came_too_late_is_not_used() -> None:
    """A link older than twelve minutes when it came is thrown away before a byte is sent."""

    async def main() -> None:
        script = Script(uploads=[Behaviour(fault=Late(seconds=721))])
        async with stage(script, timeout=800.0) as (sandbox, session):
            assert await session.upload(picture())
            assert (sandbox.count_calls("upload"), puts(sandbox)) == (2, 1)
        script = Script(uploads=[Behaviour(fault=Late(seconds=719))])
        async with stage(script, timeout=800.0) as (sandbox, session):
            assert await session.upload(picture())
            assert (sandbox.count_calls("upload"), puts(sandbox)) == (1, 1)
        script = Script(uploads=[Behaviour(fault=Late(seconds=721))] * 3)
        async with stage(script, timeout=800.0) as (sandbox, session):
            with pytest.raises(errors.TransferError, match="older than 12 minutes"):
                await session.upload(picture())
            assert puts(sandbox) == 0

    run(main())


@pytest.mark.parametrize("fault", [HangUp(), Silence(), HangUp(how="reset", of="request"), HangUp(after=-5)])
def test_asking_for_a_link_is_repeated_with_patience(fault: Fault) -> None:
    """POST /upload-url costs nothing: it is made again whatever happened to it."""

    async def main() -> None:
        async with stage(Script(uploads=[Behaviour(fault=fault)] * 2), patience=AGAIN) as (sandbox, session):
            assert await session.upload(picture())
            assert (sandbox.count_calls("upload"), puts(sandbox)) == (3, 1)

    run(main())


def test_a_service_that_gives_no_link_is_an_error_of_its_own() -> None:
    """A refusal of the service is raised as for any other call, and nothing is sent to any storage."""

    async def main() -> None:
        refusal = Behaviour(answer=Answer.refusal(400, "invalid file_type, allowed: gif"))
        async with stage(Script(uploads=[refusal])) as (sandbox, session):
            with pytest.raises(errors.Rejected, match="refused to say where to put a jpeg file"):
                await session.upload(picture())
            assert (sandbox.count_calls("upload"), puts(sandbox)) == (1, 0)
        async with stage(Script(unauthorized_from=1)) as (_, session):
            with pytest.raises(errors.Unauthorized):
                await session.upload(picture())

    run(main())


def test_a_flipped_bit_is_found() -> None:
    """What lies there is held against what was sent: a damaged file is sent again, then `IntegrityError`."""

    async def main() -> None:
        flipped = Behaviour(serving=Serving(flips=77))
        async with stage(Script(puts=[flipped, flipped]), patience=AGAIN) as (sandbox, session):
            link = await session.upload(TWO_BLOCKS)

            assert (await lying_at(link))[0] == TWO_BLOCKS
            assert puts(sandbox) == 3
        async with stage(Script(puts=[flipped] * 3), patience=AGAIN) as (sandbox, session):
            with pytest.raises(errors.IntegrityError, match=r"its (MD5|CRC-32C) differs"):
                await session.upload(TWO_BLOCKS)

    run(main())


@pytest.mark.parametrize("told", ["crc32c", "md5"])
@pytest.mark.parametrize("flips", [77, None])
def test_any_checksum_that_is_told_is_held_against_the_file(
    told: Literal["crc32c", "md5"], flips: int | None
) -> None:
    """A host that tells one checksum alone is heard as well, for each kind of source."""
    if told == "crc32c":
        pytest.importorskip("google_crc32c")

    async def main() -> None:
        served = Behaviour(serving=Serving(flips=flips, hashes=told))
        script = Script(puts=[served, served if flips is None else None, served])
        async with stage(script, patience=AGAIN) as (sandbox, session):
            links = [await session.upload(source) for source in (TWO_BLOCKS, in_chunks(TWO_BLOCKS, 70_000))]

            assert [(await lying_at(link))[0] for link in links] == [TWO_BLOCKS] * 2
            assert puts(sandbox) == (2 if flips is None else 4)

    run(main())


@pytest.mark.parametrize("lingers", [True, False])
@pytest.mark.parametrize("round_", range(2))
def test_an_early_refusal_of_a_large_body_is_read(lingers: bool, round_: int, tmp_path: Path) -> None:
    """A storage that refuses before it has read 50 MB is heard, not mistaken for a broken pipe, and not tried again."""
    body = large(1 << 20) * 50
    path = placed(tmp_path, "a.wav", body)

    async def main() -> None:
        async with stage(put(*[Early(status=413, lingers=lingers)] * 2)) as (_, session):
            for source in (path, body):
                with pytest.raises(errors.TransferError, match=r"\(413 ") as caught:
                    await session.upload(source)

                assert (caught.value.attempts, caught.value.retryable) == (1, False)

    run(main())


def test_a_success_that_comes_too_early_is_none(tmp_path: Path) -> None:
    """A host that says 200 before it could have all bytes has not got the file: it is sent anew, then `Incomplete`."""
    body = large(1 << 20) * 30
    path = placed(tmp_path, "a.wav", body)

    async def main() -> None:
        async with stage(put(Early(status=200)), patience=AGAIN) as (sandbox, session):
            assert (await lying_at(await session.upload(path)))[0] == body
            assert puts(sandbox) == 2
        async with stage(put(*[Early(status=200)] * 3), patience=AGAIN) as (_, session):
            with pytest.raises(errors.Incomplete, match="answered before all of"):
                await session.upload(path)

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


def test_a_file_that_changes_is_not_sent_half_old_half_new(tmp_path: Path) -> None:
    """A file that is written to between two attempts, or while it is read, is an error and is not tried again."""
    path = placed(tmp_path, "a.wav", TWO_BLOCKS)

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
            path.write_bytes(TWO_BLOCKS + b"more")

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


def test_the_storage_knows_the_file_by_its_hash() -> None:
    """The MD5 that is held against the storage's is that of all bytes, however they were cut."""
    body = large(333_333)

    async def main() -> None:
        async with stage(Script()) as (_, session):
            links = [await session.upload(in_chunks(body, size)) for size in (1, 65_537, 400_000) if size > 1]
            for link in links:
                assert hashlib.md5((await lying_at(link))[0]).digest() == hashlib.md5(body).digest()

    run(main())
