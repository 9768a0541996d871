"""Where a batch reads and writes, as machines really are: read-only disks, pipes, names of any bytes, pages of others."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from batch.rundown import rivers, stage, told

from cli.terminal import Shell, serving
from gmi_video.batch import Batch, Journal
from gmi_video.batch.places import Folder
from gmi_video.batch.words import alike
from gmi_video.errors import TargetUnusable
from gmi_video.sandbox import Behaviour, Sandbox, Script
from gmi_video.testing import run

ODD = os.fsdecode(b"vid\xe9os")
"""A folder whose name is no UTF-8."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One whose models are all as quick."""
    with serving(Script(models={"*": Behaviour(sync=True)})) as sandbox:
        yield sandbox


def batch(shell: Shell, *options: str, file: str = "p.jsonl") -> list[str]:
    (shell.folder / "p.jsonl").write_text('{"prompt": "a fox"}\n')
    return ["batch", file, "--model", "seedream-5.0-lite", *options]


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A file system that holds a finished journal, and takes nothing more."""
    place = tmp_path / "fixed"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "tmpfs", str(place)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a file system can be mounted by root only")

    async def main() -> None:
        async with stage() as (_, session), Batch(session, journal=place / "batch.db") as batch:
            await batch.add(rivers(3))
            await told(batch)

    run(main())
    subprocess.run(["mount", "-o", "remount,ro", place], check=True)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_finished_journal_is_read_where_nothing_can_be_written(read_only: Path, shell: Shell) -> None:
    """A copy on a disk that is write-protected has its lines and sums like any other."""
    with Journal(read_only / "batch.db", readonly=True) as journal:
        assert [row.state for row in journal.rows()] == ["done"] * 3
    status = shell.run("batch", "status", str(read_only / "batch.db"))

    assert (status.code, "3 of 3 ended" in status.out) == (0, True), status.err


def test_a_folder_that_takes_no_file_is_told_before_anything_is_paid(
    read_only: Path, shell: Shell, sandbox: Sandbox
) -> None:
    """Not by the first video, when it is made."""
    with pytest.raises(TargetUnusable, match="cannot write into '/proc'"):
        run(Folder("/proc").check())
    before = len(sandbox.charges)
    ran = shell.run(*batch(shell, "-o", str(read_only), "--journal", "run.db"))

    assert (ran.code != 0, len(sandbox.charges)) == (True, before)
    assert "Read-only file system" in ran.err


@pytest.mark.parametrize("own", [True, False])
def test_a_page_of_somebody_elses_is_not_replaced_unasked(own: bool, shell: Shell) -> None:
    """The report takes another name; a report of an earlier run is written anew."""
    page = shell.folder / "report.html"
    page.write_text("<title>mine</title>" if own else "")
    if not own:
        page.unlink()
        assert shell.run(*batch(shell)).code == 0
    ran = shell.run(*batch(shell))

    assert ran.code == 0, ran.err
    assert (page.read_text() == "<title>mine</title>") is own
    assert (shell.folder / "gmi_video-report.html").exists() is own


def test_a_folder_of_any_name_takes_videos_and_can_be_asked_about(shell: Shell) -> None:
    """Paths are bytes: what is printed is the file's name, and JSON says it as JSON can."""
    plain = shell.run(*batch(shell, "-o", ODD))
    as_json = shell.run(*batch(shell, "-o", ODD, "--json"))
    status = shell.run("batch", "status", f"{ODD}/batch.db")
    (saved,) = (shell.folder / ODD).glob("1.*")

    assert (plain.code, as_json.code, status.code) == (0, 0, 0), plain.err + as_json.err + status.err
    assert saved.stat().st_size > 0
    assert "itself failed" not in plain.err + as_json.err + status.err


def test_a_file_name_on_stdout_is_the_files_name(shell: Shell, sandbox: Sandbox) -> None:
    """So that a shell which takes it finds the file."""
    with shell.start("generate", "seedream-5.0-lite", "-p", "prompt=a fox", "-o", f"{ODD}.png") as command:
        assert command.stdout is not None
        out = command.stdout.buffer.read()  # type: ignore[attr-defined]  # a text stream over a pipe

    assert command.returncode == 0
    assert (shell.folder / os.fsdecode(out.strip())).is_file()


def test_a_pipe_of_prompts_is_told_what_to_do(shell: Shell) -> None:
    """The file is read twice, and a pipe gives its lines once."""
    os.mkfifo(shell.folder / "pipe.jsonl")
    ran = shell.run(*batch(shell, file="pipe.jsonl"))

    assert ran.code == 2
    assert "pipe.jsonl is a pipe or a device; prompts are read twice" in ran.err


def test_a_dry_run_refuses_the_options_that_a_run_refuses(shell: Shell) -> None:
    for option in (("--max-in-flight", "0"), ("--attempts", "0"), ("--name", "{prompt")):
        codes = {shell.run(*batch(shell, *option, *dry)).code for dry in ((), ("--dry-run",))}
        assert codes == {2}, option


def test_a_reader_that_leaves_is_told_how_to_go_on(shell: Shell) -> None:
    """`gmi-video batch … | head -1` ends the run, and nothing is lost."""
    rows = [json.dumps({"prompt": f"a fox, take {number}"}) for number in range(60)]
    command = batch(shell, "-o", "out", file="many.jsonl")
    (shell.folder / "many.jsonl").write_text("\n".join(rows))
    with shell.start(*command) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()

    assert process.returncode == 1
    assert "To pick up where this left off: gmi-video batch many.jsonl" in err
    again = shell.run(*command)
    assert (again.code, "60 of 60 ended" in again.err) == (0, True), again.err


def test_reasons_that_differ_in_a_long_number_are_one() -> None:
    one, other = (f"169,{number} bytes are to come, and the disk has 1,024 free" for number in (172, 998))
    assert alike(one) == alike(other)
