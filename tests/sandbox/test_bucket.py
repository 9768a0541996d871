import asyncio
import base64
import hashlib
import json
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientSession

from gmi_video.sandbox import Behaviour, Sandbox, Script, Serving
from gmi_video.sandbox.answers import Answer
from gmi_video.sandbox.checksums import crc32c
from gmi_video.sandbox.faults import (
    Drip,
    Early,
    Endless,
    Fault,
    HangUp,
    Late,
    Redirect,
    Unmeasured,
    WrongLength,
)
from gmi_video.testing import run

from .caller import Caller, Reply, calling
from .wire import talk

PICTURE = bytes(range(256)) * 300


async def links(caller: Caller, file_type: str = "png") -> tuple[str, str]:
    """An upload URL and the public URL that goes with it."""
    told = (await caller.call("POST", "/upload-url", json={"file_type": file_type})).json
    return told["upload_url"], told["public_url"]


async def put(caller: Caller, url: str, body: Any = PICTURE, content_type: str | None = "image/png") -> Reply:
    """An upload, without credentials."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    skip = [] if content_type else ["Content-Type"]
    async with caller.http.put(url, data=body, headers=headers, skip_auto_headers=skip) as reply:
        return Reply(reply.status, reply.headers, await reply.read())


def of_one(fault: Fault | None = None, **more: Any) -> Sandbox:
    """A sandbox whose first media call departs so."""
    return Sandbox(Script(media=(Behaviour(fault=fault, **more),)), render=False)


def get(url: str, *headers: str, body: bytes = b"") -> bytes:
    """A GET as bytes; a PUT where there is a body."""
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    method = "PUT" if body else "GET"
    length = (f"Content-Length: {len(body)}",) if body else ()
    lines = (f"{method} {path} HTTP/1.1", f"Host: {parts.netloc}", *headers, *length, "", "")
    return "\r\n".join(lines).encode() + body


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


def test_large_uploads_and_downloads_leave_memory_flat() -> None:
    """Twenty megabytes up and down, in pieces; the sandbox holds them in a file."""
    piece = bytes(1024 * 1024)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield piece

    async def main() -> None:
        async with calling(Sandbox(render=False)) as caller:
            upload_url, public_url = await links(caller)
            tracemalloc.start()
            assert (await put(caller, upload_url, pieces())).status == 200
            size = 0
            async with caller.http.get(public_url) as reply:
                async for part in reply.content.iter_any():
                    size += len(part)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            tail = await caller.media(public_url, Range="bytes=-5")

            assert size == 20 * 1024 * 1024
            assert peak < 14 * 1024 * 1024
            assert (tail.status, tail.body) == (206, bytes(5))

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


@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_download_is_cut_at_its_byte(how: Any) -> None:
    """Head and exactly so many bytes of the object come, then an RST or a FIN; the rest comes by range."""

    async def main() -> None:
        async with of_one(HangUp(how=how, of="body", after=700_000)) as sandbox:
            url = sandbox.place("big.mp4", PICTURE * 10)
            first = await talk(url, get(url))
            rest = await talk(
                url, get(url, "Range: bytes=700000-", f"If-Range: {first.header('ETag')}"), until=5
            )

            assert first.end == ("reset" if how == "reset" else "fin")
            assert (len(first.body), first.header("Content-Length")) == (700_000, "768000")
            assert rest.status == 206
            assert first.body + rest.body == PICTURE * 10

    run(main())


@pytest.mark.parametrize(
    ("fault", "heard"),
    [
        (WrongLength(by=-100), 76_700),
        (WrongLength(by=100), 76_900),
        (Unmeasured(), None),
        (Unmeasured(after=5000), None),
    ],
)
def test_a_download_may_have_a_wrong_length_or_none(fault: Fault, heard: int | None) -> None:
    """The length is off by so many bytes, or missing over a body that a close ends."""

    async def main() -> None:
        async with of_one(fault) as sandbox:
            url = sandbox.place("a.mp4", PICTURE)
            told = await talk(url, get(url), until=5)

            assert told.header("Content-Length") == ("" if heard is None else str(heard))
            whole = fault.after is None if isinstance(fault, Unmeasured) else True
            assert told.body == (PICTURE if whole else PICTURE[:5000])

    run(main())


def test_a_download_is_as_slow_as_it_is_told_to_be() -> None:
    """So many bytes a second, to the second."""

    async def main() -> None:
        async with of_one(Drip(size=10_000)) as sandbox, ClientSession() as http:
            url = sandbox.place("a.mp4", PICTURE)
            started = sandbox.now()
            async with http.get(url) as reply:
                assert await reply.read() == PICTURE

            assert sandbox.now() - started == pytest.approx(7, abs=0.5)

    run(main())


def test_a_download_may_never_end() -> None:
    """An endless body says the object again and again, with no length."""

    async def main() -> None:
        async with of_one(Endless(size=50_000, interval=1)) as sandbox:
            url = sandbox.place("a.mp4", PICTURE)
            told = await talk(url, get(url), until=20)

            assert (told.header("Content-Length"), told.end) == ("", "open")
            assert len(told.body) >= 900_000

    run(main())


@pytest.mark.parametrize(
    ("serving", "status", "body"),
    [
        (Serving(), 206, PICTURE[10:20]),
        (Serving(ranges=False), 200, PICTURE),
        (Serving(etag="changing"), 200, PICTURE),
        (Serving(etag="missing"), 206, PICTURE[10:20]),
        (Serving(flips=12), 206, PICTURE[10:12] + b"\x0d" + PICTURE[13:20]),
        (Serving(edition=1), 200, PICTURE + b"\x00\x00\x00\x10free\x00\x00\x00\x00\x00\x00\x00\x01"),
    ],
)
def test_a_download_is_continued_only_where_the_bucket_does(
    serving: Serving, status: int, body: bytes
) -> None:
    """Ranges ignored, a tag or an object that changed between two calls, a flipped bit: as the script says."""

    async def main() -> None:
        rows = (None, Behaviour(serving=serving))
        async with calling(Sandbox(Script(media=rows), render=False)) as caller:
            url = caller.sandbox.place("a.mp4", PICTURE)
            first = await caller.media(url)
            headers = {"Range": "bytes=10-19", "If-Range": first.headers["ETag"]}
            if serving.etag == "missing":
                del headers["If-Range"]
            part = await caller.media(url, **headers)

            assert (part.status, part.body) == (status, body)
            assert ("ETag" in part.headers) == (serving.etag != "missing")
            assert ("Accept-Ranges" in part.headers) == serving.ranges

    run(main())


def test_the_whole_run_may_have_an_odd_bucket() -> None:
    """`Script.serving` holds for every call; a row of `media` goes before it."""

    async def main() -> None:
        rows = (Behaviour(serving=Serving()),)
        script = Script(serving=Serving(hashes="none", etag="changing"), media=rows)
        async with calling(Sandbox(script, render=False)) as caller:
            url = caller.sandbox.place("a.mp4", PICTURE)
            told = [(await caller.media(url)).headers for _ in range(3)]

            assert "x-goog-hash" in told[0]
            assert not any("x-goog-hash" in headers for headers in told[1:])
            assert len({headers["ETag"] for headers in told}) == 3

    run(main())


@pytest.mark.parametrize(
    "to", ["self", "http://169.254.169.254/x", "http://[::1]:1/x", "ftp://a/b", "elsewhere"]
)
def test_a_download_may_be_led_away(to: str) -> None:
    """To a private address, to another scheme, round and round, or to a host that notes who came."""

    async def main() -> None:
        async with of_one(Redirect(status=302, to=to)) as sandbox:
            url = sandbox.place("a.mp4", PICTURE)
            told = await talk(url, get(url), until=5)
            away = sandbox.elsewhere_url + urlsplit(url).path

            assert told.status == 302
            assert told.header("Location") == {"self": url, "elsewhere": away}.get(to, to)

    run(main())


def test_an_error_page_may_come_as_a_success() -> None:
    """HTML with a 200, where the video should be."""

    async def main() -> None:
        page = Answer(200, b"<html><body>maintenance</body></html>", "text/html")
        async with of_one(reply=page) as sandbox:
            url = sandbox.place("a.mp4", PICTURE)
            told = await talk(url, get(url), until=5)

            assert (told.status, told.header("Content-Type"), told.body[:6]) == (200, "text/html", b"<html>")

    run(main())


def test_a_file_may_be_there_later_than_its_link() -> None:
    """For so long after success the bucket says 404, then the file is there."""

    async def main() -> None:
        slow = Script(models={"*": Behaviour(seconds=60, stored_after=45)})
        async with calling(Sandbox(slow, render=False)) as caller:
            accepted = (await caller.submit()).json
            await asyncio.sleep(61)
            url = (await caller.record(accepted["request_id"]))["outcome"]["video_url"]
            early = await caller.media(url)
            await asyncio.sleep(46)

            assert (early.status, b"NoSuchKey" in early.body) == (404, True)
            assert (await caller.media(url)).status == 200

    run(main())


@pytest.mark.parametrize(
    ("ends_as", "code"),
    [(None, "ExpiredToken"), (403, "AccessDenied"), (404, "NoSuchKey"), (410, "Gone")],
)
def test_a_link_may_end_and_be_had_afresh(ends_as: Any, code: str) -> None:
    """A signed link ends at its second; the record gives a fresh one at each look; unsigned is refused."""

    async def main() -> None:
        sealed = Script(models={"*": Behaviour(seconds=60, link_lasts=100, link_ends_as=ends_as)})
        async with calling(Sandbox(sealed, render=False)) as caller:
            accepted = (await caller.submit()).json
            await asyncio.sleep(61)
            outcome = (await caller.record(accepted["request_id"]))["outcome"]
            url = outcome["video_url"]
            good = await caller.media(url)
            await asyncio.sleep(101)
            ended = await caller.media(url)
            fresh = (await caller.record(accepted["request_id"]))["outcome"]["video_url"]

            assert (good.status, ended.status) == (200, ends_as or 400)
            assert f"<Code>{code}</Code>".encode() in ended.body
            assert (await caller.media(fresh)).status == 200
            assert (await caller.media(url.partition("?")[0])).status == 403
            assert (await caller.media(fresh.replace("Signature=", "Signature=0"))).status == 403
            assert (await caller.media(outcome["thumbnail_image_url"])).status == (ends_as or 400)

    run(main())


def test_a_late_file_is_late() -> None:
    """Other faults of the transport hold for the storage host as well."""

    async def main() -> None:
        async with of_one(Late(seconds=50)) as sandbox:
            url = sandbox.place("a.mp4", PICTURE)

            assert (await talk(url, get(url), until=49)).told == b""

    run(main())
