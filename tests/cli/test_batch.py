"""A file of prompts becomes a folder of files with one command, which may be given again."""

import csv
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from cargo import picture, placed

from cli.terminal import Shell, serving
from gmi_video.sandbox import Behaviour, Sandbox, Script

QUICK = "seedream-5.0-lite"
"""Answers its submission with the finished record, so that a test need not wait for a look."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One whose models are all as quick."""
    with serving(Script(models={"*": Behaviour(sync=True)})) as sandbox:
        yield sandbox


def lines(folder: Path, count: int = 3, name: str = "p.jsonl") -> None:
    told = ({"prompt": f"a fox, take {number}", "key": f"fox-{number}"} for number in range(count))
    (folder / name).write_text("".join(f"{json.dumps(each)}\n" for each in told))


def test_a_file_of_prompts_becomes_a_folder_of_files(shell: Shell, sandbox: Sandbox) -> None:
    """Each line's file is named by its key and its path is on stdout; the same command again adds nothing."""
    lines(shell.folder)
    before = len(sandbox.charges)

    first = shell.run("batch", "p.jsonl", "--model", QUICK, "-o", "out")
    second = shell.run("batch", "p.jsonl", "--model", QUICK, "-o", "out")

    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert sorted(Path(path).name for path in first.out.split()) == ["fox-0.jpeg", "fox-1.jpeg", "fox-2.jpeg"]
    assert all(Path(path).stat().st_size for path in first.out.split())
    assert re.search(r"3 lines cost \$[\d.]+ by list prices", first.err)
    assert "3 of 3 ended" in first.err
    assert "Report: out/report.html" in first.err
    assert "Continuing: 3 lines known from before, 3 of them done; 0 new" in second.err
    assert second.out == ""
    assert len(sandbox.charges) == before + 3


def test_a_dry_run_checks_everything_and_sends_nothing(shell: Shell, sandbox: Sandbox) -> None:
    """Every line is checked against its model's schema, what is wrong is told by line, and prices are summed."""
    (shell.folder / "p.csv").write_text(
        "\ufeffkey,prompt,duration,model,ratoi\r\n"
        'a,"a fox,\r\nin snow",5,,\r\nb,fox,99,,\r\nc,fox,,Veo9,\r\nd,fox,,,1:1\r\na,fox,,,\r\ne,fox\r\n'
    )
    before = sandbox.count_calls("submit")

    ran = shell.run("batch", "p.csv", "--model", "wan2.7-t2v", "--dry-run")

    assert ran.code == 2
    assert re.search(r"^wan2\.7-t2v +4 +2 +1 +\$1\.50", ran.out, re.MULTILINE)
    for words in (
        "p.csv, line 4: duration=99 cannot be sent to wan2.7-t2v: 2 to 15 is wanted",
        "p.csv, line 5: GMI refused to show model Veo9 (404): model Veo9 does not exist; did you mean Veo3?",
        "p.csv, line 7: its key 'a' is that of line 2; keys are unique",
        "p.csv, line 8: 2 cells under 5 columns",
        "Doubtful: p.csv, line 6: wan2.7-t2v has no parameter ratoi",
        "2 lines cost $1.50 by list prices",
    ):
        assert words in ran.out
    assert "Nothing was sent." in ran.err
    assert sandbox.count_calls("submit") == before
    assert [path.name for path in shell.folder.iterdir()] == ["p.csv"]


