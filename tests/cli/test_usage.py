"""The command line itself: help, wrong usage, a missing extra, a missing key, streams that break."""

import subprocess
import sys
from pathlib import Path

import pytest

from cli.terminal import Shell, environment
from gmi_video import __version__

BLOCKED = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
from gmi_video.__main__ import main
main()
"""


@pytest.mark.parametrize("missing", ["cyclopts", "rich", "platformdirs"])
def test_without_the_extra_it_says_what_to_install(missing: str, tmp_path: Path) -> None:
    """Where the extra is missing the command exits 2 with the exact line that installs it."""
    ran = subprocess.run(
        [sys.executable, "-c", BLOCKED.format(missing=missing), "demo"],
        cwd=tmp_path,
        env=environment(None),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ran.returncode, ran.stdout) == (2, "")
    assert "pip install 'gmi_video[cli]'" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_another_missing_module_is_not_mistaken_for_the_extra(tmp_path: Path) -> None:
    """A dependency of the core that is missing is told as it is."""
    ran = subprocess.run(
        [sys.executable, "-c", BLOCKED.format(missing="attrs"), "demo"],
        cwd=tmp_path,
        env=environment(None),
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 1
    assert "gmi_video[cli]" not in ran.stderr


def test_help_names_every_command(tmp_path: Path) -> None:
    """`--help` tells all commands, the variables and the exit codes, on stdout."""
    ran = Shell(folder=tmp_path).run("--help")

    assert (ran.code, ran.err) == (0, "")
    commands = "demo models model generate submit resume watch status list download sandbox"
    for word in [
        *commands.split(),
        "GMI_API_KEY",
        "GMI_VIDEO_LOG",
        "130 interrupted",
        "--install-completion",
    ]:
        assert word in " ".join(ran.out.split())


def test_the_version_is_told(tmp_path: Path) -> None:
    """`--version` is the package's own."""
    ran = Shell(folder=tmp_path).spawn("--version")

    assert (ran.code, ran.out) == (0, f"gmi-video {__version__}\n")


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        (["watsh"], 'Did you mean "watch"?'),
        (["generate"], "MODEL"),
        (["generate", "m", "-o", "new/"], "'new/' names a folder: say --into new/"),
        (["watch"], "name at least one request id"),
        (["generate", "m", "-p", "prompt"], "is not key=value"),
        (["generate", "m", "-o", "a", "--into", "b"], "not both"),
        (["resume", "r-1", "--deadline", "soon"], "--deadline 'soon'"),
        (["list", "--limit", "0"], "--limit 0"),
        (["list", "--since", "yesterday"], "--since 'yesterday'"),
        (["generate", "m", "--payload", "nothing.json"], "--payload: 'nothing.json' cannot be read"),
        (["generate", "", "-p", "prompt=x"], "is not a model id"),
        (["resume", "a/b"], "is not a request id"),
        (["sandbox", "--port", "99999999"], "--port"),
        (["sandbox", "--speed", "0"], "speed"),
        (["demo", "--speed", "-1"], "speed"),
    ],
)
def test_wrong_usage_is_a_sentence_and_exit_code_2(tokens: list[str], words: str, tmp_path: Path) -> None:
    """Whatever is wrong with a command line, it is told on stderr without a traceback, and nothing is sent."""
    shell = Shell(folder=tmp_path, extra={"GMI_API_KEY": "k", "GMI_BASE_URL": "http://127.0.0.1:9"})

    ran = shell.run(*tokens)

    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err
    assert ran.err.startswith("error: ")
    assert "To pick up" not in ran.err
    assert "Traceback" not in ran.err


def test_without_a_key_the_variable_is_named(tmp_path: Path) -> None:
    """No key is wrong configuration: the sentence names the variable to set."""
    ran = Shell(folder=tmp_path).run("submit", "wan2.7-t2v", "-p", "prompt=x")

    assert (ran.code, ran.out) == (2, "")
    assert "GMI_API_KEY" in ran.err


def test_a_full_disk_under_stdout_is_a_sentence(shell: Shell) -> None:
    """Output that cannot be written is told as the system tells it."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "gmi_video", "models"],
            cwd=shell.folder,
            env=environment(shell.sandbox),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert ran.returncode == 1
    assert ran.stderr == "error: No space left on device\n"


def test_a_reader_that_leaves_early_is_no_error(shell: Shell) -> None:
    """`gmi-video models | head -1` ends without a word on stderr."""
    process = shell.start("models")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    code = process.wait(timeout=60)

    assert (code, said) == (1, "")
