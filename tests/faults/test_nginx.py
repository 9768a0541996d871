"""nginx as the storage host, and cuts between it and us: other hands than ours on both."""

import asyncio
import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import traceback
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random

import pytest
from attrs import frozen
from cargo import large as sound
from films import large, still
from scene import left_in

from gmi_video import Media, Patience, Session, Settings, errors

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

FILM = large(3_000_000)
QUICK = Patience(attempts=3, first=0.01, longest=0.05)
SECRET = "the-signature"
DENIED = (
    "<?xml version='1.0' encoding='UTF-8'?><Error><Code>AccessDenied</Code><Message>No.</Message></Error>"
)
CONFIG = """
daemon off; worker_processes 1; pid {home}/pid; error_log {home}/error.log; {user}
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {home}/body; proxy_temp_path {home}/p; fastcgi_temp_path {home}/f;
  uwsgi_temp_path {home}/u; scgi_temp_path {home}/s; types {{ video/mp4 mp4; }}
  server {{
    listen 127.0.0.1:{port}; root {home}/files; client_max_body_size 8m; dav_methods PUT;
    location = /meta.mp4 {{ return 302 https://169.254.169.254/latest/meta-data; }}
    location = /short.mp4 {{ return 307 https://0x7f.1/film.mp4; }}
    location = /mapped.mp4 {{ return 308 https://[::ffff:10.0.0.1]/film.mp4; }}
    location = /file.mp4 {{ return 302 file:///etc/passwd; }}
    location = /denied.mp4 {{ default_type application/xml; return 403 "{denied}"; }}
    location = /success.mp4 {{ return 200 "{denied}"; }}
    location = /named.mp4 {{ alias {home}/files/film.mp4;
      add_header Content-Disposition 'attachment; filename="../../etc/x"'; }}
    location = /upload-url {{ default_type application/json;
      return 200 '{{"upload_url": "http://127.0.0.1:{port}/up.wav?X-Goog-Signature={secret}",
                   "public_url": "http://127.0.0.1:{port}/up.wav"}}'; }}
  }}
}}
"""


@frozen
class Nginx:
    """A server with a folder of files."""

    port: int
    files: Path

    def media(self, name: str, port: int | None = None) -> Media:
        """A file of it, behind a presigned link."""
        return Media(f"http://127.0.0.1:{port or self.port}/{name}?X-Goog-Signature={SECRET}")


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """One that is ready."""
    home = tmp_path_factory.mktemp("nginx")
    (home / "files").mkdir()
    (home / "files" / "film.mp4").write_bytes(FILM)
    (home / "files" / "picture.mp4").write_bytes(still("png"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    user = "user root;" if os.geteuid() == 0 else ""  # else its workers may not enter a folder of the tests
    told = CONFIG.format(home=home, port=port, user=user, denied=DENIED, secret=SECRET)
    (home / "conf").write_text(told)
    assert NGINX is not None
    with subprocess.Popen([NGINX, "-c", str(home / "conf"), "-e", str(home / "error.log")]) as process:
        while process.poll() is None:
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                break
        assert process.poll() is None, (home / "error.log").read_text()
        yield Nginx(port, home / "files")
        process.terminate()


def session(nginx: Nginx) -> Session:
    return Session(Settings(api_key="a-key", base_url=f"http://127.0.0.1:{nginx.port}", patience=QUICK))


def shown(error: BaseException) -> str:
    """All that can be printed of an error, with the locals of our own frames."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [str(frame.locals) for frame in told.stack if "/gmi_video/" in frame.filename]
    return " ".join([*frames, str(error), repr(error), repr(vars(error))])


@contextlib.asynccontextmanager
async def cutting(port: int, rng: Random) -> AsyncIterator[tuple[int, list[int]]]:
    """A relay that breaks each connection after some bytes of the answer; its port, and the bytes that it let through."""
    passed: list[int] = []

    async def through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inward, outward = await asyncio.open_connection("127.0.0.1", port)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            outward.write(head[:-2] + b"Connection: close\r\n\r\n")  # else nginx would hold the last one open
            left = rng.randrange(40_000, 600_000)
            while left and (piece := await inward.read(min(left, 65_536))):
                left -= len(piece)
                passed.append(len(piece))
                writer.write(piece)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            if rng.random() < 0.5:
                writer.transport.abort()
            for each in (writer, outward):
                each.close()
                with contextlib.suppress(ConnectionError):
                    await each.wait_closed()

    async with await asyncio.start_server(through, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], passed


@pytest.mark.parametrize("seed", range(3))
def test_a_film_comes_whole_through_every_cut(seed: int, nginx: Nginx, tmp_path: Path) -> None:
    """By its ETag and ranges no byte is paid for twice, but for what was under way at a cut."""

    async def main() -> tuple[str, int]:
        async with cutting(nginx.port, Random(seed)) as (port, passed), session(nginx) as ours:
            saved = await ours.download(nginx.media("film.mp4", port), to=tmp_path / "film.mp4")
        return saved.sha256, sum(passed)

    sha256, came = asyncio.run(main())
    assert sha256 == hashlib.sha256(FILM).hexdigest()
    assert (tmp_path / "film.mp4").read_bytes() == FILM
    assert came < 1.5 * len(FILM)


@pytest.mark.parametrize(
    ("name", "leaf"),
    [
        ("meta.mp4", errors.UnsafeURL),
        ("short.mp4", errors.UnsafeURL),
        ("mapped.mp4", errors.UnsafeURL),
        ("file.mp4", errors.UnsafeURL),
        ("denied.mp4", errors.LinkExpired),
        ("success.mp4", errors.IntegrityError),
        ("..%2f..%2fetc%2fx", errors.TransferError),
        ("../../etc/x", errors.TransferError),
    ],
)
def test_what_leads_astray_leaves_nothing(
    name: str, leaf: type[errors.TransferError], nginx: Nginx, tmp_path: Path
) -> None:
    """Private addresses behind a redirect, the storage's XML and odd paths: an error without the link's signature."""

    async def main() -> None:
        async with session(nginx) as ours:
            with pytest.raises(leaf) as caught:
                await ours.download(nginx.media(name), into=tmp_path)

            assert SECRET not in shown(caught.value)

    asyncio.run(main())
    assert left_in(tmp_path) == []


def test_names_are_ours_whatever_the_server_says(nginx: Nginx, tmp_path: Path) -> None:
    """A name in `Content-Disposition` leads nowhere, and a picture under a film's name is a picture."""

    async def main() -> list[str]:
        async with session(nginx) as ours:
            saved = [
                await ours.download(nginx.media(name), into=tmp_path) for name in ("named.mp4", "picture.mp4")
            ]
        return [each.path.suffix for each in saved]

    assert asyncio.run(main()) == [".mp4", ".png"]
    assert len(left_in(tmp_path)) == 2


def test_an_upload_lies_there_as_it_was(nginx: Nginx, tmp_path: Path) -> None:
    """A server that tells no checksum of what it keeps gets every byte, and one that refuses for size is heard."""
    body = sound(5_000_000)
    small, large = tmp_path / "a.wav", tmp_path / "b.wav"
    small.write_bytes(body)
    large.write_bytes(body * 2)

    async def main() -> str:
        async with session(nginx) as ours:
            with pytest.raises(errors.TransferError, match="413 the file is larger than the storage takes"):
                await ours.upload(large)
            return await ours.upload(small)

    assert asyncio.run(main()).endswith("/up.wav")
    assert (nginx.files / "up.wav").read_bytes() == body
