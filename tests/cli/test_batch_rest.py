"""A file that was changed between two runs: only what it has now is paid for, unless somebody says otherwise."""

import json

import pytest

from cli.terminal import Ran, Shell, serving
from gmi_video.sandbox import Behaviour, Script

QUICK = ("--model", "seedream-5.0-lite", "-o", "out", "--no-report")


def told(shell: Shell, *prompts: str) -> None:
    """Writes the file of prompts."""
    (shell.folder / "p.jsonl").write_text(
        "".join(json.dumps({"prompt": prompt}) + "\n" for prompt in prompts)
    )


def began(shell: Shell) -> None:
    """A run of three lines whose budget is that of one; then the second prompt is corrected."""
    told(shell, "a fox", "a owll", "an elk")
    ran = shell.run("batch", "p.jsonl", *QUICK, "--max-cost", "0.04")
    assert ran.code == 1, ran.err
    told(shell, "a fox", "an owl", "an elk")


def again(shell: Shell, *options: str) -> Ran:
    return shell.run("batch", "p.jsonl", *QUICK, "--max-cost", "1", *options)


@pytest.mark.parametrize(
    ("rest", "paid", "words", "status"),
    [
        ("leave", ["a fox", "an elk", "an owl"], "1 line that only the journal has is left waiting", 1),
        ("drop", ["a fox", "an elk", "an owl"], "1 line that only the journal has is taken out of it", 0),
        ("send", ["a fox", "a owll", "an elk", "an owl"], "Continuing: 3 lines known", 0),
    ],
)
def test_a_corrected_line_is_paid_once(
    shell: Shell, rest: str, paid: list[str], words: str, status: int
) -> None:
    """The old text of a line, which was never sent, is not sent with the new one; --rest says otherwise."""
    with serving(Script(models={"*": Behaviour(sync=True)})) as sandbox:
        own = Shell(folder=shell.folder, sandbox=sandbox)
        began(own)
        dry = again(own, "--dry-run", "--rest", rest)
        ran = again(own, *(() if rest == "leave" else ("--rest", rest)))
        stands = own.run("batch", "status", "out/batch.db")
        prompts = sorted(str(charge.payload["prompt"]) for charge in sandbox.charges)

    assert prompts == sorted(paid)
    assert (ran.code, stands.code) == (0, status), ran.err
    assert words in ran.err
    assert "1 line that only the journal has would be" in dry.err


def test_another_model_does_not_pay_for_the_first_as_well(shell: Shell) -> None:
    """Lines that wait for a model are not sent when the same file is given for another one."""
    with serving(Script(models={"*": Behaviour(sync=True)})) as sandbox:
        own = Shell(folder=shell.folder, sandbox=sandbox)
        began(own)
        ran = own.run("batch", "p.jsonl", "--model", "wan2.7-t2v", "-o", "out", "--no-report")
        models = [charge.model for charge in sandbox.charges]

    assert ran.code == 0, ran.err
    assert models == ["seedream-5.0-lite", *["wan2.7-t2v"] * 3]
    assert "2 lines that only the journal has are left waiting; --rest send" in ran.err
