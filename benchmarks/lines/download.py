"""Line 10: a gibibyte to disk, against the bare loop and curl: speed, memory, and what ten cuts cost.

The files go to a file system in memory where there is one: what is measured are clients, and not a disk. Ours is
synced, renamed, hashed and held against the storage's checksum; theirs is written. Clients may use every core.
"""

import asyncio
import hashlib
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import aiohttp

from benchmarks.figures import Effort, Figure, Line, turns
from benchmarks.fresh import fresh
from benchmarks.storage import pieces, storing
from gmi_video import Media, Session, Settings

_MEMORY = Path("/dev/shm")
_CHUNK = 1 << 16
_MIB = 1 << 20
_CUTS = 10

Samples = dict[str, list[float]]
Fetch = Callable[[str, Path], Awaitable[object]]


def _home() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None)


async def _bare(url: str, target: Path) -> None:
    """What the documentation of aiohttp shows for a large file."""
    async with aiohttp.ClientSession() as client, client.get(url) as response:
        with target.open("wb") as file:
            async for chunk in response.content.iter_chunked(_CHUNK):
                file.write(chunk)


async def _curl(url: str, target: Path) -> None:
    process = await asyncio.create_subprocess_exec("curl", "-sSf", "-o", target, url)
    if await process.wait():
        message = f"curl ended with code {process.returncode}"
        raise RuntimeError(message)


async def _in_turn(url: str, rounds: int) -> Samples:
    async with Session(Settings(api_key="benchmark", base_url=url)) as session:
        sides: dict[str, Fetch] = {
            "ours": lambda link, target: session.download(Media(link), to=target),
            "bare aiohttp": _bare,
        }
        if shutil.which("curl"):
            sides["curl"] = _curl
        samples: Samples = {name: [] for name in sides}
        with _home() as folder:
            target = Path(folder) / "file"
            for number, name in enumerate(turns(tuple(sides), rounds + 1)):
                begun = time.perf_counter()
                await sides[name](url, target)
                if number >= len(sides):  # the first round is for warmth
                    samples[name].append(time.perf_counter() - begun)
                target.unlink()
    return samples


def seconds(url: str, rounds: int) -> Samples:
    """Seconds per download of each side, round by round."""
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    return asyncio.run(_in_turn(url, rounds))


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def growth(url: str, size: int) -> float:
    """MiB by which memory grew at its peak over a download, from after a small one on."""

    async def main() -> float:
        async with Session(Settings(api_key="benchmark", base_url=url)) as session:
            with _home() as folder:
                await session.download(Media(f"{url}/{8 * _MIB}"), into=folder)
                before = _resident()
                await session.download(Media(f"{url}/{size}"), into=folder)
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before) / _MIB

    return asyncio.run(main())


def cut(url: str, size: int) -> tuple[float, str]:
    """Bytes that the host sent for one that arrived, over ten cuts; and the digest of what arrived."""

    async def main() -> tuple[float, str]:
        async with (
            Session(Settings(api_key="benchmark", base_url=url)) as session,
            aiohttp.ClientSession() as client,
        ):
            with _home() as folder:
                media = Media(f"{url}/{size}/cut/{size // (_CUTS + 1) + 1}")
                saved = await session.download(media, into=folder)
            async with client.get(f"{url}/sent") as response:
                return int(await response.read()) / size, saved.sha256

    return asyncio.run(main())


def _checksum() -> str:
    """What our side holds the file against, beside the SHA-256 that it tells."""
    fast = find_spec("crc32c") is not None
    return "ours checks CRC-32C" if fast else "ours checks MD5, for gmi_video[speed] is not installed"


def _speed(found: Samples, against: str) -> Figure:
    if against not in found:
        return Figure(
            what="download, speed", value=None, unit="×", against=against, note="it is not installed"
        )
    samples = tuple(other / ours for ours, other in zip(found["ours"], found[against], strict=True))
    spread = f"{min(samples):.2f} to {max(samples):.2f} in {len(samples)} rounds"
    return Figure(
        what="download, speed",
        value=median(samples),
        unit="×",
        against=against,
        target=0.9 if against == "bare aiohttp" else None,
        more_is_better=True,
        samples=samples,
        note=f"{_checksum()}; {median(found['ours']):.2f} s against {median(found[against]):.2f} s; {spread}",
    )


def _measure(effort: Effort) -> Iterator[Figure]:
    size, rounds = (64 * _MIB, 2) if effort == "quick" else (1024 * _MIB, 5)
    with storing() as url:
        found: Samples = fresh(seconds, url=f"{url}/{size}", rounds=rounds)
        for against in ("bare aiohttp", "curl"):
            yield _speed(found, against)
        grew = tuple(fresh(growth, url=url, size=size) for _ in range(rounds))
        yield Figure(
            what="download, growth of memory", value=max(grew), unit="MiB", target=32.0, samples=grew
        )
    with storing() as url:  # whose count of bytes begins anew
        sent, sha256 = fresh(cut, url=url, size=size)
    sha = hashlib.sha256()
    for piece in pieces(size):
        sha.update(piece)
    same = "equal" if sha.hexdigest() == sha256 else "DIFFERENT"
    note = f"SHA-256 {same}"
    yield Figure(
        what=f"bytes sent for a download cut {_CUTS} times", value=sent, unit="×", target=1.05, note=note
    )


LINE = Line(
    number=10, name="download", what="download of 1 GiB to disk: wall time, memory, cuts", measure=_measure
)
