"""Line 10, its second half: an upload from disk, against the bare client's own and `curl`; wall time and memory.

Clients may use every core, as in its first half.
"""

import asyncio
import base64
import hashlib
import itertools
import os
import random
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import aiohttp

from benchmarks.figures import Effort, Figure, Line, ratios, turns
from benchmarks.fresh import fresh
from benchmarks.hashes import Hashes
from benchmarks.sink import taking
from gmi_video import Session, Settings

Samples = dict[str, list[float]]
_MIB = 1 << 20
_PIECE = 1 << 20
"""Bytes that the bare client reads at once: of 64 KiB, 256 KiB and 1 MiB the fastest here."""


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb", buffering=0) as file:
        while piece := file.read(_PIECE):
            yield piece


def _head(path: Path) -> dict[str, str]:
    return {"Content-Length": str(path.stat().st_size), "Content-Type": "audio/wav"}


async def _copied(client: aiohttp.ClientSession, url: str, path: Path) -> None:
    """What the plainest program does: a PUT of the file piece by piece; nothing is checked."""
    async with client.put(url, data=_chunks(path), headers=_head(path)) as response:
        assert response.status == 200


async def _checked(client: aiohttp.ClientSession, url: str, path: Path) -> None:
    """The same, with the one check that the storage allows: the MD5 of what was sent."""
    md5 = hashlib.md5(usedforsecurity=False)

    async def hashed() -> AsyncIterator[bytes]:
        async for piece in _chunks(path):
            md5.update(piece)
            yield piece

    async with client.put(url, data=hashed(), headers=_head(path)) as response:
        assert base64.b64encode(md5.digest()).decode() in response.headers["x-goog-hash"]


def _curled(url: str, path: Path) -> None:
    order = ["curl", "-s", "-o", os.devnull, "-T", str(path), "-H", "Expect:", url]
    subprocess.run(order, check=True, capture_output=True)


async def _measured(url: str, path: Path, rounds: int, *, curl: bool) -> Samples:
    settings = Settings(api_key="benchmark", base_url=url)
    async with Session(settings) as ours, aiohttp.ClientSession() as bare:
        loop = asyncio.get_running_loop()
        sides: dict[str, Callable[[], Awaitable[object]]] = {
            "ours": lambda: ours.upload(path),
            "bare": lambda: _copied(bare, url, path),
            "checked": lambda: _checked(bare, url, path),
        }
        if curl:
            sides["curl"] = lambda: loop.run_in_executor(None, _curled, url, path)
        samples: Samples = {name: [] for name in sides}
        for name in turns(tuple(sides), rounds + 1):
            begun = time.perf_counter()
            await sides[name]()
            samples[name].append(time.perf_counter() - begun)
        return {name: values[1:] for name, values in samples.items()}  # the first turn of each warms up


def samples_of(url: str, path: str, rounds: int, *, curl: bool) -> Samples:
    """Seconds of each side, round by round."""
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    return asyncio.run(_measured(url, Path(path), rounds, curl=curl))


async def _grown(url: str, small: Path, path: Path) -> float:
    async with Session(Settings(api_key="benchmark", base_url=url)) as session:
        await session.upload(small)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        await session.upload(path)
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def growth_of(url: str, small: str, path: str) -> float:
    """MiB by which the process grew over a large upload, a small one done before."""
    return asyncio.run(_grown(url, Path(small), Path(path)))


def _written(folder: Path, name: str, size: int) -> tuple[Path, str]:
    """A sound of so many bytes, all kinds of them, and what `x-goog-hash` tells of it."""
    block, path = random.Random(10).randbytes(_MIB), folder / name
    pieces = itertools.chain([b"RIFF\0\0\0\0WAVE" + block[12:]], itertools.repeat(block, size // _MIB - 1))
    hashes = Hashes()
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
            hashes.update(piece)
    return path, hashes.told()


def _checksum() -> str:
    """What our side holds the answer against."""
    fast = find_spec("crc32c") is not None
    return "ours takes CRC-32C" if fast else "ours takes MD5, for gmi_video[speed] is not installed"


def _measure(effort: Effort) -> Iterator[Figure]:
    size, rounds = (128 * _MIB, 2) if effort == "quick" else (1024 * _MIB, 5)
    curl = shutil.which("curl") is not None
    with tempfile.TemporaryDirectory() as made:
        path, hashes = _written(Path(made), "large.wav", size)
        small, _ = _written(Path(made), "small.wav", _MIB)
        with taking(hashes) as url:
            found: Samples = fresh(samples_of, url=url, path=str(path), rounds=rounds, curl=curl)
        with taking("") as url:
            grown: float = fresh(growth_of, url=url, small=str(small), path=str(path))
    sides = [("bare", "bare aiohttp chunked copy", 0.9), ("checked", "the same with its MD5", None)]
    for name, against, target in [*sides, *([("curl", "curl -T", None)] if curl else [])]:
        samples = ratios(found[name], found["ours"])
        yield Figure(
            what=f"speed of an upload of {size // _MIB} MiB",
            value=median(samples),
            unit="×",
            against=against,
            target=target,
            more_is_better=True,
            samples=samples,
            note=f"{_checksum()}; {size / _MIB / median(found['ours']):,.0f} against "
            f"{size / _MIB / median(found[name]):,.0f} MiB/s; {min(samples):.2f} to {max(samples):.2f}",
        )
    yield Figure(what=f"growth of memory over {size // _MIB} MiB", value=grown, unit="MiB", target=32)


LINE = Line(
    number=10, name="upload", what="upload of 1 GiB from disk: wall time and memory", measure=_measure
)
