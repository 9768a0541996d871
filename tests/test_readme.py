"""The README is a program: each of its blocks runs, and its commands are those that are checked."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import frozen
from programs import blocks, run_block
from served import serving

README = Path(__file__).parents[1] / "README.md"
BLOCKS = blocks(README)
COMMANDS = (
    "    python3 -m venv --upgrade-deps .venv && .venv/bin/pip install -qe '.[cli,sandbox]' && .venv/bin/gmi-video demo",
    "    python3 -m venv --upgrade-deps .venv && .venv/bin/pip install -qe '.[cli,sandbox]' --group test && .venv/bin/pytest -q",
)


def block(word: str) -> str:
    """The one block that holds a word."""
    (found,) = [str(text) for text in BLOCKS if word in text]
    return found


def test_both_commands_stand_in_the_readme_word_for_word() -> None:
    """What the README tells people to type is what is checked before a change lands."""
    lines = README.read_text().splitlines()

    assert [line for line in lines if line.lstrip().startswith("python3 -m venv")] == list(COMMANDS)


def test_every_block_is_run_by_one_of_these_tests() -> None:
    """A block that nobody runs would be a promise that nobody holds."""
    assert len(BLOCKS) == 4
    assert len({block(word) for word in ("session.generate(eagle", "row-1", "FastAPI", "Sandbox")}) == 4


@frozen
class Run:
    """What a program of the README printed, where it ran, and what it was charged for."""

    said: str
    folder: Path
    charged: tuple[str, ...]
    calls: int

    @property
    def films(self) -> dict[str, int]:
        """The files that it left, by the stem of their names, with their sizes."""
        return {path.stem: path.stat().st_size for path in self.folder.glob("videos/*.mp4")}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """The programs of the README, run side by side: they mostly wait."""

    def ran(word: str, folder: Path) -> tuple[str, Run]:
        with serving() as sandbox:
            said = run_block(block(word), folder, sandbox)
            charged = tuple(charge.request_id for charge in sandbox.charges)
            return word, Run(said, folder, charged, sandbox.count_calls())

    words = ("session.generate(eagle", "row-1", "Sandbox")
    folders = [tmp_path_factory.mktemp("program") for _ in words]  # here: it is not made for threads
    with ThreadPoolExecutor() as pool:
        return dict(pool.map(ran, words, folders))


def test_one_video(programs: dict[str, Run]) -> None:
    """The first program makes one file for one charge, and finds it again from the id."""
    it = programs["session.generate(eagle"]
    (request_id,) = it.charged

    assert list(it.films) == [request_id]
    assert it.films[request_id] > 1000
    assert it.said.count(f"videos/{request_id}.mp4") == 2


def test_many_requests_through_one_iterator(programs: dict[str, Run]) -> None:
    """The second program saves a file for each of its rows."""
    it = programs["row-1"]

    assert set(it.films) == set(it.charged)
    assert sorted(line.split()[0] for line in it.said.splitlines()) == ["row-1", "row-2", "row-3"]


def test_the_web_application(monkeypatch: pytest.MonkeyPatch) -> None:
    """The third program answers 202 with an id, and streams its events to the end."""
    scope: dict[str, Any] = {"__name__": "application"}

    async def visit(app: Any) -> tuple[int, list[str]]:
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://app") as client,
        ):
            accepted = await client.post("/videos", params={"prompt": "a river"})
            events = await client.get(f"/videos/{accepted.json()['request_id']}/events", timeout=30)
            return accepted.status_code, re.findall(r"^event: (\w+)$", events.text, re.MULTILINE)

    with serving() as sandbox:
        monkeypatch.setenv("GMI_API_KEY", sandbox.api_key)
        monkeypatch.setenv("GMI_BASE_URL", sandbox.url)
        exec(compile(block("FastAPI"), "README.md", "exec"), scope)
        status, events = asyncio.run(visit(scope["app"]))
        charges = len(sandbox.charges)

    assert (status, charges) == (202, 1)
    assert events[0] == "Progressed"
    assert events[-1] == "Succeeded"


def test_the_program_for_your_tests(programs: dict[str, Run]) -> None:
    """The last program runs as it stands, with a cloud of its own."""
    it = programs["Sandbox"]

    assert (it.said, it.calls) == ("", 0)