def test_a_dry_run_ends_as_the_run_would(shell: Shell, sandbox: Sandbox) -> None:
    """What a journal and a budget would stop is told before, with the exit code of the run, and nothing is written."""
    lines(shell.folder, 4)
    command = ("batch", "p.jsonl", "--model", QUICK, "--journal", "run.db", "--no-report")
    seen = []

    for budget in ("0.08", "0.08", "0.20"):
        dry = shell.run(*command, "--max-cost", budget, "--dry-run")
        before = sandbox.count_calls("submit")
        wet = shell.run(*command, "--max-cost", budget)
        seen.append((dry.code, wet.code, sandbox.count_calls("submit") - before, dry.err))
    (shell.folder / "p.jsonl").write_text('{"prompt": "an owl", "key": "fox-1"}\n')
    journal = (shell.folder / "run.db").read_bytes()
    dry = shell.run(*command, "--skip-invalid", "--dry-run")
    untouched = (shell.folder / "run.db").read_bytes() == journal
    wet = shell.run(*command, "--skip-invalid")

    assert [told[:3] for told in seen] == [(1, 1, 2), (1, 1, 0), (0, 0, 2)]
    assert "--max-cost $0.08 would be passed: 4 lines to be sent cost $0.14;" in seen[0][3]
    assert "$0.07 are spent or reserved, and 2 lines to be sent cost $0.07;" in seen[1][3]
    assert (dry.code, wet.code, untouched) == (2, 2, True)
    assert "Refused: p.jsonl, line 1: key 'fox-1' already stands for another payload (line 2 of" in dry.out


def test_a_dry_run_speaks_json(shell: Shell) -> None:
    """The same survey is one JSON object: counts by model, problems with their lines, exact money."""
    lines(shell.folder, 2)

    ran = shell.run("batch", "p.jsonl", "--model", "wan2.7-t2v", "--dry-run", "--json")

    assert ran.code == 0, ran.err
    (told,) = ran.lines
    assert (told["lines"], told["refused"], told["cost"], told["problems"]) == (2, 0, "1.50", [])
    assert told["models"]["wan2.7-t2v"]["lines"] == 2


def test_a_bad_line_stops_everything_before_it_costs(shell: Shell, sandbox: Sandbox) -> None:
    """Where a line would be refused nothing is sent; with --skip-invalid the others are."""
    (shell.folder / "p.jsonl").write_text(
        '{"prompt": "fox"}\n{"prompt": "fox", "n": \n{"prompt": "owl", "model": 7}\n'
    )
    before = len(sandbox.charges)

    refused = shell.run("batch", "p.jsonl", "--model", QUICK, "-o", "out")
    assert len(sandbox.charges) == before
    dry = shell.run("batch", "p.jsonl", "--model", QUICK, "-o", "out", "--skip-invalid", "--dry-run")
    assert len(sandbox.charges) == before
    skipped = shell.run("batch", "p.jsonl", "--model", QUICK, "-o", "out", "--skip-invalid")

    assert refused.code == 2
    assert "p.jsonl, line 2: not JSON at column" in refused.err
    assert "p.jsonl, line 3: `model` is 7" in refused.err
    assert "2 lines would be refused, so nothing was sent" in refused.err
    assert (dry.code, skipped.code) == (0, 0), dry.err + skipped.err
    assert len(sandbox.charges) == before + 1


def test_cells_become_what_each_model_asks_for(shell: Shell, sandbox: Sandbox) -> None:
    """The cell 5 reaches pixverse as a string and wan as a number; a cell may name a file; common values go below."""
    (shell.folder / "prompt.txt").write_text("a fox from a file\n")
    (shell.folder / "base.json").write_text('{"negative_prompt": "rain", "seed": 1}')
    (shell.folder / "p.csv").write_text(
        "model,prompt,duration,seed,aspect_ratio,quality\n"
        "pixverse-v5.6-t2v,@prompt.txt,5,,1:1,540p\nwan2.7-t2v,@@home,5,7,,\n"
    )

    ran = shell.run("batch", "p.csv", "--payload", "base.json", "--journal", "j.db")

    assert ran.code == 0, ran.err
    sent = {charge.model: charge.payload for charge in sandbox.charges[-2:]}
    pixverse, wan = sent["pixverse-v5.6-t2v"], sent["wan2.7-t2v"]
    assert (pixverse["prompt"], pixverse["duration"], pixverse["seed"]) == ("a fox from a file", "5", 1)
    assert (wan["prompt"], wan["duration"], wan["seed"], wan["negative_prompt"]) == ("@home", 5, 7, "rain")
    assert (shell.folder / "j.db").exists()


