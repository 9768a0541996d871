"""The commands about the login that is kept: how it is asked for, where it lies, and who uses it."""

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.terminal import FOX, Ran, Shell, environment, serving
from gmi_video.sandbox import Behaviour, Sandbox, Script

WHO = {"GMI_CLOUD_EMAIL": "ada@example.com", "GMI_CLOUD_PASSWORD": "sandbox-password"}
CANARIES = ("sandbox-password", "eyJ")


@pytest.fixture
def console(tmp_path: Path, sandbox: Sandbox) -> Shell:
    """A shell in which no key is set, with a state folder of its own."""
    home = {"XDG_STATE_HOME": str(tmp_path / "state"), "HOME": str(tmp_path)}
    return Shell(folder=tmp_path, extra={"GMI_BASE_URL": sandbox.console_url, **home})


def with_login(shell: Shell, **more: str) -> Shell:
    return Shell(folder=shell.folder, extra={**shell.extra, **WHO, **more})


def kept(shell: Shell) -> Path:
    return Path(shell.extra["XDG_STATE_HOME"]) / "gmi-video" / "login.json"


def assert_discreet(ran: Ran) -> None:
    assert not [word for word in CANARIES if word in ran.out + ran.err]


def test_a_login_is_kept_for_its_owner_alone_and_used_by_the_next_commands(console: Shell) -> None:
    """After `login` no variable is needed: the file is of mode 0600, and each command replaces its token."""
    ran = with_login(console).spawn("login")

    assert (ran.code, ran.out) == (0, "ada@example.com\n")
    assert stat.S_IMODE(kept(console).stat().st_mode) == 0o600
    assert stat.S_IMODE(kept(console).parent.stat().st_mode) == 0o700
    before = kept(console).read_text()
    made = console.run("generate", "Veo3", *FOX, "-o", "fox.mp4")
    assert (made.code, made.out) == (0, "fox.mp4\n")
    assert kept(console).read_text() != before
    assert_discreet(ran)
    assert_discreet(made)


def test_nothing_is_kept_unless_it_is_asked_for(console: Shell) -> None:
    """A command with e-mail and password in its environment leaves no token behind."""
    ran = with_login(console).run("models", "Veo3")

    assert (ran.code, ran.out.split()) == (0, ["Veo3", "Veo3-Fast"])
    assert not kept(console).exists()


def test_logout_forgets(console: Shell) -> None:
    """After it the next command says what is missing; a second one has nothing to forget."""
    with_login(console).run("login")
    gone, again = console.run("logout"), console.run("logout", "--json")
    after = console.run("models")

    assert "forgotten" in gone.err
    assert again.lines == [{"forgotten": False}]
    assert list(kept(console).parent.iterdir()) == []
    assert (after.code, "GMI_CLOUD_EMAIL" in after.err) == (2, True)


def test_a_key_goes_before_a_login_that_is_kept(console: Shell, sandbox: Sandbox) -> None:
    """Who sets a key means it: the token is neither sent nor used up."""
    with_login(console).run("login")
    before = kept(console).read_text()
    key = {"GMI_API_KEY": sandbox.api_key, "GMI_BASE_URL": sandbox.url}
    ran = Shell(folder=console.folder, extra={**console.extra, **key}).run("models", "Veo3")

    assert ran.code == 0, ran.err
    assert kept(console).read_text() == before


def test_a_door_that_is_named_goes_before_a_login_that_is_kept(console: Shell) -> None:
    """Who asks for the apikey door hears that its key is missing; the token is not used up."""
    with_login(console).run("login")
    before = kept(console).read_text()
    ran = Shell(folder=console.folder, extra={**console.extra, "GMI_DOOR": "apikey"}).run("models")

    assert (ran.code, "no API key" in ran.err) == (2, True), ran.err
    assert kept(console).read_text() == before


def test_a_login_that_cannot_be_kept_says_so(console: Shell) -> None:
    """Neither a folder that cannot be made nor a file that cannot be written ends in a success or a bare reason."""
    kept(console).mkdir(parents=True)
    unwritten = with_login(console).run("login")
    file = console.folder / "file"
    file.touch()
    unmade = with_login(console, XDG_STATE_HOME=str(file)).run("login")

    assert (unwritten.code, unwritten.out) == (2, "")
    assert f"could not be kept in {kept(console)}" in unwritten.err
    assert (unmade.code, f"cannot be kept in {file}" in unmade.err) == (2, True)


