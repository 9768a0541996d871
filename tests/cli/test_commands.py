"""Every command as its user runs it: what is on stdout, what on stderr, and the exit code."""

import re
from pathlib import Path

import pytest

from cli.terminal import FOX, Shell, serving
from gmi_video import Succeeded, Video
from gmi_video.sandbox import Behaviour, Sandbox, Script

PIXVERSE = ("pixverse-v5.6-t2v", *FOX, "-p", "aspect_ratio=1:1", "-p", "quality=540p")


def submitted(shell: Shell, model: str = "wan2.7-t2v") -> str:
    ran = shell.run("submit", model, *FOX)
    assert ran.code == 0, ran.err
    return ran.out.strip()


def test_generate_leaves_a_file_and_prints_its_path(shell: Shell) -> None:
    """A prompt becomes a file: its path is all of stdout, the price and the progress are on stderr."""
    ran = shell.spawn("generate", "wan2.7-t2v", *FOX, "-o", "fox.mp4")

    assert (ran.code, ran.out) == (0, "fox.mp4\n")
    assert (shell.folder / "fox.mp4").read_bytes()[4:8] == b"ftyp"
    assert "wan2.7-t2v costs $0.15 per second" in ran.err
    assert re.search(
        r"0\.0 s  \S+  wan2\.7-t2v  (queued|dispatched|processing)\n", ran.err
    )  # what a busy core saw first
    assert "saved fox.mp4" in ran.err


def test_json_lines_are_events_and_then_the_video(shell: Shell) -> None:
    """With --json stdout holds nothing but events and the finished video, links whole, keys handed back."""
    ran = shell.run("generate", "seedream-5.0-lite", *FOX, "--key", "row-7", "--into", "out", "--json")

    assert ran.code == 0, ran.err
    event, last = Succeeded.from_dict(ran.lines[0]), Video.from_dict(ran.lines[-1])
    assert event.key == "row-7"
    assert event.request_id == last.snapshot.request_id
    assert last.path is not None
    assert (shell.folder / last.path).stat().st_size == last.files[0].size
    assert last.url == event.snapshot.outcome.url if event.snapshot.outcome else False


def test_values_are_sent_in_the_type_of_the_schema(shell: Shell, sandbox: Sandbox) -> None:
    """The text 5 reaches pixverse as a string and wan as a number; a payload file is the base of both."""
    (shell.folder / "base.json").write_text('{"negative_prompt": "rain", "duration": 9}')

    first = shell.run("submit", *PIXVERSE, "-p", "duration=5", "-p", "seed=7", "--payload", "base.json")
    second = shell.run("submit", "wan2.7-t2v", *FOX, "-p", "duration=5", "-p", "watermark=yes")

    assert (first.code, second.code) == (0, 0), first.err + second.err
    pixverse, wan = (charge.payload for charge in sandbox.charges[-2:])
    assert (pixverse["duration"], pixverse["seed"], pixverse["negative_prompt"]) == ("5", 7, "rain")
    assert (wan["duration"], wan["watermark"]) == (5, True)


def test_an_impossible_value_is_refused_before_anything_is_sent(shell: Shell, sandbox: Sandbox) -> None:
    """Wrong usage is a sentence and exit code 2, and no submission reaches the service."""
    before = sandbox.count_calls("submit")

    ran = shell.run("generate", *PIXVERSE, "-p", "duration=7")

    assert (ran.code, ran.out) == (2, "")
    assert "-p duration=7 cannot be sent to pixverse-v5.6-t2v: one of 5, 8, 10 is wanted" in ran.err
    assert sandbox.count_calls("submit") == before


def test_a_misspelt_parameter_is_warned_of(shell: Shell) -> None:
    """The service would ignore it and charge; the user hears of it, and of the nearest name."""
    ran = shell.run("submit", "wan2.7-t2v", *FOX, "-p", "ratoi=1:1")

    assert ran.code == 0
    assert "warning: wan2.7-t2v has no parameter ratoi" in ran.err
    assert "did you mean ratio?" in ran.err


def test_a_target_that_is_taken_costs_nothing(shell: Shell, sandbox: Sandbox) -> None:
    """A file that is there is refused before the POST, with exit code 2."""
    (shell.folder / "fox.mp4").write_text("mine")
    before = len(sandbox.charges)

    ran = shell.run("generate", "wan2.7-t2v", *FOX, "-o", "fox.mp4")

    assert ran.code == 2
    assert "it is there already" in ran.err
    assert len(sandbox.charges) == before
    assert (shell.folder / "fox.mp4").read_text() == "mine"