def test_a_local_file_is_uploaded_where_a_link_is_wanted(shell: Shell, sandbox: Sandbox) -> None:
    """`@` before a path uploads it once for all lines, in cells and in JSON, `data:@` sends it along; a bare path is refused, unpaid."""
    placed(shell.folder, "a.png", picture(400, 400, "PNG"))
    (shell.folder / "bare.csv").write_text("prompt,img_url\nfox,a.png\n")
    (shell.folder / "p.csv").write_text("prompt,img_url\nfox,@a.png\nowl,@a.png\nelk,data:@a.png\n")
    (shell.folder / "p.jsonl").write_text('{"prompt": "@home", "img_url": "@a.png"}\n')
    (shell.folder / "q.csv").write_text("prompt,img_url\nfox,b.png\n")
    before = sandbox.count_calls("submit")
    command = ("--model", "wan2.6-i2v", "--journal", "run.db")

    bare = shell.run("batch", "bare.csv", *command)
    refused = sandbox.count_calls("submit") - before
    cells = shell.run("batch", "p.csv", *command)
    objects = shell.run("batch", "p.jsonl", *command)
    doubtful = shell.run("batch", "q.csv", *command)

    assert (bare.code, refused) == (2, 0)
    assert "PayloadWarning" not in doubtful.err
    assert doubtful.err.count('img_url is "b.png"') == 1, doubtful.err
    assert "line 2: img_url is 'a.png', a file of this machine; write @a.png to upload it" in bare.err
    assert (cells.code, objects.code) == (0, 0), cells.err + objects.err
    sent = {charge.payload["prompt"]: str(charge.payload["img_url"]) for charge in sandbox.charges[-5:-1]}
    assert set(sent) == {"fox", "owl", "elk", "@home"}
    assert sent["fox"] == sent["owl"] == sent["@home"]
    assert sent["fox"].startswith(sandbox.media_url)
    assert sent["elk"].startswith("data:image/png;base64,")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ('"@photo.heic"', "'photo.heic' is not uploaded: "),
        ('"@missing.heic"', "'missing.heic' cannot be read: No such file"),
        ('"@/dev/zero"', "'/dev/zero' cannot be read: it is no regular file"),
        ('"data:@missing.png"', "'missing.png' cannot be read: No such file"),
        ('["@a.png", "@missing.png"]', "'missing.png' cannot be read: No such file"),
    ],
)
def test_a_file_that_cannot_be_sent_is_refused_in_json(
    shell: Shell, sandbox: Sandbox, value: str, words: str
) -> None:
    """Where a model wants a file, `@` before what is none refuses the line before anything costs, as in a cell."""
    placed(shell.folder, "a.png", picture(400, 400, "PNG"))
    placed(shell.folder, "photo.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    model, name = ("seedream-5.0-lite", "image") if value.startswith("[") else ("Veo3", "image")
    (shell.folder / "p.jsonl").write_text(f'{{"prompt": "@missing.png", "{name}": {value}}}\n')
    before = sandbox.count_calls("submit")

    ran = shell.run("batch", "p.jsonl", "--model", model, "--journal", "run.db")

    assert (ran.code, sandbox.count_calls("submit")) == (2, before), ran.err
    assert f"p.jsonl, line 1: payload.{name}" in ran.err
    assert words in ran.err
    assert "payload.prompt" not in ran.err


def test_files_within_lists_are_uploaded_from_json(shell: Shell, sandbox: Sandbox) -> None:
    """`@` before a picture within a list of JSON is that picture, also where the schema says nothing of links."""
    placed(shell.folder, "a.png", picture(1000, 1000, "PNG"))
    (shell.folder / "p.jsonl").write_text('{"prompt": "@home", "image": ["@a.png"]}\n')

    ran = shell.run("batch", "p.jsonl", "--model", "seedream-5.0-lite", "--journal", "run.db")

    assert ran.code == 0, ran.err
    sent = sandbox.charges[-1].payload
    assert sent["prompt"] == "@home"
    (link,) = list(sent["image"])  # type: ignore[call-overload]  # a list, as it was given
    assert str(link).startswith(sandbox.media_url)


def test_files_are_files_where_the_catalog_cannot_be_asked(shell: Shell) -> None:
    """Without a schema the names of parameters, and the file itself, tell what `@` means; no word is paid for in its place."""
    placed(shell.folder, "a.png", picture(1000, 1000, "PNG"))
    line = {"prompt": "@a.png", "image": ["@a.png"], "start_frame": "@a.png", "img_url": "@missing"}
    with serving(Script(catalog=[Behaviour.refused(400, "not now")] * 99)) as sandbox:
        own = Shell(folder=shell.folder, sandbox=sandbox)
        (shell.folder / "p.jsonl").write_text(json.dumps(line))
        refused = own.run("batch", "p.jsonl", "--model", "seedream-5.0-lite", "--journal", "run.db")
        (shell.folder / "p.jsonl").write_text(json.dumps(line | {"img_url": "@a.png"}))
        ran = own.run("batch", "p.jsonl", "--model", "seedream-5.0-lite", "--journal", "run.db")
        (charge,) = sandbox.charges

    assert refused.code == 2
    assert "p.jsonl, line 1: payload.img_url: 'missing' cannot be read: No such file" in refused.err
    assert ran.code == 0, ran.err
    sent = {name: value for name, value in charge.payload.items() if name in line}
    link = sent["img_url"]
    assert str(link).startswith("http")
    assert sent == {"prompt": "@a.png", "image": [link], "start_frame": link, "img_url": link}


def test_json_lines_tell_each_end_and_the_sum(shell: Shell) -> None:
    """With --json stdout holds a line for each ended line and the statistics last, exact money as text."""
    lines(shell.folder, 2)

    ran = shell.run("batch", "p.jsonl", "--model", QUICK, "-o", "out", "--json")

    assert ran.code == 0, ran.err
    *ends, last = ran.lines
    assert {(end["key"], end["state"], end["attempts"]) for end in ends} == {
        ("fox-0", "done", 1),
        ("fox-1", "done", 1),
    }
    assert all(Path(end["files"][0]["location"]).is_file() and end["url"] for end in ends)
    assert last["statistics"]["lines"]["done"] == 2


def test_a_budget_is_not_passed(shell: Shell, sandbox: Sandbox) -> None:
    """What would pass it is not sent, the command says what is left and exits 1; a larger one goes on."""
    lines(shell.folder, 3)
    before = len(sandbox.charges)

    first = shell.run("batch", "p.jsonl", "--model", QUICK, "-o", "out", "--max-cost", "$0.10")
    assert len(sandbox.charges) == before + 2
    second = shell.run("batch", "p.jsonl", "--model", QUICK, "-o", "out", "--max-cost", "10")

    assert first.code == 1
    assert "error: $0.035 for seedream-5.0-lite would pass the budget of $0.10: $0." in first.err
    assert "Parked: 1 line (fox-2)" in first.err
    assert "larger --max-cost" in first.err
    assert second.code == 0, second.err
    assert len(sandbox.charges) == before + 3


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (["no.jsonl"], "no.jsonl cannot be read: no such file or directory"),
        (["p.jsonl"], "no model; name one in a column or key `model`, or for all with --model"),
        (["p.jsonl", "--model", QUICK, "--max-cost", "much"], "--max-cost 'much' is not an amount"),
        (["p.jsonl", "--model", QUICK, "--attempts", "0"], 'Invalid value "0" for --attempts'),
        (["p.jsonl", "--model", QUICK, "--name", "{key"], "name '{key'"),
        (["p.jsonl", "--model", QUICK, "--grace", "soon"], "--grace 'soon' is not a span"),
        (["status", "no.db"], "no.db: no such journal"),
        (["report", "p.jsonl"], "p.jsonl' is no journal, or one whose beginning is damaged"),
        (["export", "no.db", "-o", "r.csv"], "no.db: no such journal"),
        (["export", "p.jsonl", "-o", "r.xlsx"], "r.xlsx: its ending says no format"),
        (["resolve", "no.db", "1", "none"], "no.db: no such journal"),
    ],
)
def test_wrong_usage_is_a_sentence(shell: Shell, tokens: list[str], words: str) -> None:
    """What cannot be is refused before anything is sent, with the words that help."""
    lines(shell.folder, 1)

    ran = shell.run("batch", *tokens)

    assert ran.code in {1, 2}, ran
    assert words in ran.err
    assert "itself failed" not in ran.err


