"""Where and with what a figure was measured."""

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from attrs import frozen

import gmi_video

_PACKAGES = ("aiohttp", "anyio", "attrs", "cattrs", "orjson", "multidict", "yarl")


def _processor() -> str:
    """The processor's name; the platform's word where the system does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def versions(packages: Iterable[str] = _PACKAGES) -> dict[str, str]:
    """The installed versions; what is not installed is left out."""
    found = {"python": platform.python_version(), "gmi_video": gmi_video.__version__}
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def load() -> float:
    """How many processes wanted to run in the last minute: figures above the number of cores are suspect."""
    return round(os.getloadavg()[0], 2)


@frozen(kw_only=True)
class Machine:
    """The machine of one run."""

    system: str
    processor: str
    cores: int
    date: str
    versions: dict[str, str]

    @classmethod
    def here(cls) -> "Machine":
        """This machine, now."""
        return cls(
            system=platform.platform(),
            processor=_processor(),
            cores=os.cpu_count() or 1,
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            versions=versions(),
        )
