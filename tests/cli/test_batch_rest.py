"""A file that was changed between two runs, or a journal of another file: what is paid for is what was meant."""

import json
from collections.abc import Iterator

import pytest

from cli.terminal import Ran, Shell, serving
from gmi_video.sandbox import Behaviour, Sandbox, Script

QUICK = ("--model", "seedream-5.0-lite", "-o", "out", "--no-report")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One whose models are all as quick."""
    with serving(Script(models={"*": Behaviour(sync=True)})) as sandbox:
        yield sandbox


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


def test_a_file_for_another_journal_adds_none_of_its_lines(shell: Shell, sandbox: Sandbox) -> None:
    """A key that stands for something else refuses the whole file by name, also with --skip-invalid, as --dry-run says."""
    for name, keys in (("a", (1, 2)), ("b", (8, 9, 1))):
        rows = [json.dumps({"prompt": f"{name} {key}", "key": key}) for key in keys]
        (shell.folder / f"{name}.jsonl").write_text("\n".join(rows))
    assert shell.run("batch", "a.jsonl", *QUICK).code == 0
    before = sandbox.count_calls("submit")

    for options in ((), ("--skip-invalid",), ("--dry-run",)):
        ran = shell.run("batch", "b.jsonl", *QUICK, *options)
        assert ran.code == 2, ran.err
        assert "b.jsonl, line 3: key '1' already stands for another payload (line 1 of" in ran.out + ran.err
    again = shell.run("batch", "a.jsonl", *QUICK, "--rest", "send")

    assert (again.code, sandbox.count_calls("submit")) == (0, before), again.err
    assert "2 of 2 ended" in again.err


def test_cells_are_not_guessed_while_the_catalog_cannot_be_asked(shell: Shell) -> None:
    """Read otherwise than before they would be other lines, and be paid for twice; lines of JSON say what they are."""
    (shell.folder / "p.csv").write_text('prompt,seed\n"""quoted""",42.0\n')
    (shell.folder / "p.jsonl").write_text('{"prompt": "a fox"}\n')
    script = Script(
        models={"*": Behaviour(sync=True)}, catalog=[None, *[Behaviour.refused(400, "not now")] * 99]
    )
    with serving(script) as sandbox:
        own = Shell(folder=shell.folder, sandbox=sandbox)
        first = own.run("batch", "p.csv", *QUICK)
        again = own.run("batch", "p.csv", *QUICK)
        (charge,) = sandbox.charges
        of_json = own.run("batch", "p.jsonl", *QUICK)

    assert (first.code, again.code, of_json.code) == (0, 2, 0), first.err + again.err + of_json.err
    assert charge.payload["prompt"] == '"quoted"'
    assert (
        "p.csv, line 2: the catalog cannot be asked what seedream-5.0-lite takes, and cells are read"
        in again.err
    )