def test_the_journal_is_read_by_all_that_stand_below(shell: Shell) -> None:
    """Status, export and report read a journal without its run; a wrong file is no journal."""
    lines(shell.folder, 2)
    shell.run("batch", "p.jsonl", "--model", QUICK, "-o", "out", "--no-report")
    assert not (shell.folder / "out/report.html").exists()

    status = shell.run("batch", "status", "out/batch.db")
    table = shell.run("batch", "export", "out/batch.db", "-o", "r.csv")
    told = shell.run("batch", "export", "out/batch.db")
    page = shell.run("batch", "report", "out/batch.db")
    nowhere = shell.run("batch", "report", "out/batch.db", "-o", "no/such/report.html")

    assert [ran.code for ran in (status, table, told, page)] == [0, 0, 0, 0]
    assert (nowhere.code, nowhere.out) == (1, "")
    assert "no/such/report.html cannot be written: no such file or directory" in nowhere.err
    assert "2 of 2 ended" in status.out
    with (shell.folder / "r.csv").open(encoding="utf-8-sig", newline="") as file:
        assert {row["key"]: row["state"] for row in csv.DictReader(file)} == {
            "fox-0": "done",
            "fox-1": "done",
        }
    assert {row["key"] for row in told.lines} == {"fox-0", "fox-1"}
    assert "fox-0.jpeg" in (shell.folder / "out/report.html").read_text()


