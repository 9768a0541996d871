"""Links and hosts with bad intent: where a download must not go, what it must not write, what it must not say."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from bytehost import Host
from films import large, sample
from peers import Answering, Peer, http, peer, saying
from scene import left_in
from test_links import HIDDEN
from test_secrets import texts

from gmi_video import Media, Patience, Session, Settings, errors
from gmi_video.testing import run

CANARY = "signature-canary-4"
FILM = large(300_000)


@asynccontextmanager
async def visiting(answering: Answering, *, keeps: bool = True) -> AsyncIterator[tuple[Peer, Session]]:
    """A session of a local service, and a host that its links lead to."""
    async with peer(answering, keeps=keeps) as it:
        settings = Settings(
            api_key="a-key", base_url=it.url, patience=Patience(attempts=2, first=1, jitter=0)
        )
        async with Session(settings) as session:
            yield it, session


async def refused(session: Session, url: str, folder: Path) -> list[errors.GmiVideoError]:
    """The errors of a download and of a stream of a link."""
    media = Media(f"{url}?X-Goog-Signature={CANARY}")
    raised = []
    for work in (session.download(media, into=folder), streamed(session, media)):
        try:
            await work
        except errors.GmiVideoError as error:
            raised.append(error)
    return raised


async def streamed(session: Session, media: Media) -> bytes:
    """All bytes of a link."""
    async with session.stream(media) as stream:
        return b"".join([piece async for piece in stream])


@pytest.mark.parametrize("host", [host for host in HIDDEN if "::1]" not in host])
def test_a_redirect_to_a_hidden_private_address_ends_there(host: str, tmp_path: Path) -> None:
    """A leads to B, B to where no storage is: the download ends before a name is asked, and leaves no file."""

    async def hops(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        place = f"https://{host}/latest/meta-data" if "/b.mp4" in head else "/b.mp4"
        writer.write(
            b"".join((b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: ", place.encode(), b"\r\n\r\n"))
        )

    async def main() -> None:
        async with visiting(hops) as (it, session):
            raised = await refused(session, f"{it.url}/a.mp4", tmp_path)

        assert [type(error) for error in raised] == [errors.UnsafeURL] * 2
        assert len(it.heads) == 4

    run(main())
    assert left_in(tmp_path) == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://storage.example/a.mp4",
        "http://storage.example/a.mp4",
        "https://user:word@storage.example/a.mp4",
        "https://storage.example:22/a.mp4",
        "https://storage.example/a\r\nHost: evil.example",
        "https://storage.example/" + "a" * 1_000_000,
        "https://stоrage.googleapis.com/a.mp4",
        "data:video/mp4;base64,AAAA",
        "../../etc/passwd",
    ],
)
def test_a_link_of_another_kind_is_refused_before_anything_is_sent(url: str, tmp_path: Path) -> None:
    """Schemes, credentials, ports, line breaks, length and foreign letters are looked at first."""

    async def main() -> None:
        async with visiting(saying(http(FILM))) as (it, session):
            raised = await refused(session, url, tmp_path)

        assert [type(error) for error in raised] == [errors.UnsafeURL] * 2
        assert it.connections == 0
        assert all(len(str(error)) < 500 for error in raised)

    run(main())
    assert left_in(tmp_path) == []


@pytest.mark.parametrize(
    "name", ["../../etc/x", "/etc/x", "..\\..\\x", "x.exe", "x\u202e4pm.exe", "a" * 5000, "CON", "x.mp4\0.sh"]
)
def test_the_host_has_no_say_in_the_name(name: str, tmp_path: Path) -> None:
    """Whatever a host calls its file, in its headers or in its path, the name is ours and lies in the folder."""
    told = f'attachment; filename="{name}"'.encode("utf-8", "replace").decode("latin-1").replace("\0", "")
    host = Host(FILM, headers={"Content-Disposition": told[:4000], "Content-Type": "video/mp4"})

    async def main() -> Path:
        async with visiting(host, keeps=False) as (it, session):
            saved = await session.download(
                Media(f"{it.url}/{name[:100].encode().hex()}/..%2f..%2fx"), into=tmp_path
            )
            return saved.path

    path = run(main())
    assert path.parent == tmp_path
    assert path.name.startswith("media-")
    assert path.suffix == ".mp4"
    assert left_in(tmp_path) == [path.name]


def test_a_flood_of_tiny_chunks_is_a_file(tmp_path: Path) -> None:
    """A body in chunks of one byte takes no more memory, and is the same file."""
    body = sample()
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks

    async def main() -> bytes:
        async with visiting(saying(answer)) as (it, session):
            return (await session.download(Media(f"{it.url}/a.mp4"), into=tmp_path)).path.read_bytes()

    assert run(main()) == body


def test_no_text_of_a_download_holds_the_links_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Errors with their frames, logs, the note beside a part: a presigned query is in none of them."""
    caplog.set_level(logging.DEBUG)
    cut = Host(FILM, cuts=iter([100_000] * 9))
    answers: dict[str, Any] = {
        "dead": saying(http(b"<Error>", "403 No")),
        "busy": saying(http(b"", "503 Busy")),
        "page": saying(http(b"<html>", "200 OK", "Content-Type: text/html")),
        "words": saying(http(f"<Error>{CANARY}</Error>".encode())),
        "away": saying(http(b"", "302 Away", f"Location: http://a.example/?X-Goog-Signature={CANARY}")),
        "hung": saying(b""),
        "cut": cut,
    }

    async def main() -> None:
        for name, answering in answers.items():
            folder = tmp_path / name
            async with visiting(answering, keeps=False) as (it, session):
                view: Session = session.using(patience=Patience(attempts=1))
                raised = await refused(view, f"{it.url}/{name}.mp4", folder)
            assert len(raised) == 2, name
            for error in raised:
                for text in texts(error):
                    assert CANARY not in text, name

    run(main(), debug=True)
    assert CANARY not in caplog.text
    notes = list(tmp_path.rglob(".*.json"))
    assert len(notes) == 1
    assert CANARY not in notes[0].read_text()
    assert json.loads(notes[0].read_text())["etag"]
