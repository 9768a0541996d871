"""What the command says of models before anything is paid for: tables, problems, prices, typed payloads."""

import json

import pytest

from cli.terminal import FOX, Shell, serving
from gmi_video.catalog import Model
from gmi_video.sandbox import Behaviour, Sandbox, Script

KLING = ("kling-v3-text-to-video", *FOX)


def test_models_are_chosen_by_text_modality_and_price(shell: Shell) -> None:
    """A table of the models that fit; those without a stated price fit no limit."""
    ran = shell.run("models", "--search", "KLING", "--modality", "image", "--max-price", "0.17")

    assert ran.code == 0, ran.err
    head, *rows = ran.out.splitlines()
    assert head.split() == ["MODEL", "TAKES", "MAKES", "PRICE", "DETAILS"]
    assert [row.split()[0] for row in rows] == ["kling-v2-6", "kling-v3-image-to-video"]
    assert "$0.168 per second" in rows[1]


def test_models_as_json_are_whole_descriptions(shell: Shell) -> None:
    """With a filter that needs them, --json gives one description a line; without one, the ids."""
    chosen = shell.run("models", "wan2", "--modality", "VIDEO", "--json")
    plain = shell.run("models", "wan2", "--json")

    assert [Model.from_dict(line).id for line in chosen.lines] == [line["model"] for line in plain.lines]
    assert all(set(line) == {"model"} for line in plain.lines)


@pytest.mark.parametrize("price", ["cheap", "-1", "NaN"])
def test_a_limit_that_is_no_amount_is_wrong_usage(shell: Shell, price: str) -> None:
    """A price that cannot be compared is refused before anything is asked."""
    ran = shell.run("models", f"--max-price={price}")

    assert ran.code == 2
    assert "is not an amount of dollars" in ran.err


def test_nothing_that_fits_is_said(shell: Shell) -> None:
    """An empty table is a remark, and no error."""
    ran = shell.run("models", "--search", "wan", "--max-price", "0.000001")

    assert (ran.code, ran.out) == (0, "")
    assert "No such models." in ran.err


def test_a_model_that_cannot_be_had_is_left_out(tmp_path: object, shell: Shell) -> None:
    """One description that fails costs that one row, and is told."""
    broken = Script(catalog=[None, Behaviour.refused(404, "model gone"), *[None] * 99])
    with serving(broken) as sandbox:
        ran = Shell(folder=shell.folder, sandbox=sandbox).run(
            "models", "--search", "veo", "--modality", "text"
        )

    assert ran.code == 0
    assert "is left out" in ran.err
    assert len(ran.out.splitlines()) == 4  # a heading, and three of the four


def test_a_model_shows_what_it_has_against_a_payload(shell: Shell, sandbox: Sandbox) -> None:
    """With parameters, `model` tells problems and price, and nothing is sent."""
    before = sandbox.count_calls("submit")
    ran = shell.run("model", *KLING, "-p", "duration=10", "-p", "sound=on", "-p", "ratio=1:1")

    assert ran.code == 0, ran.err
    assert "Doubtful: kling-v3-text-to-video has no parameter ratio" in ran.out
    assert "did you mean aspect_ratio?" in ran.out
    assert "Price: $2.52 (with sound: $0.252 per second, for 10 seconds)" in ran.out
    assert "Nothing was sent." in ran.err
    assert sandbox.count_calls("submit") == before


def test_a_dry_run_sends_nothing(shell: Shell, sandbox: Sandbox) -> None:
    """`generate --dry-run` shows payload, problems and price, and leaves no file and no charge."""
    before = sandbox.count_calls("submit")
    (shell.folder / "base.json").write_text('{"duration": "5"}')
    good = shell.run("generate", "wan2.7-t2v", *FOX, "--dry-run")
    bad = shell.run("generate", "wan2.7-t2v", *FOX, "--payload", "base.json", "--dry-run", "--json")

    assert good.code == 0, good.err
    assert good.out.splitlines() == [
        'Payload: {"prompt": "a fox in snow"}',
        "Price: $0.75 ($0.15 per second, for 5 seconds)",
    ]
    assert bad.code == 2
    (line,) = bad.lines
    assert line["payload"] == {"duration": "5", "prompt": "a fox in snow"}
    assert (line["problems"][0]["parameter"], line["problems"][0]["suggestion"]) == ("duration", 5)
    assert line["cost"]["dollars"] == "0.75"
    assert sandbox.count_calls("submit") == before
    assert not list(shell.folder.glob("*.mp4"))