def test_a_failed_line_is_told_and_may_be_tried_again(tmp_path: Path) -> None:
    """A line that fails does not stop the others; the command that is printed sends it anew, with all that was told."""
    script = Script(
        submissions=[Behaviour(), Behaviour(fails="Generation rejected; please review the prompt")]
    )
    options = ["--attempts", "5", "--resubmit-absent", "1", "--grace", "5s", "--no-report"]
    with serving(script) as sandbox:
        shell = Shell(folder=tmp_path, sandbox=sandbox)
        lines(tmp_path, 2, "status")
        command = [
            "batch",
            "./status",
            "--model",
            QUICK,
            "--out",
            "out",
            "--name",
            "x-{key}",
            *options,
        ]
        first = shell.run(*command)
        again = shell.run(*command)
        named = re.search(r"To try the failed lines again: gmi-video (.*)", first.err)
        assert named is not None, first.err
        retried = shell.run(*shlex.split(named[1]))

    assert (first.code, again.code, retried.code) == (1, 1, 0), first.err + retried.err
    assert shlex.split(named[1]) == [*command, "--retry", "failed"]
    assert "Failed: 1 line (fox-" in first.err
    assert "Generation rejected; please review the prompt" in first.err
    assert "Trying 1 failed line once more" in retried.err
    assert "2 of 2 ended" in retried.err


def test_an_empty_account_is_told_by_the_exit_code(tmp_path: Path) -> None:
    """Lines that the account cannot pay are parked, not failed; the exit code says credits."""
    with serving(Script(balance=50_000)) as sandbox:
        shell = Shell(folder=tmp_path, sandbox=sandbox)
        lines(tmp_path, 3)

        ran = shell.run("batch", "p.jsonl", "--model", QUICK, "-o", "out")

    assert ran.code == 4, ran.err
    assert "Parked: 2 lines" in ran.err
    assert "Insufficient credits" in ran.err


