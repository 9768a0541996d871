"""The commands that read a journal, of batches that ran in virtual time."""

from pathlib import Path

import pytest
from batch.rundown import MINUTE, played, rivers, stage

from cli.terminal import Shell
from gmi_video.batch import Batch
from gmi_video.sandbox import Behaviour, Script
from gmi_video.testing import run


@pytest.fixture
def alone(tmp_path: Path) -> Shell:
    """A shell that reaches no service; what it runs reads a journal, and at most a key is looked for."""
    return Shell(folder=tmp_path, extra={"GMI_API_KEY": "unused"})


def test_a_line_that_was_decided_is_not_told_again(alone: Shell) -> None:
    """An undecided line exits 5 with its commands; once told that it never ran it waits, and status and report say so."""
    lost = Script(submissions=[Behaviour.edge(502)], models={"*": MINUTE})
    played(rivers(1), lost, journal=alone.folder / "run.db")

    before = alone.run("batch", "status", "run.db")
    decided = alone.run("batch", "resolve", "run.db", "1", "none")
    after = alone.run("batch", "status", "run.db", "--json")
    alone.run("batch", "report", "run.db")

    assert (before.code, decided.code) == (5, 0), before.err + decided.err
    assert "Undecided: line 1" in before.err
    assert (after.code, after.err) == (1, "")
    assert after.lines[0]["lines"]["waiting"] == 1
    assert after.lines[0]["reserved"] == "0"
    assert "Needs your decision" not in (alone.folder / "report.html").read_text()


def test_what_is_not_done_yet_is_told_by_the_exit_code(alone: Shell) -> None:
    """Status exits 1 while lines wait, whatever is done of the others, and 0 once all are."""

    async def wait() -> None:
        async with stage() as (_, session), Batch(session, journal=alone.folder / "run.db") as batch:
            await batch.add(rivers(2))

    run(wait())
    waiting = alone.run("batch", "status", "run.db")
    played((), journal=alone.folder / "run.db")
    done = alone.run("batch", "status", "run.db")

    assert (waiting.code, done.code) == (1, 0)
    assert "0 of 2 ended" in waiting.out


def test_a_page_does_not_replace_a_journal(alone: Shell) -> None:
    """A report is written to a page only: the journal itself, or a database of any name, stays as it is."""
    played(rivers(1), journal=alone.folder / "run.db")
    (alone.folder / "run.html").write_bytes((alone.folder / "run.db").read_bytes())
    before = (alone.folder / "run.db").read_bytes()

    over = alone.run("batch", "report", "run.db", "-o", "run.db")
    named = alone.run("batch", "report", "run.db", "-o", "run.html")
    other = alone.run("batch", "report", "run.db", "-o", "page.txt")

    assert (over.code, named.code, other.code) == (2, 2, 2)
    assert "run.db: a page is wanted, such as report.html" in over.err
    assert "run.html is a database, such as a journal, and is not replaced" in named.err
    assert (alone.folder / "run.db").read_bytes() == (alone.folder / "run.html").read_bytes() == before
    assert not (alone.folder / "page.txt").exists()
