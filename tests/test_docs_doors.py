"""The page on doors is a program: each of its blocks runs, and its table is the library's."""

import re
from pathlib import Path

import pytest
from programs import run_block
from served import serving

from gmi_video.settings import Settings

PAGE = (Path(__file__).parents[1] / "docs" / "doors.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_a_key_from_a_vault_opens_a_session(tmp_path: Path) -> None:
    """The block with a callable runs as it stands."""
    with serving() as sandbox:
        assert run_block(BLOCKS[0], tmp_path, sandbox) == "24 models\n"


def test_a_login_makes_a_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The block with a login runs as it stands, against an account that wants the code it gives."""
    with serving() as sandbox:
        sandbox.one_time_code = "123456"
        monkeypatch.setenv("GMI_DOOR", "console")
        said = run_block(BLOCKS[1], tmp_path, sandbox, base_url=sandbox.console_url)

    assert said.startswith("Ada Sandbox owner\nvideos/")
    assert len(BLOCKS) == 2


@pytest.mark.parametrize("door", ["apikey", "console", "early"])
def test_the_table_names_the_addresses_that_are_used(door: str) -> None:
    """Each door's own address stands in its row."""
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{door}`")]

    assert f"`{Settings.from_env({}, door=door).base_url}`" in row
