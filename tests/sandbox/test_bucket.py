"""Uploads to the sandbox's bucket: signed, kept and told as by the real one; broken and wrong where the script says so."""

import asyncio
import base64
import hashlib
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gmi_video.sandbox import Behaviour, Sandbox, Script, Serving
from gmi_video.sandbox.checksums import crc32c
from gmi_video.sandbox.faults import (
    Early,
    Fault,
    HangUp,
)
from gmi_video.testing import run

from .buckets import PICTURE, get, links, put
from .caller import calling
from .wire import talk


def test_an_upload_can_be_read_at_its_public_url() -> None:
    """What was put by the signed URL lies, byte by byte and with its type and checksums, at the public one."""

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            upload_url, public_url = await links(caller)
            absent = await caller.media(public_url)
            kept = await put(caller, upload_url)
            read = await caller.media(public_url)

            assert (absent.status, kept.status, kept.body) == (404, 200, b"")
            assert (read.status, read.body, read.headers["Content-Type"]) == (200, PICTURE, "image/png")
            md5 = base64.b64encode(hashlib.md5(PICTURE, usedforsecurity=False).digest()).decode()
            check = base64.b64encode(crc32c(PICTURE).to_bytes(4, "big")).decode()
            for reply in (kept, read):
                assert reply.headers.getall("x-goog-hash") == [f"crc32c={check}", f"md5={md5}"]
            assert [c.operation for c in caller.sandbox.calls] == ["upload", "media", "put", "media"]
            assert not any(c.authorized for c in caller.sandbox.calls if c.origin == "media")

    run(main())


def test_an_upload_url_looks_like_the_real_one() -> None:
    """The query of a version 4 signature over content type and host, good for 899 seconds, same bucket."""

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            upload_url, public_url = await links(caller)
            query = {name: values[0] for name, values in parse_qs(urlsplit(upload_url).query).items()}

            assert upload_url.startswith(f"{public_url}?X-Goog-Algorithm=GOOG4-RSA-SHA256&")
            assert public_url.startswith(f"{caller.sandbox.media_url}/gmi-video-assests-prod/user-assets/")
            assert (query["X-Goog-Expires"], query["X-Goog-SignedHeaders"]) == ("899", "content-type;host")
            assert len(query["X-Goog-Signature"]) == 512
            assert query["X-Goog-Credential"].endswith("/auto/storage/goog4_request")

    run(main())


@pytest.mark.parametrize(
    ("file_type", "content_type", "status"),
    [
        ("jpg", "image/jpg", 200),
        ("jpg", "image/jpeg", 403),
        ("jpeg", "image/jpeg", 200),
        ("jpeg", "image/jpg", 403),
        ("png", "image/png", 200),
        ("png", "IMAGE/PNG", 403),
        ("mp4", "video/mp4", 200),
        ("mp3", "audio/mpeg", 200),
        ("mp3", "audio/mp3", 403),
        ("wav", "audio/wav", 200),
    ],
)
def test_an_upload_keeps_to_the_very_type_that_was_signed(
    file_type: str, content_type: str, status: int
) -> None:
    """A `jpg` wants the literal image/jpg; any other type than the signed one is a signature that does not match."""

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            upload_url, public_url = await links(caller, file_type)
            reply = await put(caller, upload_url, content_type=content_type)

            assert reply.status == status
            assert (b"<Code>SignatureDoesNotMatch</Code>" in reply.body) == (status == 403)
            assert (await caller.media(public_url)).status == (200 if status == 200 else 404)

    run(main())


def test_an_upload_without_a_type_is_malformed() -> None:
    """A signed header that was not sent is a 400 of its own, which names it."""

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            upload_url, _ = await links(caller)
            reply = await put(caller, upload_url, content_type=None)

            assert reply.status == 400
            assert b"<Code>MalformedSecurityHeader</Code>" in reply.body
            assert b"<ParameterName>content-type</ParameterName>" in reply.body

    run(main())


@pytest.mark.parametrize(("lasts", "after", "status"), [(899, 898, 200), (899, 900, 400), (10, 11, 400)])
def test_an_upload_url_ends_at_its_second(lasts: int, after: float, status: int) -> None:
    """Until its time has passed the URL is good; then it is a 400, as of the real storage, that says when."""

    async def main() -> None:
        async with calling(Sandbox(Script(upload_lasts=lasts), render=False)) as caller:
            upload_url, _ = await links(caller)
            await asyncio.sleep(after)
            reply = await put(caller, upload_url)

            assert reply.status == status
            assert (b"<Code>ExpiredToken</Code>" in reply.body) == (status == 400)
            assert (b"Request signature expired at: " in reply.body) == (status == 400)

    run(main())