def test_a_wrong_model_is_answered_with_the_right_one(shell: Shell) -> None:
    """Ids are case-sensitive: the command names the id that was meant, and exits 1."""
    sent, shown = shell.run("submit", "veo3-fast", *FOX), shell.run("model", "veo3-fast")

    assert (sent.code, shown.code) == (1, 1)
    assert "did you mean Veo3-Fast? So values are sent as given" in sent.err
    assert "did you mean Veo3-Fast?" in shown.err


def test_a_request_is_taken_up_by_its_id(shell: Shell, sandbox: Sandbox) -> None:
    """`submit` prints an id; `status`, `watch`, `resume` and `download` need nothing else, and pay nothing."""
    request_id = submitted(shell)
    paid = len(sandbox.charges)

    watched = shell.run("watch", request_id)
    status = shell.run("status", request_id)
    resumed = shell.run("resume", request_id, "-o", "fox.mp4")
    saved = shell.run("download", request_id)
    refused = shell.run("download", request_id, "-o", "fox.mp4")
    again = shell.run("download", request_id, "-o", "fox.mp4", "--overwrite", "--json")

    assert (watched.code, watched.out) == (0, "")
    assert f"{request_id}  wan2.7-t2v  success" in watched.err
    assert status.out.splitlines()[1].startswith(f"{request_id}  wan2.7-t2v  success")
    assert (resumed.code, resumed.out) == (0, "fox.mp4\n")
    assert (saved.code, saved.out) == (0, f"{request_id}.mp4\n")
    assert refused.code == 2
    assert (again.code, again.lines[0]["path"]) == (0, "fox.mp4")
    assert len(sandbox.charges) == paid


def test_the_list_is_the_account_s(shell: Shell) -> None:
    """`list` shows the newest first, as many as asked for, of one model where one is named."""
    ids = [submitted(shell) for _ in range(2)]

    shown = shell.run("list", "--model", "wan2.7-t2v", "--limit", "2", "--since", "1h")
    lines = shell.run("list", "--limit", "1", "--json")
    none = shell.run("list", "--model", "nothing")

    assert [line.split()[0] for line in shown.out.splitlines()] == ["ID", *reversed(ids)]
    assert [line["request_id"] for line in lines.lines] == ids[1:]
    assert (none.code, none.out, none.err) == (0, "", "No such requests.\n")


def test_the_catalog_is_shown(shell: Shell) -> None:
    """`models` is one id a line; `model` tells each parameter, what it may be, and the price."""
    models, model = shell.run("models", "WAN"), shell.run("model", "pixverse-v5.6-t2v")
    lines = shell.run("model", "pixverse-v5.6-t2v", "--json")

    assert "wan2.7-t2v" in models.out.splitlines()
    assert "Veo3" not in models.out
    assert "Price: $0.09 per second" in model.out
    assert re.search(r"\nduration +enum +yes +5 +5, 8, 10 ", model.out)
    assert lines.lines[0]["model"] == "pixverse-v5.6-t2v"


def test_no_link_in_a_table_shows_its_query(tmp_path: Path) -> None:
    """A presigned query is a secret: tables leave it out, JSON is data and has it."""
    shape = Behaviour(adds={"outcome": {"video_url": "https://x.test/v.mp4?X-Goog-Signature=beef"}})
    with serving(Script(looks=[None, *[shape] * 6])) as sandbox:
        shell = Shell(folder=tmp_path, sandbox=sandbox)
        request_id = submitted(shell)
        shell.run("watch", request_id)

        table, lines = shell.run("status", request_id), shell.run("status", request_id, "--json")

    assert "https://x.test/v.mp4\n" in table.out
    assert "beef" not in table.out + table.err
    assert "beef" in lines.out


def test_a_failed_request_exits_1(tmp_path: Path) -> None:
    """The service's reason is told in one sentence, nothing is offered to resume, and the code is 1."""
    script = Script(models={"*": Behaviour(fails="prompt [red]refused[/red]")})
    with serving(script) as sandbox:
        shell = Shell(folder=tmp_path, sandbox=sandbox)
        request_id = submitted(shell)

        resumed = shell.run("resume", request_id, "--json")
        downloaded = shell.run("download", request_id)
        status = shell.run("status", request_id)

    assert [resumed.code, downloaded.code, status.code] == [1, 1, 1]
    assert "failed: prompt [red]refused[/red]" in resumed.err
    assert "gmi-video resume" not in resumed.err
    assert [line.get("event") or line["error"] for line in resumed.lines] == ["failed", "GenerationFailed"]
    assert "Traceback" not in resumed.err + downloaded.err