def test_a_key_that_is_refused_costs_nothing(tmp_path: Path) -> None:
    """The command exits 3, and goes on with a key that is taken."""
    with serving() as sandbox:
        lines(tmp_path, 2)
        dead = Shell(folder=tmp_path, sandbox=sandbox, extra={"GMI_API_KEY": "no-such-key"})

        first = dead.run("batch", "p.jsonl", "--model", QUICK, "-o", "out")
        charges = len(sandbox.charges)
        second = Shell(folder=tmp_path, sandbox=sandbox).run(
            "batch", "p.jsonl", "--model", QUICK, "-o", "out"
        )

    assert (first.code, charges) == (3, 0), first.err
    assert second.code == 0, second.err


def test_a_damaged_journal_is_not_used(shell: Shell, sandbox: Sandbox) -> None:
    """Nothing is submitted, the file stays as it is, and the command that saves its lines works, cut off or overwritten."""
    lines(shell.folder, 300)
    shell.run("batch", "p.jsonl", "--model", QUICK, "--journal", "j.db", "--no-report")
    path = shell.folder / "j.db"
    whole = path.read_bytes()
    hole = len(whole) // 2 // 4096 * 4096
    path.write_bytes(whole[:hole] + b"\xff" * 4096 + whole[hole + 4096 :])
    before, damaged = len(sandbox.charges), path.read_bytes()

    ran = shell.run("batch", "p.jsonl", "--model", QUICK, "--journal", "j.db")
    saved = shell.run("batch", "export", "j.db", "-o", "rescued.jsonl")

    assert ran.code == 1, ran
    assert "gmi-video batch export j.db -o rescued.jsonl" in ran.err
    assert (len(sandbox.charges), path.read_bytes()) == (before, damaged)
    assert saved.code == 0, saved.err
    assert 100 < len((shell.folder / "rescued.jsonl").read_text().splitlines()) <= 300
    path.write_bytes(whole[: len(whole) // 2])
    cut = shell.run("batch", "export", "j.db", "-o", "cut.jsonl")
    assert cut.code == 0, cut.err
    assert (shell.folder / "cut.jsonl").read_text().count("\n") > 50


def test_a_folder_that_cannot_be_made_is_named(shell: Shell) -> None:
    """An output folder that is a file costs nothing."""
    lines(shell.folder, 1)
    (shell.folder / "out").write_text("mine")

    ran = shell.run("batch", "p.jsonl", "--model", QUICK, "-o", "out")

    assert ran.code == 2, ran
    assert "out: file exists" in ran.err


def test_orphans_are_told_and_may_be_adopted(tmp_path: Path) -> None:
    """A request of the account that is like a line and belongs to none is listed with its price, and can be saved."""
    with serving() as sandbox:
        shell = Shell(folder=tmp_path, sandbox=sandbox)
        lines(tmp_path, 1)
        command = ("batch", "p.jsonl", "--model", QUICK, "-o", "out")
        shell.run(*command)
        clean = shell.run("batch", "audit", "out/batch.db")
        stranger = shell.run("submit", QUICK, "-p", "prompt=a fox, take 0").out.strip()
        told = shell.run(*command)
        listed = shell.run("batch", "audit", "out/batch.db")
        wrong = shell.run("batch", "audit", "out/batch.db", "--adopt", "no-such")
        adopted = shell.run("batch", "audit", "out/batch.db", "--adopt", "all")
        saved = shell.run(*command)
        total = len(sandbox.charges)

    assert clean.code == 0, clean.err
    assert "No orphans" in clean.err
    assert "warning: 1 request is like lines of this batch" in told.err
    assert stranger in told.err
    assert "$0.035" in told.err
    assert (listed.code, listed.out.splitlines()[1].split()[0]) == (1, stranger)
    assert wrong.code == 2
    assert (adopted.code, saved.code) == (0, 0), adopted.err + saved.err
    assert "2 of 2 ended" in saved.err
    assert (len(list((tmp_path / "out").glob("*.jpeg"))), total) == (2, 2)
