"""What one process began and another ends: with nothing but the id, or with nothing left at all."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from peers import Peer, peer
from scene import left_in
from served import serving

import gmi_video
from gmi_video import Session, Settings
from gmi_video.sandbox import Behaviour, Script

SOURCE = str(Path(gmi_video.__file__).parents[1])


HEARING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""What a shell runs in the background ignores Ctrl-C, and so would its children."""


def child(program: str, url: str, folder: Path) -> "subprocess.Popen[str]":
    """A process that runs a program with a sandbox as its GMI Cloud."""
    environ = {**os.environ, "GMI_API_KEY": "sandbox-key", "GMI_BASE_URL": url, "PYTHONPATH": SOURCE}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", HEARING + program],
        env=environ,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


SUBMIT_AND_HANG = """
import asyncio
from gmi_video import Session, VideoRequest

async def main():
    async with Session() as session:
        await session.generate(
            VideoRequest("Veo3", {"prompt": "a river"}), into="videos",
            on_event=lambda event: print(event.request_id, flush=True),
        )

asyncio.run(main())
"""


def test_a_program_killed_after_its_submission_is_finished_by_another(tmp_path: Path) -> None:
    """Killed while it waits, a program leaves an id; `resume` in another process makes the file at no cost."""
    with serving(Script(models={"*": Behaviour(seconds=100, queued=10)}), speed=50) as sandbox:
        killed = child(SUBMIT_AND_HANG, sandbox.url, tmp_path)
        assert killed.stdout is not None
        request_id = killed.stdout.readline().strip()
        killed.send_signal(signal.SIGKILL)
        killed.communicate(timeout=20)

        async def finish() -> Path | None:
            async with Session(Settings(api_key="sandbox-key", base_url=sandbox.url)) as session:
                return (await session.resume(request_id, into=tmp_path / "videos")).path

        path = asyncio.run(finish())
        charges = [charge.request_id for charge in sandbox.charges]

    assert charges == [request_id]
    assert path == tmp_path / "videos" / f"{request_id}.mp4"
    assert left_in(tmp_path) == [f"{request_id}.mp4"]


DOWNLOAD = """
import asyncio, os
from gmi_video import Media, Session

async def main():
    async with Session() as session:
        await session.download(Media(os.environ["GMI_BASE_URL"] + "/film.mp4"), to="film.mp4")

asyncio.run(main())
"""


def sizes_in(folder: Path) -> list[int]:
    """How much there is in the files of a folder that are not empty."""
    return [path.stat().st_size for path in folder.iterdir() if path.stat().st_size]


@asynccontextmanager
async def half_a_film() -> AsyncIterator[tuple[Peer, asyncio.Event]]:
    """A peer that sends three megabytes of a film and then waits; the event says that they were taken."""
    taken = asyncio.Event()

    async def half(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + bytes(3_000_000))
        await writer.drain()
        taken.set()
        await asyncio.Event().wait()

    async with peer(half) as it:
        yield it, taken


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_program_killed_in_the_middle_of_a_download_leaves_no_half_file(
    how: signal.Signals, tmp_path: Path
) -> None:
    """At the final path there is a whole file or none; Ctrl-C leaves nothing beside it either."""

    async def main() -> None:
        async with half_a_film() as (it, taken):
            process = child(DOWNLOAD, it.url, tmp_path)
            await taken.wait()
            deadline = time.monotonic() + 20
            while not sizes_in(tmp_path):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.01)
            process.send_signal(how)
            _, said = await asyncio.to_thread(process.communicate, timeout=20)

            assert process.returncode != 0
            assert "ResourceWarning" not in said

    asyncio.run(main())
    assert "film.mp4" not in left_in(tmp_path)
    if how is signal.SIGINT:
        assert left_in(tmp_path) == []


def test_two_processes_that_resume_one_request_both_get_its_file(tmp_path: Path) -> None:
    """Whoever comes second finds the file of the first, whole."""
    program = """
import asyncio, sys
from gmi_video import Session

async def main():
    async with Session() as session:
        video = await session.resume(sys.stdin.readline().strip(), into=".")
        print(video.files[0].sha256)

asyncio.run(main())
""".replace("sys.stdin.readline().strip()", "open('id').read()")
    with serving(Script(models={"*": Behaviour(seconds=50, queued=10)}), speed=50) as sandbox:

        async def begin() -> str:
            async with Session(Settings(api_key="sandbox-key", base_url=sandbox.url)) as session:
                return (await session.submit(gmi_video.VideoRequest("Veo3", {"prompt": "x"}))).request_id

        request_id = asyncio.run(begin())
        (tmp_path / "id").write_text(request_id)
        children = [child(program, sandbox.url, tmp_path) for _ in range(2)]
        said = [process.communicate(timeout=30) for process in children]

    assert [process.returncode for process in children] == [0, 0], said
    assert len({output for output, _ in said}) == 1
    assert left_in(tmp_path) == [f"{request_id}.mp4", "id"]