def test_an_overdue_request_tells_how_to_resume(tmp_path: Path) -> None:
    """After its deadline the request runs on: the code is 1, and the command to pick it up is on stderr."""
    with serving(Script(models={"*": Behaviour(dead=True)})) as sandbox:
        shell = Shell(folder=tmp_path, sandbox=sandbox)
        request_id = submitted(shell)

        ran = shell.run("resume", request_id, "--deadline", "0.2s", "--into", "my files")
        waiting = shell.run("download", request_id, "--json")

    assert ran.code == 1
    assert f"gmi-video resume {request_id} --into 'my files'\n" in ran.err
    assert (waiting.code, waiting.lines[0]["error"]) == (1, "GenerationOverdue")
    assert f"is still queued; wait for it with: gmi-video resume {request_id}" in waiting.err


@pytest.mark.parametrize(
    ("script", "code", "words"),
    [
        (Script(unauthorized_from=1), 3, "(401)"),
        (Script(models={"*": Behaviour(not_entitled=403)}), 3, "(403)"),
        (Script(balance=1), 4, "credits"),
    ],
    ids=["key", "entitlement", "credits"],
)
def test_refusals_have_their_codes(script: Script, code: int, words: str, tmp_path: Path) -> None:
    """A dead key is 3, an empty account 4; the key itself is in no output."""
    with serving(script) as sandbox:
        sandbox.api_key = "a-very-secret-key"
        ran = Shell(folder=tmp_path, sandbox=sandbox).run("submit", "wan2.7-t2v", *FOX)

    assert (ran.code, ran.out) == (code, "")
    assert words in ran.err
    assert "Traceback" not in ran.err
    assert "a-very-secret-key" not in ran.err


def test_the_log_is_on_stderr_and_without_the_key(shell: Shell, sandbox: Sandbox) -> None:
    """GMI_VIDEO_LOG=debug shows each exchange; a word that is no level is refused."""
    logged = Shell(folder=shell.folder, sandbox=sandbox, extra={"GMI_VIDEO_LOG": "debug"}).spawn("models")
    wrong = Shell(folder=shell.folder, sandbox=sandbox, extra={"GMI_VIDEO_LOG": "loud"}).spawn("models")

    assert "Exchange(operation='models'" in logged.err
    assert sandbox.api_key not in logged.err
    assert "Exchange" not in logged.out
    assert (wrong.code, wrong.out) == (2, "")
    assert "GMI_VIDEO_LOG" in wrong.err


def test_demo_makes_four_files_twice(tmp_path: Path) -> None:
    """The demo leaves four videos and a table, without a key; a second run leaves the first one's alone."""
    shell = Shell(folder=tmp_path)

    first, second = (shell.run("demo", "--speed", "2000") for _ in range(2))

    assert (first.code, second.code) == (0, 0), first.err
    files = sorted(path.name for path in (tmp_path / "demo").iterdir())
    assert len(files) == 8
    assert files[:2] == ["fox-2.mp4", "fox.mp4"]
    assert all(path.read_bytes()[4:8] == b"ftyp" for path in (tmp_path / "demo").iterdir())
    assert first.out.splitlines()[0].split() == ["MODEL", "QUEUED", "PROCESSING", "PRICE", "PATH"]
    assert [line.split()[-1] for line in second.out.splitlines()[1:]] == [
        "demo/paper-boat-2.mp4",
        "demo/fox-2.mp4",
        "demo/lanterns-2.mp4",
        "demo/lighthouse-2.mp4",
    ]
    assert "time is compressed 2000 times" in first.err
    assert "\x1b" not in first.out + first.err


def test_a_lost_answer_is_found_again_for_one_charge(tmp_path: Path) -> None:
    """A gateway that loses the answer to a paid call costs a look at the list, not a second video."""
    with serving(Script(submissions=[Behaviour.edge(502, accepted=True)])) as sandbox:
        ran = Shell(folder=tmp_path, sandbox=sandbox).run("submit", "wan2.7-t2v", *FOX)
        charges = sandbox.charges

    assert (ran.code, ran.out) == (0, f"{charges[0].request_id}\n")
    assert "The answer to the submission was lost; looking for it" in ran.err
    assert len(charges) == 1


def test_a_name_that_promises_another_type_is_warned_of(shell: Shell) -> None:
    """What the library warns of is said: a picture under a film's name plays nowhere."""
    ran = shell.run("generate", "seedream-5.0-lite", "-p", "prompt=a fox", "-o", "fox.mp4")

    assert ran.code == 0
    assert "warning: 'fox.mp4' is saved under the name that was given for it, and it is a" in ran.err
