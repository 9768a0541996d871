"""Downloads from the sandbox's bucket: cut, slow, endless, led away, late, or of another edition."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession

from gmi_video.sandbox import Behaviour, Sandbox, Script, Serving
from gmi_video.sandbox.answers import Answer
from gmi_video.sandbox.faults import (
    Drip,
    Endless,
    Fault,
    HangUp,
    Late,
    Redirect,
    Unmeasured,
    WrongLength,
)
from gmi_video.testing import run

from .buckets import PICTURE, get, links, of_one, put
from .caller import calling
from .wire import talk


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
