"""The command `doctor`: what it tells of the door, and how it explains the usual mistakes, without a secret."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.terminal import Shell, serving
from gmi_video import Login, errors
from gmi_video.cli import diagnosis
from gmi_video.sandbox import Sandbox, Script
from gmi_video.sandbox.answers import Answer
from gmi_video.sandbox.behaviour import Behaviour
from gmi_video.settings import Settings

LOGIN = Login(email="ada@example.com", password="canary-password")
NOW = 1_800_000_000.0


def jwt(**claims: Any) -> str:
    body = urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"eyJhbGciOiJIUzI1NiJ9.{body}.canary-signature"


def plain(folder: Path, **variables: str) -> Shell:
    """A shell with these variables, and no login kept."""
    return Shell(
        folder=folder, extra={"XDG_STATE_HOME": str(folder / "state"), "HOME": str(folder), **variables}
    )


def test_all_is_told_where_all_is_well(shell: Shell) -> None:
    """Door, reason, address, what opens it, what the list answered and the clock, line by line on stdout."""
    ran = shell.spawn("doctor")
    told = dict(line.split(maxsplit=1) for line in ran.out.splitlines() if not line.startswith("GET"))

    assert ran.code == 0, ran.err
    assert told["door"] == "the apikey door, because GMI_API_KEY is set"
    assert told["variables"] == "GMI_API_KEY, GMI_BASE_URL"
    assert "11 characters" in told["opened"]
    assert "GET /models   200 in " in ran.out
    assert "this machine's" in told["clock"]
    assert ran.err == "All is well.\n"


def test_json_is_one_object(shell: Shell) -> None:
    """For scripts: the same words under the same names, with the problems as a list."""
    ran = shell.run("doctor", "--json", "--model", "veo3")

    assert ran.code == 1
    assert "upper and lower case count" in ran.lines[0]["problems"][0]
    assert "'Veo3'" in ran.lines[0]["problems"][0]


def test_each_door_is_examined(tmp_path: Path, sandbox: Sandbox) -> None:
    """At the console it says whose login it is, at the early page where the models are."""
    login = {"GMI_CLOUD_EMAIL": "ada@example.com", "GMI_CLOUD_PASSWORD": "sandbox-password"}
    console = plain(tmp_path, GMI_BASE_URL=sandbox.console_url, **login).run("doctor")
    early = plain(
        tmp_path,
        GMI_DOOR="early",
        GMI_API_KEY=sandbox.api_key,
        GMI_BASE_URL=sandbox.early_url,
        GMI_CATALOG_URL=sandbox.catalog_url,
    ).run("doctor")

    assert (console.code, early.code) == (0, 0), console.err + early.err
    assert "the console door, because GMI_CLOUD_EMAIL and GMI_CLOUD_PASSWORD are set" in console.out
    assert "Ada Sandbox, organisation " in console.out
    assert f"models at     {sandbox.catalog_url}" in early.out


@pytest.mark.parametrize(
    ("variables", "code", "words"),
    [
        ({}, 2, "no API key"),
        ({"GMI_API_KEY": "wrong-canary"}, 3, "the scope of inference, ie_model"),
        (
            {"GMI_API_KEY": "k", "GMI_BASE_URL": "https://api.gmi-serving.com/v1"},
            2,
            "that is the chat endpoint",
        ),
        ({"GMI_API_KEY": "k", "GMI_DOOR": "back"}, 2, "'apikey', 'console' or 'early' is wanted"),
        ({"GMI_CLOUD_EMAIL": "a@example.com"}, 2, "only one of GMI_CLOUD_EMAIL and GMI_CLOUD_PASSWORD"),
        ({"GMI_API_KEY": "k", "GMI_BASE_URL": "http://127.0.0.1:1/x"}, 1, "the service was not reached"),
    ],
)
def test_a_mistake_is_explained(
    tmp_path: Path, sandbox: Sandbox, variables: dict[str, str], code: int, words: str
) -> None:
    """What is wrong is a sentence on stderr, with the exit code that every command has for it."""
    ran = plain(tmp_path, **{"GMI_BASE_URL": sandbox.url, **variables}).run("doctor")

    assert (ran.code, words in ran.err) == (code, True), ran.err
    assert "canary" not in ran.out + ran.err


@pytest.fixture(scope="module")
def refusing() -> Iterator[Sandbox]:
    with serving(Script(catalog=[Behaviour(answer=Answer.html(403))] * 9)) as sandbox:
        yield sandbox


def test_the_edge_that_refuses_a_client_is_told_from_a_bad_key(tmp_path: Path, refusing: Sandbox) -> None:
    """Cloudflare's 1010 is about the network or the client's name, and says so."""
    ran = plain(tmp_path, GMI_API_KEY=refusing.api_key, GMI_BASE_URL=refusing.url).run("doctor")

    assert ran.code == 3
    assert "the key or login is not to blame" in ran.err


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("plain-canary-key", "16 characters"),
        (jwt(exp=NOW + 86_400 * 10), "a JWT, good until 2027-01-25"),
        (jwt(exp=NOW - 86_400), "a JWT, ended on 2027-01-14"),
        (jwt(scope="ie_model"), "a JWT, scope ie_model"),
        (jwt(scope="canary words that are no scope"), "a JWT"),
    ],
)
def test_a_key_is_described_without_a_sign_of_it(key: str, told: str) -> None:
    """Length, kind, scope and end are told; no part of the text is."""
    found = diagnosis.described(key, NOW)

    assert told in found
    assert "canary" not in found
    assert not any(key[n : n + 6] in found for n in range(len(key) - 6) if key[n : n + 6] not in "ie_model")


@pytest.mark.parametrize(
    ("key", "base_url", "words"),
    [
        ('"quoted"', None, "begins with a quote"),
        ("Bearerkey", None, "set the bare key"),
        (jwt(exp=NOW - 5), None, "has ended by its own date"),
        (jwt(scope="ce_resource"), None, "scope of infrastructure"),
        ("k", "https://console.gmicloud.ai/api/v1/ie/requestqueue", "ends in /ie/requestqueue/apikey"),
    ],
)
def test_a_key_s_own_mistakes_show_before_anything_is_sent(
    key: str, base_url: str | None, words: str
) -> None:
    """They are read from the key and the address alone."""
    address: dict[str, Any] = {} if base_url is None else {"base_url": base_url}

    assert any(words in found for found in diagnosis.of_settings(Settings(api_key=key, **address), {}, NOW))
    assert list(diagnosis.of_settings(Settings(api_key="fine"), {}, NOW)) == []


@pytest.mark.parametrize(
    ("error", "given", "words"),
    [
        (errors.NotEntitled("no (403)", status=403), {"organization": "o"}, "GMI_ORG_ID may name another"),
        (errors.Unauthorized("no (error 1010: …)", status=403), {"login": LOGIN}, "login is not to blame"),
        (errors.Rejected("no (405)", status=405), {}, "not the address of the video queue"),
        (errors.MalformedResponse("what?", what="what", path="$"), {}, "something else than the video queue"),
        (errors.Unreachable("its certificate was not accepted"), {}, "name the file of its authority"),
        (errors.Unreachable("no"), {}, "the service was not reached"),
    ],
)
def test_an_answer_is_explained(error: errors.GmiVideoError, given: dict[str, Any], words: str) -> None:
    """Each usual answer has its usual cause."""
    assert any(words in found for found in diagnosis.of_error(error, Settings(api_key="k", **given)))


def test_a_wrong_clock_is_told() -> None:
    """A minute apart is nobody's mistake, an hour is this machine's."""
    assert list(diagnosis.of_skew(60.0)) == []
    assert list(diagnosis.of_skew(None)) == []
    assert "clock is wrong" in next(diagnosis.of_skew(-3600.0))
