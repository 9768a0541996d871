"""Uploads that fail: begun again with a fresh link and a new reader, or told as what they are."""

import asyncio
from pathlib import Path
from typing import Literal

import pytest
from cargo import in_chunks, large, lying_at, picture, placed, puts
from scene import ours, stage
from sending import AGAIN, TWO_BLOCKS, put

from gmi_video import errors
from gmi_video.sandbox import Behaviour, Script, Serving
from gmi_video.sandbox.answers import Answer
from gmi_video.sandbox.faults import Drip, Early, Fault, HangUp, Late, Silence
from gmi_video.sandbox.storage import gone
from gmi_video.testing import run

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


@pytest.mark.parametrize("times", [1, pytest.param(2, marks=pytest.mark.soak), 3])
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
        pytest.importorskip("crc32c")

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
