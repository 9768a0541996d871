"""What `import gmi_video` gives, and what it costs."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import gmi_video


def python(program: str) -> str:
    """What a program prints in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_all_is_sorted_and_each_name_is_there() -> None:
    """`__all__` is what there is: each name loads, and `dir` shows it."""
    assert gmi_video.__all__ == sorted(set(gmi_video.__all__))
    assert all(getattr(gmi_video, name) is not None for name in gmi_video.__all__)
    assert set(gmi_video.__all__) <= set(dir(gmi_video))


def test_each_public_noun_of_the_public_rooms_is_at_the_root() -> None:
    """Records, settings, events and notices are found at the root under their own names."""
    import gmi_video.events  # noqa: PLC0415  # after the lazy names were tried
    import gmi_video.notices  # noqa: PLC0415  # as above

    for room in (gmi_video.events, gmi_video.notices):
        own = {
            name for name, value in vars(room).items() if getattr(value, "__module__", None) == room.__name__
        }
        assert own <= set(gmi_video.__all__), room


def test_a_star_import_brings_all_of_it() -> None:
    """`from gmi_video import *` works with lazy names."""
    found = python("from gmi_video import *; print(Session.__name__, errors.GmiVideoError is GmiVideoError)")

    assert found == "Session True"


def test_importing_costs_next_to_nothing() -> None:
    """Neither the HTTP client, nor the converter, nor the structure of drivers is loaded by the import itself."""
    heavy = "{'aiohttp', 'cattrs', 'anyio', 'attrs', 'attr', 'asyncio', 'ssl', 'sqlite3', 'orjson'}"
    found = python(f"import sys, gmi_video; print(sorted({heavy} & set(sys.modules)))")

    assert found == "[]"


def test_naming_what_is_wanted_does_not_load_the_http_client() -> None:
    """A program may name requests, settings and a session without paying for aiohttp."""
    found = python(
        "import sys; from gmi_video import Session, Settings, VideoRequest; print('aiohttp' in sys.modules)"
    )

    assert found == "False"


OPENING = """
import asyncio, sys, threading
from gmi_video import Session, Settings

async def main():
    found = set()
    here = threading.get_ident()
    on = [True]
    def heard(event, arguments):
        if on[0] and event == "import" and threading.get_ident() == here:
            found.add(arguments[0].partition(".")[0])
    sys.addaudithook(heard)
    async with Session(Settings(api_key="a-key-for-tests", base_url="http://127.0.0.1:9/api")) as session:
        async with session.watch(["r"], keep_open=True):
            await asyncio.sleep(0)
    on[0] = False
    print(sorted(found & {"aiohttp", "anyio", "ssl", "yarl", "multidict"}))

asyncio.run(main())
"""


def test_opening_a_session_loads_nothing_on_the_loop() -> None:
    """The HTTP client and what it stands on are loaded in a thread: a web application goes on answering meanwhile."""
    assert python(OPENING) == "[]"


def test_what_is_not_there_is_an_attribute_error() -> None:
    """A misspelt name fails as in any module."""
    with pytest.raises(AttributeError, match="'gmi_video' has no attribute 'Sesion'"):
        _ = gmi_video.Sesion


def test_the_version_is_that_of_the_metadata() -> None:
    """One version, in two places, equal."""
    metadata = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text())

    assert gmi_video.__version__ == metadata["project"]["version"]
