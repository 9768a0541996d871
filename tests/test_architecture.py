"""The law of the house: imports point down, pure rooms decide without clock, chance, network or disk."""

from pathlib import Path

import pytest
from law import HOUSE, OUTER, ROOMS, breaches, side_doors

LONGEST = 300
CORE = sorted(path.stem for path in HOUSE.glob("*.py") if path.stem not in OUTER)
OUTSIDE = sorted(
    path for path in HOUSE.rglob("*.py") if path.relative_to(HOUSE).parts[0].removesuffix(".py") in OUTER
)
FILES = sorted(HOUSE.rglob("*.py"))


def _shown(path: object) -> str:
    return path.relative_to(HOUSE).as_posix() if isinstance(path, Path) else str(path)


@pytest.mark.parametrize("room", CORE)
def test_every_room_is_in_the_table(room: str) -> None:
    """A room that nobody placed fails here until it has its line."""
    assert room in ROOMS, (
        f"gmi_video/{room}.py is in no table: add one line for it to ROOMS in tests/test_architecture.py, with a "
        f"level above every room that it imports, and DRIVER unless it is pure"
    )


def test_every_folder_is_known() -> None:
    """A package inside the house is an outer room of the list, or fails."""
    folders = {
        path.parent.relative_to(HOUSE).parts[0] for path in HOUSE.rglob("*.py") if path.parent != HOUSE
    }

    assert folders <= OUTER, (
        f"{folders - OUTER} is in no list: the core has no folders, outer rooms stand in OUTER"
    )


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_the_table_names_no_room_that_is_gone(room: str) -> None:
    """Each line of the table is a file."""
    assert (HOUSE / f"{room}.py").is_file()


@pytest.mark.parametrize("room", [room for room in CORE if room in ROOMS])
def test_a_room_keeps_the_law(room: str) -> None:
    """A room of the core imports downwards only, and asks nobody where it is pure."""
    assert breaches(room, (HOUSE / f"{room}.py").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", OUTSIDE, ids=_shown)
def test_outer_rooms_come_in_by_the_front_door(path: Path) -> None:
    """Outer rooms import `gmi_video` and its public files, nothing with an underscore."""
    assert side_doors(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", FILES, ids=_shown)
def test_a_file_fits_in_the_head(path: Path) -> None:
    """No file of the package is longer than 300 lines."""
    lines = len(path.read_text(encoding="utf-8").splitlines())

    assert lines <= LONGEST, f"{_shown(path)} has {lines} lines: split it by what changes together"


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("wire", "import asyncio"),
        ("wire", "import os.path"),
        ("wire", "from time import monotonic"),
        ("wire", "import logging"),
        ("wire", "import random"),
        ("wire", "from random import choice"),
        ("wire", "from urllib.request import urlopen"),
        ("wire", "import aiohttp"),
        ("wire", "def f():\n    import socket"),
        ("wire", "from random import Random\nrng = Random(1)"),
        ("wire", "from datetime import datetime\nx = datetime.now()"),
        ("wire", "x = open('a')"),
        ("wire", "from gmi_video import session"),
        ("wire", "from gmi_video.session import Session"),
        ("wire", "from gmi_video import Session"),
        ("wire", "def f():\n    from gmi_video import _poller"),
        ("wire", "import_module('gmi_video._transport')"),
        ("wire", "from gmi_video.sandbox import Sandbox"),
        ("wire", "from . import session"),
        ("wire", "from .session import Session"),
        ("wire", "from gmi_video.nowhere import x"),
        ("wire", "from gmi_video import _nowhere"),
        ("errors", "from gmi_video.events import Event"),
        ("catalog", "from gmi_video.errors import GmiVideoError"),
        ("records", "from gmi_video import _convert"),
        ("records", "import os\nx = os.environ"),
        ("_poller", "import cattrs"),
        ("_poller", "import aiohttp"),
        ("_refusal", "from gmi_video.wire import Reply"),
    ],
)
def test_the_law_sees_a_breach(room: str, source: str) -> None:
    """Each way to break the law is found, deferred and named imports included."""
    assert breaches(room, source)


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("wire", "from gmi_video.records import Media"),
        ("wire", "from gmi_video import errors"),
        ("errors", "from gmi_video.records import Model"),
        ("wire", "from random import Random\ndef f(rng: Random) -> float:\n    return rng.random()"),
        ("records", "def f():\n    from gmi_video import _convert"),
        ("records", "import os\nclass A(os.PathLike): ..."),
        ("_poller", "import asyncio, anyio, time"),
        ("_transport", "import aiohttp"),
        ("_convert", "import cattrs"),
        ("__init__", "from gmi_video.session import Session"),
    ],
)
def test_the_law_allows_what_is_right(room: str, source: str) -> None:
    """Imports that point down, and types held for their sake, are no breach."""
    assert breaches(room, source) == []


@pytest.mark.parametrize(
    "source",
    [
        "from gmi_video import _convert",
        "from gmi_video._convert import decode",
        "import gmi_video._poller",
        "def f():\n    from gmi_video import _schema",
        "import_module('gmi_video._transport')",
    ],
)
def test_the_law_sees_a_side_door(source: str) -> None:
    """Whatever way an outer room takes to an underscored room, it is found."""
    assert side_doors(source)


def test_the_front_door_is_open() -> None:
    """Public files, the version, and a room's own machinery are nobody's side door."""
    allowed = "from gmi_video import Session, __version__\nfrom gmi_video.wire import Call\nimport gmi_video.testing._loop"

    assert side_doors(allowed) == []
