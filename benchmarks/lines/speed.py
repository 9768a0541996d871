"""Line 3: looks per second of a whole client in one process, ours and others', each at its best setting."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median
from typing import IO, Self

from attrs import define, field

from benchmarks.figures import Effort, Figure, Line, ratios, turns
from benchmarks.fresh import ROOT, MeasurementFailed
from benchmarks.peers import PeerMissing, peer
from benchmarks.server import serving

_AT_ONCE = (1, 8, 16, 64)
"""Looks at once that are tried; each client's best is what it is measured at."""
_PEERS = {
    "fal": ("fal-client",),
    "vendor": ("gmicloud", "requests", "pydantic", "pyjwt", "python-dotenv", "tqdm"),
    "genblaze": ("genblaze-gmicloud",),
}
"""Programs of `benchmarks.lookers`, with what each needs; gmicloud does not name what it needs itself."""


@define
class Looker:
    """A program that looks, in a process of its own, kept warm between the rounds."""

    name: str
    python: str
    url: str
    at_once: int = 1
    _process: "subprocess.Popen[str]" = field(init=False)

    def __enter__(self) -> Self:
        command = [self.python, "-m", f"benchmarks.lookers.{self.name}", self.url]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        _end(self._process.stdin).close()
        self._process.wait()
        for end in (self._process.stdout, self._process.stderr):
            _end(end).close()

    def look(self, looks: int, at_once: int) -> tuple[float, float]:
        """Looks per second, and per second of CPU; raises `MeasurementFailed`."""
        _end(self._process.stdin).write(f"{looks} {at_once}\n")
        _end(self._process.stdin).flush()
        line = _end(self._process.stdout).readline()
        if not line:
            raise MeasurementFailed(_end(self._process.stderr).read().strip()[-300:])
        told = json.loads(line)
        if "error" in told:
            raise MeasurementFailed(told["error"])
        return looks / told["seconds"], looks / told["cpu"]

    def settle(self, looks: int) -> None:
        """Finds how many at once it is quickest with, by the CPU: the clock is other programs' as well."""
        speeds: dict[int, float] = {}
        for at_once in _AT_ONCE:
            try:
                self.look(at_once * 10, at_once)  # connections are made
                speeds[at_once] = median(self.look(looks, at_once)[0] for _ in range(3))
            except MeasurementFailed:
                if self._process.poll() is not None:
                    raise
        self.at_once = max(speeds, key=speeds.__getitem__)


def _end(end: IO[str] | None) -> IO[str]:
    assert end is not None
    return end


def _measure(effort: Effort) -> Iterator[Figure]:
    looks, rounds = (640, 5) if effort == "quick" else (3200, 9)
    lookers: dict[str, Looker] = {}
    with serving() as url, ExitStack() as stack:
        pythons = {"ours": sys.executable}
        for name, packages in _PEERS.items():
            try:
                pythons[name] = str(peer(*packages).python)
            except PeerMissing as missing:
                yield _missing(packages[0], str(missing))
        for name, python in pythons.items():
            looker = stack.enter_context(Looker(name, python, url))
            try:
                looker.settle(looks // 4)
            except MeasurementFailed as failed:
                yield _missing(_PEERS[name][0] if name in _PEERS else "gmi_video", str(failed))
            else:
                lookers[name] = looker
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in lookers}
        for name in turns(tuple(lookers), rounds):
            found[name].append(lookers[name].look(looks, lookers[name].at_once))
    yield from _figures(found, {name: looker.at_once for name, looker in lookers.items()})


def _figures(found: dict[str, list[tuple[float, float]]], at_once: dict[str, int]) -> Iterator[Figure]:
    for name, samples in found.items():
        package = f"{_PEERS[name][0]} {peer(*_PEERS[name]).version}" if name in _PEERS else "gmi_video"
        yield Figure(
            what=f"looks per second, {package}",
            value=median(clock for clock, _ in samples),
            unit="/s",
            samples=tuple(clock for clock, _ in samples),
            note=f"{at_once[name]} at once; {median(cpu for _, cpu in samples):,.0f} per second of CPU",
        )
    others = {
        name: median(clock for clock, _ in samples) for name, samples in found.items() if name != "ours"
    }
    if "ours" not in found or not others:
        return
    best = max(others, key=others.__getitem__)
    for place, words in ((0, "looks per second"), (1, "looks per second of CPU")):
        gains = ratios([one[place] for one in found["ours"]], [one[place] for one in found[best]])
        yield Figure(
            what=words,
            against=_PEERS[best][0],
            value=median(gains),
            unit="×",
            target=10.0 if place == 0 else None,
            more_is_better=True,
            samples=gains,
            note=f"{min(gains):.1f} to {max(gains):.1f} in {len(gains)} rounds; the best of the others",
        )


def _missing(package: str, why: str) -> Figure:
    return Figure(what=f"looks per second, {package}", value=None, unit="/s", note=why)


LINE = Line(number=3, name="speed", what="looks per second against other clients", measure=_measure)
