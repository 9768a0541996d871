"""Killed at any moment: the file at its place is whole, and the next process goes on with what came."""

import asyncio
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from bytehost import Host
from films import large
from peers import Peer, peer
from scene import left_in

ROOT = Path(__file__).parents[2]
FILMS = {"one": large(3_000_000), "two": large(3_000_123)}


@contextmanager
def serving(*, cut: int | None = None) -> Iterator[str]:
    """Two films on a loop of their own, in a thread."""
    hosts = {name: Host(body, headers={"ETag": f'"{name}"'}) for name, body in FILMS.items()}
    stalls = cut is not None
    ready: queue.Queue[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = queue.Queue()

    async def answer(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        host = hosts[head.split()[1].rpartition("/")[2].removesuffix(".mp4")]
        if stalls and "range:" not in head.lower():
            host.cuts = iter([cut or 0])
            await host(it, writer, head)
            await asyncio.Event().wait()
        await host(it, writer, head)

    async def serve() -> None:
        async with peer(answer) as it:
            over = asyncio.Event()
            ready.put((it.url, asyncio.get_running_loop(), over))
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    url, loop, over = ready.get()
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()


@contextmanager
def victims() -> Iterator["subprocess.Popen[str]"]:
    """A process that forks a download for each line."""
    command = [sys.executable, str(ROOT / "tests" / "victim.py")]
    known = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=known
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def let_run(process: "subprocess.Popen[str]", url: str, target: Path, seconds: float | str) -> bool:
    """One download; whether it was killed, after so many seconds or at the "change", before its end."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{url} {target} {seconds}\n")
    process.stdin.flush()
    status = int(process.stdout.readline())
    assert status in {0, signal.SIGKILL}
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.soak)])
def test_killed_at_any_moment_no_file_is_torn(kills: int, tmp_path: Path) -> None:
    """At the final path lies one of the two films, whole, or nothing; the last one comes through."""
    rng, target = Random(kills), tmp_path / "film.mp4"
    wanted = set(FILMS.values())
    killed = torn = 0
    with serving() as url, victims() as process:
        whole = 0.05
        while let_run(process, f"{url}/one.mp4", target, whole):
            whole *= 1.5
        while killed < kills:
            if rng.random() < 0.3:
                target.unlink(missing_ok=True)
            name = rng.choice(("one", "two"))
            moment = "change" if rng.random() < 0.25 else rng.uniform(0.1, 1.1) * whole
            killed += let_run(process, f"{url}/{name}.mp4", target, moment)
            torn += target.exists() and target.read_bytes() not in wanted
        while let_run(process, f"{url}/two.mp4", target, whole):
            whole *= 2

    assert torn == 0
    assert target.read_bytes() == FILMS["two"]
    assert left_in(tmp_path) == ["film.mp4"]


def test_what_a_killed_process_left_is_completed(tmp_path: Path) -> None:
    """The host gives the beginning to whoever wants all, and the rest to whoever has it: the second process has."""
    target, seconds = tmp_path / "film.mp4", 0.5
    with serving(cut=2_500_000) as url, victims() as process:
        while not any(path.stat().st_size for path in tmp_path.glob(".*.part")):
            assert let_run(process, f"{url}/one.mp4", target, seconds)
            seconds *= 2
        while let_run(process, f"{url}/one.mp4", target, seconds):
            seconds *= 2

    assert target.read_bytes() == FILMS["one"]
    assert left_in(tmp_path) == ["film.mp4"]
