"""Many requests followed by the command: from a file, from a pipe, to the end or to an interruption."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.terminal import FOX, Shell, ended, environment, serving
from gmi_video.sandbox import Behaviour, Sandbox, Script

QUICK = Script(
    models={"Veo3": Behaviour(fails="prompt [red]refused[/red]"), "*": Behaviour(seconds=60, queued=10)}
)
DEAD = Script(models={"*": Behaviour(dead=True)})


def made(sandbox: Sandbox, folder: Path, count: int, model: str = "wan2.7-t2v") -> list[str]:
    """So many requests, as another program made them."""
    program = (
        "import asyncio, sys\nfrom gmi_video import Session, VideoRequest\n"
        "async def main():\n    async with Session() as session:\n"
        f"        rows = [VideoRequest({model!r}, {{'prompt': 'x'}})] * {count}\n"
        "        found = await asyncio.gather(*map(session.using(check='off').submit, rows))\n"
        "    print(*(one.request_id for one in found))\nasyncio.run(main())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment(sandbox),
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.split()


def test_a_file_of_many_is_a_line_a_model(tmp_path: Path) -> None:
    """A fleet is told in a few lines, its failures by name; a bad line is named, and costs the exit code alone."""
    with serving(QUICK, speed=200) as sandbox:
        ids = [*made(sandbox, tmp_path, 60), *made(sandbox, tmp_path, 2, "Veo3")]
        (tmp_path / "ids.txt").write_text("\n".join(["# fleet", "", *ids[:30], "what is this?", *ids[30:]]))
        ran = Shell(folder=tmp_path, sandbox=sandbox).run("watch", "--ids", "ids.txt")
        looks = sandbox.count_calls("look")

    assert (ran.code, ran.out) == (1, "")
    assert "warning: ids.txt:33: 'what is this?' is not a request id" in ran.err
    assert ran.err.count("failed: prompt [red]refused[/red]") == 2
    assert "wan2.7-t2v  0 queued, 0 processing, 60 done, 0 failed" in ran.err
    assert "62 of 62 requests ended" in ran.err
    assert "60 done, 2 failed." in ran.err
    assert len(ran.err.splitlines()) < 12
    assert looks < 4 * 62


def test_a_short_file_is_a_row_each(tmp_path: Path) -> None:
    """What fits a screen is told one by one, ids of the command line and of the file alike."""
    with serving(QUICK, speed=500) as sandbox:
        ids = made(sandbox, tmp_path, 3)
        (tmp_path / "ids.txt").write_text("\n".join(ids[1:]))
        ran = Shell(folder=tmp_path, sandbox=sandbox).run("watch", ids[0], "--ids", "ids.txt")

    assert ran.code == 0, ran.err
    assert all(f"{name}  wan2.7-t2v  success" in ran.err for name in ids)
    assert "requests ended" not in ran.err


def test_with_json_each_event_is_a_line_and_the_last_is_what_it_cost(tmp_path: Path) -> None:
    """Events come as they come, whatever their number; the statistics end them."""
    with serving(QUICK, speed=200) as sandbox:
        ids = made(sandbox, tmp_path, 50)
        (tmp_path / "ids.txt").write_text("\n".join(ids))
        ran = Shell(folder=tmp_path, sandbox=sandbox).run("watch", "--ids", "ids.txt", "--json")

    *events, last = ran.lines
    assert ran.code == 0, ran.err
    assert sorted(line["request_id"] for line in events if line["event"] == "succeeded") == sorted(ids)
    assert last["statistics"]["ends"] == {"done": 50}
    assert last["statistics"]["looks"] + last["statistics"]["pages"] > 0


def test_ids_come_through_a_pipe(tmp_path: Path) -> None:
    """`-` is stdin, and is followed while it is still open; its end is the end of what is waited for."""
    with serving(QUICK, speed=500) as sandbox:
        ids = made(sandbox, tmp_path, 2)
        process = _piped(sandbox, tmp_path, "watch", "--ids", "-", "--json")
        assert process.stdin is not None
        process.stdin.write(f"{ids[0]}\n")
        process.stdin.flush()
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        process.stdin.write(f"{ids[1]}\n")
        process.stdin.close()
        process.stdin = None
        ran = ended(process)

    assert first["request_id"] == ids[0]
    assert ran.code == 0, ran.err
    assert {line["request_id"] for line in (first, *ran.lines) if "event" in line} == set(ids)


def test_an_interrupted_file_is_named_and_not_printed(tmp_path: Path) -> None:
    """Where the ids came from a file, the command that returns to them names it: no thousand ids on the terminal."""
    with serving(DEAD, speed=20) as sandbox:
        ids = made(sandbox, tmp_path, 45)
        (tmp_path / "my ids.txt").write_text("".join(f"{name}\n" for name in ids))
        process = Shell(folder=tmp_path, sandbox=sandbox).start("watch", "--ids", "my ids.txt", "--json")
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        ran = ended(process)

    assert ran.code == 130
    assert "45 requests go on running (paid for, nothing is lost)\n" in ran.err
    assert "To pick up where this left off: gmi-video watch --ids 'my ids.txt'\n" in ran.err
    assert not any(name in ran.err for name in ids)
    assert list(tmp_path.glob("gmi-video-ids*")) == []


@pytest.mark.parametrize("taken", [False, True], ids=["new", "beside another"])
def test_an_interrupted_pipe_leaves_its_ids_in_a_file(tmp_path: Path, taken: bool) -> None:
    """What came through a pipe cannot be named again: the ids that go on are written to a file of their own."""
    name = "gmi-video-ids-2.txt" if taken else "gmi-video-ids.txt"
    with serving(DEAD, speed=20) as sandbox:
        ids = made(sandbox, tmp_path, 45)
        if taken:
            (tmp_path / "gmi-video-ids.txt").write_text("mine")
        process = _piped(sandbox, tmp_path, "watch", "--ids", "-", "--json")
        assert process.stdin is not None
        process.stdin.write("\n".join(ids) + "\n")
        process.stdin.flush()
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        held, process.stdin = process.stdin, None
        ran = ended(process)
        held.close()

    assert ran.code == 130
    assert "45 requests go on running (paid for, nothing is lost)\n" in ran.err
    assert "stdin was not read to its end, and may name more.\n" in ran.err
    assert f"gmi-video watch --ids {name}\n" in ran.err
    assert (tmp_path / name).read_text().split() == ids
    assert not taken or (tmp_path / "gmi-video-ids.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "ids.txt cannot be read: No such file or directory"),
        ("# nothing\n\n", "ids.txt names no request: one id a line is wanted"),
        ("???\n", "ids.txt names no request"),
    ],
)
def test_a_file_without_ids_is_wrong_usage(shell: Shell, text: str | None, words: str) -> None:
    """Nothing is asked of the service where there is nothing to follow."""
    if text is not None:
        (shell.folder / "ids.txt").write_text(text)

    ran = shell.run("watch", "--ids", "ids.txt")

    assert ran.code == 2
    assert words in ran.err


def test_a_payload_comes_from_stdin(tmp_path: Path, sandbox: Sandbox) -> None:
    """`--payload -` is no option without its value."""
    process = _piped(sandbox, tmp_path, "submit", FOX[0].replace("-p", "wan2.7-t2v"), "--payload", "-")
    assert process.stdin is not None
    process.stdin.write('{"prompt": "a fox in snow"}')
    process.stdin.close()
    process.stdin = None
    ran = ended(process)

    assert ran.code == 0, ran.err
    assert sandbox.charges[-1].payload["prompt"] == "a fox in snow"


def _piped(sandbox: Sandbox, folder: Path, *tokens: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "gmi_video", *tokens],
        cwd=folder,
        env=environment(sandbox),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
