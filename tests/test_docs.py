"""The pages for people without an event loop, and for those who come from the vendor's SDK: their programs run."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from attrs import frozen
from programs import blocks, run_block
from served import serving

import gmi_video
from gmi_video import sync
from gmi_video.catalog import Model, Parameter

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {name: blocks(DOCS / name) for name in ("from-gmicloud.md", "sync.md")}
WAN = "Wan-AI_Wan2.1-T2V-14B"


@frozen
class Run:
    """What a program printed, the files it left, and the requests it was charged for."""

    said: str
    films: frozenset[str]
    charged: tuple[str, ...]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], Run]:
    """Every program of the pages, run side by side: they mostly wait."""
    base = tmp_path_factory.mktemp("programs")  # the factory is not made for several threads at once

    def ran(name: str, number: int) -> Run:
        folder = base / f"{Path(name).stem}-{number}"
        folder.mkdir()
        with serving() as cloud:
            said = run_block(PAGES[name][number], folder, cloud)
            films = frozenset(path.stem for path in folder.glob("videos/*.mp4"))
            return Run(said, films, tuple(charge.request_id for charge in cloud.charges))

    wanted = [(name, number) for name, texts in PAGES.items() for number in range(len(texts))]
    with ThreadPoolExecutor() as pool:
        return dict(zip(wanted, pool.map(lambda it: ran(*it), wanted), strict=True))


def test_the_complete_example_walks_as_the_vendors_does(runs: dict[tuple[str, int], Run]) -> None:
    """Models, one model's parameters, submission, every status to success, the list: for one charge, with a file."""
    it = runs["from-gmicloud.md", 0]
    (request_id,) = it.charged
    steps = [f"- {WAN}", f"=== {WAN} ===", "- cfg_scale (float)", "for $0.2", f"Submitted: {request_id}"]
    steps += ["[0:00:00] queued", f"done: videos/{request_id}.mp4", f"{request_id}  success"]
    found = [it.said.find(step) for step in steps]

    assert -1 not in found
    assert found == sorted(found)
    assert it.films == {request_id}


def test_the_complete_example_walks_with_the_vendors_two_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E-mail and password open the same program at the console's door, as they do the vendor's SDK."""
    with serving() as cloud:
        email, password = cloud.login
        for name, value in (("DOOR", "console"), ("CLOUD_EMAIL", email), ("CLOUD_PASSWORD", password)):
            monkeypatch.setenv(f"GMI_{name}", value)
        said = run_block(PAGES["from-gmicloud.md"][0], tmp_path, cloud, base_url=cloud.console_url)
        (charge,) = cloud.charges

    assert f"done: videos/{charge.request_id}.mp4" in said


def test_a_misspelt_parameter_is_said_and_not_paid_for(runs: dict[tuple[str, int], Run]) -> None:
    """The page's example of errors shows the one that costs nothing."""
    it = runs["from-gmicloud.md", 1]

    assert "lenght" in it.said
    assert it.charged == ()


@pytest.mark.parametrize("program", [("from-gmicloud.md", 2), ("sync.md", 0)])
def test_many_videos_become_files(runs: dict[tuple[str, int], Run], program: tuple[str, int]) -> None:
    """A file for each request, each charged once."""
    it = runs[program]

    assert it.films == set(it.charged)
    assert len(it.charged) == 2


def test_the_programs_are_all_of_these(runs: dict[tuple[str, int], Run]) -> None:
    """A block that nobody runs would be a promise that nobody holds; the one for tests makes its own cloud."""
    assert {name: len(texts) for name, texts in PAGES.items()} == {"from-gmicloud.md": 3, "sync.md": 2}
    assert runs["sync.md", 1] == Run("", frozenset(), ())


def test_every_name_that_the_page_puts_beside_the_vendors_is_there() -> None:
    """What the table promises can be called and read."""
    page = (DOCS / "from-gmicloud.md").read_text()
    verbs = ("models", "model", "submit", "snapshot", "resume", "watch", "requests", "download", "generate")
    of_model = {"id", "description", "type", "guide", "parameters", "price"}
    of_parameter = {"name", "display_name", "type", "minimum", "maximum", "required", "default", "options"}

    assert all(f"session.{verb}(" in page and hasattr(sync.Session, verb) for verb in verbs)
    assert of_model <= {field.name for field in Model.__attrs_attrs__}
    assert of_parameter <= {field.name for field in Parameter.__attrs_attrs__}
    assert {"success": True}[gmi_video.Status.SUCCESS]
