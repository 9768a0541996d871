"""A peer against the service: its own interpreter, its own defaults, threads where it waits."""

import asyncio
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.charges.dialects import DIALECTS, Dialect
from benchmarks.charges.service import Fault, Service
from benchmarks.charges.tally import Tally, tally
from benchmarks.fresh import MeasurementFailed
from benchmarks.peers import Peer

THREADS = 16
_DRIVER = Path(__file__).with_name("drive.py")


class Spoken(Service):
    """The service in a peer's dialect."""

    def __init__(self, dialect: Dialect, fault: Fault | None, seed: int) -> None:
        super().__init__(fault, seed)
        self._dialect = dialect
        self.page += dialect.gateway.encode()

    def is_submission(self, method: str, path: str) -> bool:
        """By the dialect's one path."""
        return method == "POST" and path == self._dialect.submits

    def accepted(self, name: str, body: bytes) -> Mapping[str, Any]:  # noqa: ARG002  # none of them echoes
        """In the peer's shape."""
        return self._dialect.accepted(name, self.url)

    def other(self, method: str, target: str) -> Mapping[str, Any]:  # noqa: ARG002  # the path says enough
        """Logins, and looks at a job that is done at once."""
        return self._dialect.other(target)


async def _driven(
    package: str, python: Path, fault: Fault | None, submits: int
) -> tuple[Tally, dict[str, int]]:
    service = Spoken(DIALECTS[package], fault, seed=11)
    with tempfile.TemporaryDirectory() as home:  # one of them writes its tokens there
        # `-I` would leave out nothing that a peer needs, and keeps this project's packages away from it
        async with service.serving() as url:
            process = await asyncio.create_subprocess_exec(
                *(python, "-I", _DRIVER, package, url, str(submits), str(THREADS)),
                env={"HOME": home, "PATH": os.environ["PATH"], "NO_PROXY": "*"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            said, complained = await process.communicate()
    if process.returncode:
        words = complained.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise MeasurementFailed(f"it could not be driven: {words[-1][:200]}")
    result = json.loads(said)
    return tally(range(submits), service.jobs, result["told"]), result["errors"]


def driven(package: str, found: Peer, fault: Fault | None, submits: int) -> tuple[Tally, dict[str, int]]:
    """What a peer was charged and told, and what it raised by class; raises `MeasurementFailed`."""
    return asyncio.run(_driven(package, found.python, fault, submits))