@pytest.mark.parametrize(
    ("part", "other", "status"),
    [
        ("X-Goog-Expires=899", "X-Goog-Expires=86400", 403),
        ("/uploaded/", "/generated/", 403),
        ("X-Goog-Signature=", "X-Goog-Signature=0", 403),
        ("&X-Goog-Date=", "&X-Goog-Then=", 403),
        ("X-Goog-Signature=", "Signature=", 405),
    ],
)
def test_an_upload_url_cannot_be_bent(part: str, other: str, status: int) -> None:
    """Another path, a longer time, another signature or none: nothing is kept."""

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            upload_url, public_url = await links(caller)
            reply = await put(caller, upload_url.replace(part, other))

            assert reply.status == status
            assert reply.body.startswith(b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>")
            assert (await caller.media(public_url)).status == 404

    run(main())


@pytest.mark.parametrize("told", [{"file_type": "exe"}, {"file_type": 7}, {}, [], b"{"])
def test_only_known_types_are_given_an_upload_url(told: Any) -> None:
    """A type that the vendor does not name, and a body that says none, are a 400 of the queue."""

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            body = told if isinstance(told, bytes) else json.dumps(told).encode()
            reply = await caller.call("POST", "/upload-url", data=body)

            assert (reply.status, "jpeg" in reply.error) == (400, True)

    run(main())


def test_types_may_be_signed_otherwise() -> None:
    """One client in the field has mp3 signed as audio/mp3; further types can be allowed."""

    async def main() -> None:
        script = Script(upload_types={"mp3": "audio/mp3", "webm": "video/webm"})
        async with calling(Sandbox(script, render=False)) as caller:
            song, _ = await links(caller, "mp3")
            film, _ = await links(caller, "webm")

            assert (await put(caller, song, content_type="audio/mp3")).status == 200
            assert (await put(caller, film, content_type="video/webm")).status == 200

    run(main())


def test_public_urls_may_name_another_origin() -> None:
    """With `links` the public URL is https, while the upload goes to the sandbox."""

    async def main() -> None:
        async with calling(Sandbox(Script(links="https://storage.example"), render=False)) as caller:
            upload_url, public_url = await links(caller)

            assert public_url.startswith("https://storage.example/gmi-video-assests-prod/")
            assert (await put(caller, upload_url)).status == 200
            here = public_url.replace("https://storage.example", caller.sandbox.media_url)
            assert (await caller.media(here)).body == PICTURE

    run(main())


def test_an_upload_waits_for_the_go_ahead_that_it_asked_for() -> None:
    """A client that says `Expect: 100-continue` is told to continue before its body is awaited."""

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            upload_url, public_url = await links(caller)
            headers = {"Content-Type": "image/png", "Expect": "100-continue"}
            async with caller.http.put(upload_url, data=PICTURE, headers=headers, expect100=True) as reply:
                assert reply.status == 200
            assert (await caller.media(public_url)).body == PICTURE

    run(main())


@pytest.mark.parametrize(
    ("fault", "end", "kept"),
    [
        (HangUp(of="request", how="reset", after=30_000), "reset", False),
        (HangUp(), "fin", True),
        (Early(), "open", False),
    ],
)
def test_an_upload_may_break_and_be_repeated(fault: Fault, end: str, kept: bool) -> None:
    """Dropped within the body, lost after it was kept, answered too early: the same URL takes it again."""

    async def main() -> None:
        async with calling(Sandbox(Script(puts=(Behaviour(fault=fault),)), render=False)) as caller:
            upload_url, public_url = await links(caller)
            told = await talk(upload_url, get(upload_url, "Content-Type: image/png", body=PICTURE), until=5)
            there = await caller.media(public_url)
            again = await put(caller, upload_url)

            assert (told.end, there.status == 200) == (end, kept)
            assert isinstance(fault, Early) == told.told.startswith(b"HTTP/1.1 413 ")
            assert again.status == 200
            assert (await caller.media(public_url)).body == PICTURE

    run(main())


def test_an_upload_may_be_kept_wrong() -> None:
    """A bit flips on the way: the reply's hashes are those of what lies there, not of what was sent."""

    async def main() -> None:
        script = Script(puts=(Behaviour(serving=Serving(flips=7)),))
        async with calling(Sandbox(script, render=False)) as caller:
            upload_url, public_url = await links(caller)
            kept = await put(caller, upload_url)
            read = (await caller.media(public_url)).body

            assert kept.status == 200
            assert [n for n, (a, b) in enumerate(zip(read, PICTURE, strict=True)) if a != b] == [7]
            md5 = base64.b64encode(hashlib.md5(read, usedforsecurity=False).digest()).decode()
            assert f"md5={md5}" in kept.headers.getall("x-goog-hash")

    run(main())


def test_upload_urls_may_name_a_place_they_must_not() -> None:
    """A row of `uploads` bends the answer: another host, a missing URL, an error."""

    async def main() -> None:
        rows = (
            Behaviour(adds={"upload_url": "http://169.254.169.254/x"}),
            Behaviour(without=("public_url",)),
            Behaviour.refused(500, "try again"),
        )
        async with calling(Sandbox(Script(uploads=rows), render=False)) as caller:
            asked = [await caller.call("POST", "/upload-url", json={"file_type": "png"}) for _ in range(4)]

            assert asked[0].json["upload_url"] == "http://169.254.169.254/x"
            assert "public_url" not in asked[1].json
            assert [reply.status for reply in asked] == [200, 200, 500, 200]

    run(main())
