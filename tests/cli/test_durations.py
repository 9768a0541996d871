"""How long models take, as the command learns, keeps and tells it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.terminal import FOX, Shell, serving
from gmi_video import Snapshot, Status
from gmi_video.cli.durations import VARIABLE, duration, estimate, folder
from gmi_video.sandbox import Behaviour, Sandbox, Script

BORN = datetime(2026, 1, 1, tzinfo=UTC)
GMI = "https://console.gmicloud.ai/api/v1/ie/requestqueue/apikey"


def test_without_any_experience_nothing_is_said(shell: Shell) -> None:
    """A model of which too few requests have ended has no such line."""
    ran = shell.run("model", "Veo3")

    assert ran.code == 0
    assert "Takes:" not in ran.out


def test_the_account_s_own_records_tell_how_long_a_model_takes(tmp_path: Path) -> None:
    """Without a cache the newest records of the list are the experience: one call."""
    script = Script(models={"*": Behaviour(seconds=4, queued=1)})
    with serving(script, speed=2) as sandbox:
        shell = Shell(folder=tmp_path, sandbox=sandbox)
        ids = [shell.run("submit", "wan2.7-t2v", *FOX).out.strip() for _ in range(5)]
        shell.run("watch", *ids)
        before = sandbox.count_calls("list")
        told, whole = shell.run("model", "wan2.7-t2v"), shell.run("model", "wan2.7-t2v", "--json")
        asked = sandbox.count_calls("list") - before

    assert "\nTakes: about 2.0 s, mostly 2.0 s to 2.0 s (the account's last 5)\n" in told.out
    assert whole.lines[0]["typical"]["seen"] == 5
    assert asked == 2


def test_what_was_learnt_is_kept_between_runs(tmp_path: Path, sandbox: Sandbox) -> None:
    """What one run saw end the next one knows, without a call; the file is small and holds no request."""
    shell = Shell(folder=tmp_path, sandbox=sandbox, extra={VARIABLE: str(tmp_path / "kept")})
    ids = [shell.run("submit", "Veo3", *FOX).out.strip() for _ in range(6)]
    shell.run("watch", *ids)
    before = sandbox.count_calls("list")

    told = shell.run("model", "Veo3")
    (file,) = (tmp_path / "kept").iterdir()

    assert "(seen by this command 6 times)" in told.out
    assert sandbox.count_calls("list") == before
    assert file.stat().st_size < 5000
    assert not any(name in file.read_text() for name in (*ids, sandbox.api_key, "fox"))


@pytest.mark.parametrize(
    "broken",
    [
        b"\xff\xfe",
        b"",
        b"[]",
        b'{"format":1,"models":{"Veo3":{"total":-5,"ended":{},"parts":{},"steps":{}}}}',
    ],
    ids=["bytes", "empty", "a list", "negative"],
)
def test_a_broken_file_is_ignored_with_one_line(tmp_path: Path, sandbox: Sandbox, broken: bytes) -> None:
    """Experience is a help and never a hindrance: the command works, says so once, and writes it anew."""
    shell = Shell(folder=tmp_path, sandbox=sandbox, extra={VARIABLE: str(tmp_path)})
    request_id = shell.run("submit", "Veo3", *FOX).out.strip()
    shell.run("watch", request_id)
    (file,) = tmp_path.iterdir()
    file.write_bytes(broken)

    ran, again = shell.run("watch", request_id), shell.run("watch", request_id)

    assert (ran.code, again.code) == (0, 0)
    assert ran.err.count("is ignored: it is not what this command wrote") == 1
    assert "is ignored" not in again.err
    assert json.loads(file.read_text())["format"] == 1


def test_a_folder_that_cannot_be_written_costs_nothing(tmp_path: Path, sandbox: Sandbox) -> None:
    """The command ends as it would have without it."""
    (tmp_path / "file").write_text("")
    shell = Shell(folder=tmp_path, sandbox=sandbox, extra={VARIABLE: str(tmp_path / "file" / "below")})
    request_id = shell.run("submit", "Veo3", *FOX).out.strip()

    ran = shell.run("watch", request_id)

    assert ran.code == 0, ran.err


@pytest.mark.parametrize("word", ["off", "OFF", "0", "no"])
def test_it_can_be_switched_off(word: str) -> None:
    """With the variable set to off nothing is kept."""
    assert folder(GMI, {VARIABLE: word}) is None


def test_a_sandbox_teaches_nobody() -> None:
    """What runs on this machine takes as long as it was told to; only the service's own times are kept."""
    assert folder("http://127.0.0.1:8080/api", {}) is None
    assert str(folder(GMI, {})).endswith("gmi-video")
    assert folder("http://127.0.0.1:8080/api", {VARIABLE: "/there"}) == Path("/there")


def test_only_a_success_has_a_duration() -> None:
    """A failure ends when it likes, and a record without times says nothing."""
    ended = BORN + timedelta(seconds=90)
    good = Snapshot(request_id="r", model="m", status=Status.SUCCESS, created_at=BORN, updated_at=ended)
    failed = Snapshot(request_id="r", model="m", status=Status.FAILED, created_at=BORN, updated_at=ended)
    mute = Snapshot(request_id="r", model="m", status=Status.SUCCESS)
    torn = Snapshot(request_id="r", model="m", status=Status.SUCCESS, created_at=ended, updated_at=BORN)

    assert [duration(one) for one in (good, failed, mute, torn)] == [90.0, None, None, None]


def test_an_estimate_of_few_lies_between_them() -> None:
    """Quantiles of a handful are drawn by straight lines, and never leave what was seen."""
    found = estimate("m", [30.0, 10.0, 20.0, 50.0, 40.0])

    assert found.median == 30.0
    assert found.usual == (14.0, 46.0)
    assert (min(found.quantiles), max(found.quantiles)) == (10.4, 49.6)