def test_logout_waits_for_a_command_that_renews(console: Shell) -> None:
    """A login is not written again behind its back: after `logout` nothing is left."""
    slow = [Behaviour(answers_after=40_000)]
    with serving(Script(refreshes=slow), speed=20_000) as sandbox:
        shell = Shell(folder=console.folder, extra={**console.extra, "GMI_BASE_URL": sandbox.console_url})
        with_login(shell).run("login")
        running = shell.start("models", "Veo3")
        end = time.monotonic() + 30
        while sandbox.count_calls("refresh") == 0 and time.monotonic() < end:
            time.sleep(0.02)
        gone = shell.run("logout")
        running.communicate(timeout=60)

        assert (running.returncode, gone.code) == (0, 0)
        assert not kept(shell).exists()


def test_a_kept_login_goes_to_no_other_address(console: Shell) -> None:
    """A token of one service is not sent to another that GMI_BASE_URL names."""
    with_login(console).run("login")
    elsewhere = {"GMI_BASE_URL": "http://127.0.0.1:1/api/v1/ie/requestqueue"}
    ran = Shell(folder=console.folder, extra={**console.extra, **elsewhere}).run("models")

    assert (ran.code, "no API key" in ran.err) == (2, True)


def test_the_password_may_come_from_stdin(console: Shell) -> None:
    """For scripts with a password manager: it is on no command line."""
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "gmi_video",
            "login",
            "--email",
            "ada@example.com",
            "--password-stdin",
            "--json",
        ],
        env=environment(None, console.extra),
        input="sandbox-password\n",
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["email"] == "ada@example.com"


def test_a_wrong_password_keeps_what_was_kept(console: Shell) -> None:
    """The refusal is a sentence and exit code 3; the login from before is still good."""
    with_login(console).run("login")
    before = kept(console).read_text()
    ran = with_login(console, GMI_CLOUD_PASSWORD="wrong").run("login")

    assert (ran.code, "Invalid email or password" in ran.err) == (3, True)
    assert kept(console).read_text() == before
    assert console.run("models").code == 0


def test_commands_that_run_at_once_share_the_kept_login(console: Shell) -> None:
    """Each refresh token is good once: however slow the refresh, they renew one after the other, and none is refused."""
    slow = [Behaviour(answers_after=20_000)] * 3
    with serving(Script(refreshes=slow), speed=20_000) as sandbox:
        shell = Shell(folder=console.folder, extra={**console.extra, "GMI_BASE_URL": sandbox.console_url})
        with_login(shell).run("login")
        running = [shell.start("models", "Veo3") for _ in range(3)]
        done = [process.communicate(timeout=60) for process in running]

        assert [process.returncode for process in running] == [0, 0, 0], done
        assert [call.status for call in sandbox.calls if call.operation == "refresh"] == [200] * 3


def test_without_a_terminal_nobody_is_asked(console: Shell) -> None:
    """A missing e-mail is wrong usage, not a command that hangs."""
    ran = console.spawn("login")

    assert (ran.code, ran.out) == (2, "")
    assert "no terminal to ask at" in ran.err


@pytest.fixture(scope="module")
def guarded() -> Iterator[Sandbox]:
    with serving() as sandbox:
        sandbox.one_time_code = "123456"
        yield sandbox


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="a terminal of its own is made with openpty")
def test_a_one_time_code_is_asked_for_at_the_terminal(console: Shell, guarded: Sandbox) -> None:
    """A wrong one is asked for again; the password is never echoed."""
    ours, theirs = os.openpty()
    where = {**console.extra, "GMI_BASE_URL": guarded.console_url}
    process = subprocess.Popen(
        [sys.executable, "-m", "gmi_video", "login"],
        env=environment(None, where),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    seen = ""
    for question, answer in (
        ("E-mail: ", "ada@example.com"),
        ("Password: ", "sandbox-password"),
        ("One-time code: ", "000000"),
        ("that one was wrong", "123456"),
        ("To forget it", ""),
    ):
        seen += read_until(ours, question)
        os.write(ours, f"{answer}\n".encode())
    process.wait(timeout=30)
    os.close(ours)

    assert process.returncode == 0, seen
    assert_discreet(Ran(code=0, out=seen, err=""))


def read_until(terminal: int, words: str) -> str:
    """What a terminal shows up to some words; fails after half a minute."""
    seen, latest = "", time.monotonic() + 30
    while words not in seen:
        assert time.monotonic() < latest, seen
        seen += os.read(terminal, 1024).decode()
    return seen
