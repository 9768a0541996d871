"""Ctrl-C loses nothing: the ids that go on running are told, and the command that returns to them works."""

import re
import signal
from pathlib import Path

import pytest

from cli.terminal import FOX, Shell, ended, read_until, serving, until
from gmi_video.sandbox import Behaviour, Sandbox, Script
from gmi_video.sandbox.faults import Late

SLOW = Behaviour(seconds=600)
"""At 500 times the speed a request takes 1.2 s, long enough to be interrupted."""

EVENT = "  0.0 s  "


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_wait_is_resumed_for_one_charge(number: signal.Signals, tmp_path: Path) -> None:
    """An interruption exits 130 and prints the command that finishes the job; it is paid for once."""
    with serving(Script(models={"*": SLOW}), speed=500) as sandbox:
        shell = Shell(folder=tmp_path, sandbox=sandbox)
        process = shell.start("generate", "wan2.7-t2v", *FOX, "-o", "my fox.mp4")
        seen = read_until(process, EVENT)
        process.send_signal(number)
        ran = ended(process, seen)
        request_id = sandbox.charges[0].request_id
        assert f"To pick up where this left off: gmi-video resume {request_id} -o 'my fox.mp4'\n" in ran.err

        resumed = shell.run("resume", request_id, "-o", "my fox.mp4")
        charges = len(sandbox.charges)

    assert (ran.code, ran.out) == (130, "")
    assert "Traceback" not in ran.err
    assert (resumed.code, resumed.out) == (0, "my fox.mp4\n")
    assert charges == 1


def test_an_id_is_told_though_its_answer_came_after_the_interruption(tmp_path: Path) -> None:
    """Interrupted while the POST is in flight, the command waits for the answer and tells the id."""
    with serving(
        Script(models={"*": SLOW}, submissions=[Behaviour(answers_after=500)]), speed=500
    ) as sandbox:
        process = Shell(folder=tmp_path, sandbox=sandbox).start("submit", "wan2.7-t2v", *FOX)
        until(lambda: sandbox.charges)
        process.send_signal(signal.SIGINT)
        ran = ended(process)
        request_id = sandbox.charges[0].request_id

    assert (ran.code, ran.out) == (130, "")
    assert "Waiting up to 15 s for the answer" in ran.err
    assert f"1 request goes on running (paid for, nothing is lost): {request_id}\n" in ran.err
    assert f"gmi-video resume {request_id}\n" in ran.err


def test_a_second_interruption_does_not_wait(tmp_path: Path) -> None:
    """Interrupted twice, it leaves at once and says that a charge may be running, and where to look."""
    with serving(Script(submissions=[Behaviour(answers_after=10_000_000)])) as sandbox:
        process = Shell(folder=tmp_path, sandbox=sandbox).start("submit", "wan2.7-t2v", *FOX)
        until(lambda: sandbox.charges)
        process.send_signal(signal.SIGINT)
        seen = read_until(process, "Waiting up to 15 s")
        process.send_signal(signal.SIGINT)
        ran = ended(process, seen)

    assert ran.code == 130
    assert "it may be running and be charged" in ran.err
    assert "gmi-video list --since 15m" in ran.err


def test_an_interrupted_watch_tells_what_is_left(tmp_path: Path) -> None:
    """Of several watched requests those that have ended are not offered again."""
    script = Script(models={"Veo3": Behaviour(dead=True), "wan2.7-t2v": Behaviour(seconds=1, queued=0)})
    with serving(script) as sandbox:
        shell = Shell(folder=tmp_path, sandbox=sandbox)
        done, first, second = (
            shell.run("submit", model, *FOX).out.strip() for model in ("wan2.7-t2v", "Veo3", "Veo3")
        )
        process = shell.start("watch", done, first, second, "--json")
        seen = read_until(process, "success")
        process.send_signal(signal.SIGINT)
        ran = ended(process, seen)

    assert ran.code == 130
    assert ran.err.endswith(f"gmi-video watch {first} {second}\n")
    assert {line["request_id"] for line in ran.lines} >= {done}


def test_an_interrupted_download_tells_how_to_go_on(tmp_path: Path) -> None:
    """What came lies hidden beside the target: the command that goes on with it is named."""
    script = Script(models={"*": Behaviour(seconds=1, queued=0)}, media=[Behaviour(fault=Late(seconds=600))])
    with serving(script) as sandbox:
        shell = Shell(folder=tmp_path, sandbox=sandbox)
        request_id = shell.run("submit", "wan2.7-t2v", *FOX).out.strip()
        assert shell.run("watch", request_id).code == 0
        process = shell.start("download", request_id, "-o", "my fox.mp4", "--overwrite")
        until(lambda: sandbox.count_calls("media"))
        process.send_signal(signal.SIGINT)
        ran = ended(process)
        again = shell.run("download", request_id, "-o", "my fox.mp4", "--overwrite")

    assert (ran.code, ran.out) == (130, "")
    command = f"gmi-video download {request_id} -o 'my fox.mp4' --overwrite\n"
    assert ran.err == f"Interrupted.\nWhat came of the file is kept. To go on with it: {command}"
    assert (again.code, again.out) == (0, "my fox.mp4\n")


def test_before_anything_was_sent_there_is_nothing_to_tell(tmp_path: Path) -> None:
    """Interrupted while it asks for the schema, it exits 130 and names no request."""
    with serving(Script(catalog=[Behaviour(answers_after=10_000_000)])) as sandbox:
        process = Shell(folder=tmp_path, sandbox=sandbox).start("generate", "wan2.7-t2v", *FOX)
        until(lambda: sandbox.count_calls("model"))
        process.send_signal(signal.SIGINT)
        ran = ended(process)
        sent = sandbox.count_calls("submit")

    assert (ran.code, ran.out, ran.err, sent) == (130, "", "Interrupted.\n", 0)


def test_the_sandbox_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    """`sandbox` prints the two variables that make other commands use it; Ctrl-C is its normal end."""
    process = Shell(folder=tmp_path).start("sandbox", "--port", "0", "--speed", "1000")
    assert process.stdout is not None
    told = dict(re.findall(r"export (\w+)=(\S+)", process.stdout.readline() + process.stdout.readline()))

    models = Shell(folder=tmp_path, extra=told).run("models")
    process.send_signal(signal.SIGINT)
    ran = ended(process)

    assert set(told) == {"GMI_BASE_URL", "GMI_API_KEY"}
    assert "Veo3" in models.out.splitlines()
    assert ran.code == 0
    assert "Traceback" not in ran.err


def test_a_port_that_is_taken_is_a_sentence(tmp_path: Path, sandbox: Sandbox) -> None:
    """A port on which somebody listens is wrong usage."""
    port = sandbox.url.partition("//")[2].partition("/")[0].rpartition(":")[2]

    ran = Shell(folder=tmp_path).run("sandbox", "--port", port)

    assert (ran.code, ran.out) == (2, "")
    assert f"cannot listen on port {port}" in ran.err