def test_what_the_schema_refuses_is_not_sent(shell: Shell, sandbox: Sandbox) -> None:
    """A payload from a file is held against the schema as well; exit code 2, and no POST."""
    before = sandbox.count_calls("submit")
    (shell.folder / "base.json").write_text('{"duration": "5"}')
    ran = shell.run("submit", "wan2.7-t2v", *FOX, "--payload", "base.json")

    assert ran.code == 2
    assert "a whole number is wanted: write 5; nothing was sent" in ran.err
    assert sandbox.count_calls("submit") == before


def test_what_is_doubtful_is_warned_of_once(shell: Shell) -> None:
    """A rule that the pages know is a warning of the command's own, without Python's frame round it."""
    ran = shell.run("submit", "wan2.7-t2v", *FOX, "-p", f"negative_prompt={'x' * 501}")

    assert ran.code == 0, ran.err
    assert ran.err.count("at most 500 are taken") == 1
    assert "PayloadWarning" not in ran.err
    assert "This request costs $0.75" in ran.err


@pytest.mark.parametrize("command", [("model",), ("submit", *FOX), ("generate", "--dry-run"), ("stubs",)])
def test_a_misspelt_model_is_told_the_nearest(shell: Shell, command: tuple[str, ...]) -> None:
    """Case matters in ids; the right one is in the sentence."""
    ran = shell.run(command[0], "WAN2.7-T2V", *command[1:])

    assert "did you mean wan2.7-t2v?" in ran.err


def test_stubs_are_the_same_text_for_the_same_catalog(shell: Shell) -> None:
    """`gmi-video stubs` writes Python that says whose catalog it is of and of which day."""
    dated = Shell(folder=shell.folder, sandbox=shell.sandbox, extra={"SOURCE_DATE_EPOCH": "1700000000"})
    first = dated.run("stubs", "wan2.7-t2v", "Veo3", "-o", "payloads.py")
    second = dated.run("stubs", "Veo3", "wan2.7-t2v", "Veo3")
    text = (shell.folder / "payloads.py").read_text(encoding="utf-8")

    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert (first.out, second.out) == ("", text)
    assert "Read: 2023-11-14" in text
    assert "class Wan27T2v:" in text
    compile(text, "payloads.py", "exec")


def test_stubs_of_everything(shell: Shell) -> None:
    """Without a name every model of the catalog gets its class."""
    ran = shell.run("stubs")
    listed = shell.run("models")

    assert ran.out.count("\n@frozen") == len(listed.out.splitlines())


def test_a_name_of_another_family_is_told_once(shell: Shell, sandbox: Sandbox) -> None:
    """The command says what `check` says, once, whether the request is sent or only shown."""
    shown = shell.run("generate", "wan2.6-i2v", "-p", "size=1920*1080", "--dry-run")
    sent = shell.run("submit", "wan2.7-t2v", *FOX, "-p", "qqqq=1", "-p", "size=1920*1080")

    assert (shown.out + shown.err).count("has no parameter size") == 1
    assert "did you mean resolution?" in shown.out
    assert sent.err.count("has no parameter size") == 1
    assert "did you mean resolution?" in sent.err
    assert "has no parameter qqqq and ignores it without a word; `gmi-video model wan2.7-t2v`" in sent.err


def test_a_dry_run_without_a_catalog_says_what_it_knows(shell: Shell) -> None:
    """Where the service is down the payload is shown all the same, and the price is not guessed."""
    with serving(Script(catalog=[Behaviour.edge(503)] * 9)) as sandbox:
        ran = Shell(folder=shell.folder, sandbox=sandbox).run(
            "generate", "wan2.7-t2v", *FOX, "--dry-run", "--json"
        )

    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["cost"] is None
    assert "without its schema" in ran.err
