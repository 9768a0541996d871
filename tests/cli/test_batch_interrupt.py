"""However a batch is broken off, the same command finishes it, and each line is paid for once."""

import re
import signal
from pathlib import Path

from cli.terminal import Shell, ended, read_until, serving, until
from cli.test_batch import lines
from cli.test_terminal import on_a_terminal
from gmi_video.sandbox import Behaviour, Script

COMMAND = ("batch", "p.jsonl", "--model", "wan2.7-t2v", "-o", "out")
SHORT = Behaviour(queued=0, seconds=500)
"""At 500 times the speed a request takes a second, and the first look at it is after two."""


def test_the_first_interruption_finishes_what_is_in_flight(tmp_path: Path) -> None:
    """It submits nothing more, saves what is made within the grace, exits 130, and names the command that goes on."""
    with serving(Script(models={"*": SHORT}), speed=500) as sandbox:
        shell = Shell(folder=tmp_path, sandbox=sandbox)
        lines(tmp_path, 4)
        process = shell.start(*COMMAND, "--max-in-flight", "2")
        until(lambda: len(sandbox.charges) == 2)
        process.send_signal(signal.SIGINT)
        ran = ended(process)
        charges = len(sandbox.charges)
        again = shell.run(*COMMAND)
        total = len(sandbox.charges)

    assert (ran.code, charges) == (130, 2), ran
    assert "Submitting nothing more; waiting up to 1 min 00 s for the 2 in flight" in ran.err
    assert "2 of 4 ended" in ran.err
    assert "To pick up where this left off: gmi-video batch p.jsonl --model wan2.7-t2v --out " in ran.err
    assert "Traceback" not in ran.err
    assert (again.code, total) == (0, 4), again.err
    assert len(list((tmp_path / "out").glob("*.mp4"))) == 4


def test_the_second_interruption_leaves_at_once(tmp_path: Path) -> None:
    """Whatever is in flight it leaves, and nothing of what was accepted is lost or paid again."""
    with serving(Script(models={"*": SHORT}), speed=500) as sandbox:
        shell = Shell(folder=tmp_path, sandbox=sandbox)
        lines(tmp_path, 2)
        process = shell.start(*COMMAND, "--max-in-flight", "2")
        until(lambda: len(sandbox.charges) == 2)
        process.send_signal(signal.SIGINT)
        seen = read_until(process, "Interrupt again to leave at once")
        process.send_signal(signal.SIGTERM)
        ran = ended(process, seen)
        again = shell.run(*COMMAND)
        total = len(sandbox.charges)

    assert ran.code == 130, ran
    assert "To pick up where this left off" in ran.err
    assert "Traceback" not in ran.err
    assert (again.code, total) == (0, 2), again.err


def test_a_grace_that_runs_out_leaves_the_rest_running(tmp_path: Path) -> None:
    """What does not end within the grace goes on at the service, and is taken up by the next run."""
    with serving(Script(models={"*": SHORT}), speed=500) as sandbox:
        shell = Shell(folder=tmp_path, sandbox=sandbox)
        lines(tmp_path, 1)
        process = shell.start(*COMMAND, "--grace", "0.2s")
        until(lambda: sandbox.charges)
        process.send_signal(signal.SIGINT)
        ran = ended(process)
        again = shell.run(*COMMAND)
        total = len(sandbox.charges)

    assert ran.code == 130, ran
    assert "runs on at the service, and is in the journal" in ran.err
    assert (again.code, total) == (0, 1), again.err


def test_a_killed_submission_is_decided_by_its_user(tmp_path: Path) -> None:
    """Killed with a POST in flight, a line is listed with the request that it is; once told, it is not paid again."""
    script = Script(models={"*": SHORT}, submissions=[Behaviour(answers_after=10_000_000)])
    with serving(script, speed=500) as sandbox:
        shell = Shell(folder=tmp_path, sandbox=sandbox)
        lines(tmp_path, 1)
        process = shell.start(*COMMAND)
        until(lambda: sandbox.charges)
        process.kill()
        ended(process)
        status = shell.run("batch", "status", "out/batch.db")
        wrong = shell.run("batch", "resolve", "out/batch.db", "7", "none")
        decided = shell.run("batch", "resolve", "out/batch.db", "1", sandbox.charges[0].request_id)
        standing = shell.run("batch", "status", "out/batch.db", "--json")
        twice = shell.run("batch", "resolve", "out/batch.db", "1", "none")
        again = shell.run(*COMMAND)
        total = len(sandbox.charges)

    assert "0 of 1 ended" in status.out
    assert (wrong.code, decided.code, twice.code) == (2, 0, 2), wrong.err + decided.err + twice.err
    assert "line 7 of out/batch.db was never sent" in wrong.err
    assert "the next run goes on with it" in decided.err
    assert standing.lines[0]["lines"]["running"] == 1
    assert "line 1 of out/batch.db is accepted already" in twice.err
    assert (again.code, total) == (0, 1), again.err


def test_a_journal_has_one_owner(tmp_path: Path) -> None:
    """A second run of the same batch is refused with the first one's pid; its status may be asked for beside it."""
    with serving(Script(models={"*": SHORT}), speed=500) as sandbox:
        shell = Shell(folder=tmp_path, sandbox=sandbox)
        lines(tmp_path, 1)
        process = shell.start(*COMMAND)
        until(lambda: sandbox.charges)
        second = shell.run(*COMMAND)
        status = shell.run("batch", "status", "out/batch.db", "--json")
        first = ended(process)
        total = len(sandbox.charges)

    assert second.code == 2
    assert str(process.pid) in second.err
    assert status.lines[0]["lines"]["running"] + status.lines[0]["lines"]["submitting"] == 1
    assert (first.code, total) == (0, 1), first.err


def test_a_fleet_is_drawn_on_a_terminal(tmp_path: Path) -> None:
    """A row a model, its counts and money, the sum below; the cursor comes back, and no path tears the view."""
    with serving() as sandbox:
        lines(tmp_path, 3)

        code, seen = on_a_terminal(tmp_path, sandbox, *COMMAND)

    assert code == 0, seen
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen)
    assert re.search(r"wan2\.7-t2v +0 +0 +0 +0 +3 +0 +0 +\$2\.25", text), text
    assert "3 of 3 ended · $2.25 spent" in text
    assert "Report: out/report.html" in text
    assert seen.rfind("\x1b[?25h") > seen.rfind("\x1b[?25l") >= 0
