"""Line 9: what an import costs above a bare interpreter, and how long entering a `Session` stalls the loop."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.figures import Effort, Figure, Line, turns
from benchmarks.fresh import ROOT, fresh
from benchmarks.peers import PeerMissing, peer
from benchmarks.server import serving
from benchmarks.ticker import TICK, Ticker
from gmi_video import Session, Settings

_IDLE = 0.3
_PEERS = {
    "fal-client": "import fal_client",
    "replicate": "import replicate",
    "runwayml": "import runwayml",
    "openai": "import openai",
}


def _seconds(python: Path, program: str) -> float:
    begun = time.perf_counter()
    subprocess.run([python, "-c", program], cwd=ROOT, check=True, stdin=subprocess.DEVNULL)
    return time.perf_counter() - begun


def _above_bare(python: Path, program: str, rounds: int) -> tuple[float, ...]:
    """Milliseconds that a program takes above an empty one, both in fresh processes, in turn."""
    samples: dict[str, list[float]] = {"pass": [], program: []}
    _seconds(python, program)  # writes the byte code
    for name in turns(tuple(samples), rounds):
        samples[name].append(_seconds(python, name) * 1e3)
    return tuple(mine - bare for mine, bare in zip(samples[program], samples["pass"], strict=True))


def _import(
    what: str, python: Path, program: str, rounds: int, *, target: float | None = None, note: str = ""
) -> Figure:
    samples = _above_bare(python, program, rounds)
    return Figure(
        what=what,
        against="bare interpreter",
        value=median(samples),
        unit="ms",
        target=target,
        samples=samples,
        note=f"{note}{min(samples):.1f} to {max(samples):.1f} ms in {rounds} rounds",
    )


def _peer_import(package: str, program: str, rounds: int) -> Figure:
    what = f"{program} (peer)"
    try:
        found = peer(package)
    except PeerMissing as missing:
        return Figure(what=what, value=None, unit="ms", against="bare interpreter", note=str(missing))
    return _import(what, found.python, program, rounds, note=f"{package} {found.version}; ")


async def _longest(url: str, what: str) -> tuple[float, float]:
    """Seconds of the longest stall, and of the whole; `idle` waits as long as entering takes on a machine at rest."""
    async with asyncio.timeout(60):
        await asyncio.sleep(20 * TICK)
        ticker, begun = Ticker(), time.perf_counter()
        if what == "idle":
            await asyncio.sleep(_IDLE)
            return ticker.stop(), time.perf_counter() - begun
        async with Session(Settings(api_key="benchmark", base_url=url)) as session:
            if what == "look":
                await session.snapshot("5f0c3a52-6d1b-4b67-9e0a-0d9f7c2b8a11")
            await asyncio.sleep(2 * TICK)
            return ticker.stop(), time.perf_counter() - begun


def stall(url: str, what: str) -> list[float]:
    """Milliseconds that the loop of a cold process stood still at worst, and that the whole took."""
    assert "aiohttp" not in sys.modules
    return [seconds * 1e3 for seconds in asyncio.run(_longest(url, what))]


_WHATS = {
    "idle": "longest stall of an idle loop, no session (control)",
    "enter": "longest stall of the loop, entering a Session",
    "look": "longest stall of the loop, entering a Session and its first look",
}


def _stalls(url: str, rounds: int) -> Iterator[Figure]:
    """The three in turn, each in a cold process: what the machine itself makes late stands beside what we do."""
    found: dict[str, list[list[float]]] = {what: [] for what in _WHATS}
    for what in turns(tuple(_WHATS), rounds):
        found[what].append(fresh(stall, url=url, what=what))
    for what, words in _WHATS.items():
        samples = tuple(worst for worst, _ in found[what])
        whole = median(took for _, took in found[what])
        yield Figure(
            what=words,
            value=median(samples),
            unit="ms",
            target=20.0 if what == "enter" else None,
            samples=samples,
            note=f"{min(samples):.1f} to {max(samples):.1f} ms in {rounds} cold processes; the whole took {whole:.0f} ms",
        )


def _measure(effort: Effort) -> Iterator[Figure]:
    rounds = 7 if effort == "quick" else 15
    here = Path(sys.executable)
    yield _import("import gmi_video", here, "import gmi_video", rounds, target=10.0)
    yield _import("from gmi_video import Session", here, "from gmi_video import Session", rounds)
    for package, program in _PEERS.items():
        yield _peer_import(package, program, rounds)
    with serving() as url:
        yield from _stalls(url, rounds)


LINE = Line(
    number=9, name="start", what="import above a bare interpreter; stall on entering", measure=_measure
)
