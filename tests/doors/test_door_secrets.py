"""No password, code or token in any text of the console door, whatever the account service says back."""

import asyncio
import json
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
from attrs import evolve
from peers import Peer, http, peer, saying
from test_secrets import TWICE, assert_discreet, assert_silent, logged, texts

from gmi_video import Login, Notice, Session, errors
from gmi_video.sandbox import Faults, Sandbox, Script
from gmi_video.settings import Settings
from gmi_video.testing import run

EMAIL, PASSWORD, CODE, KEPT = "mail-canary@5", 'password-"canary"-6', "code-canary-7", "kept-canary-8"
SENT = (EMAIL, PASSWORD, KEPT)
TOKENS = ("ticket-canary-9", "access-canary-10", "refresh-canary-11")
CANARIES = (*SENT, CODE, *TOKENS, 'password-\\"canary\\"-6', "password-")


class Place:
    """Holds a token that is never good."""

    @asynccontextmanager
    async def hold(self):  # type: ignore[no-untyped-def]  # the protocol is typed, a test's double need not be
        yield

    async def load(self) -> str | None:
        return KEPT

    async def save(self, token: str) -> None:
        message = f"cannot write {token}"
        raise OSError(message)


async def code(_attempt: int) -> str:
    return CODE


def login() -> Login:
    return Login(email=EMAIL, password=PASSWORD, one_time_code=code, keep=Place())


def settings_at(base: str) -> Settings:
    return Settings(door="console", login=login(), base_url=f"{base}/ie/requestqueue", patience=TWICE)


async def failed(session: Session) -> list[BaseException]:
    """The errors of two verbs, by a caller who shows all frames."""
    found: list[BaseException] = []
    for verb in (session.models, session.profile):
        try:
            await verb()
        except errors.GmiVideoError as error:
            found.append(error)
    return found


ECHO = f"{EMAIL} {PASSWORD} {KEPT} {' '.join(TOKENS)}"
BODIES = {
    "an error in JSON": json.dumps({"message": f"no: {ECHO}"}),
    "a page": f"<html><title>{ECHO}</title></html>",
    "tokens that are cut off": f'{{"accessToken": "{TOKENS[1]}", "refreshToken": "{TOKENS[2]}"',
    "tokens under other names": f'{{"access": "{TOKENS[1]}", "authTokens": "{TOKENS[0]}"}}',
    "tokens that cannot stand in a header": f'{{"accessToken": "{TOKENS[1]}\\n", "authToken": "{TOKENS[0]}\\n"}}',
    "a list": f'["{TOKENS[1]}"]',
}


@pytest.mark.parametrize("status", ["200 OK", "400 No", "401 No", "403 No", "429 No", "500 No", "502 No"])
@pytest.mark.parametrize("body", BODIES)
def test_what_the_account_service_says_back_is_not_repeated(
    body: str, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Echoes of what was sent, and tokens of answers that are not understood, are in no error and no log."""
    caplog.set_level(1)
    sent = status != "200 OK"

    async def main() -> list[BaseException]:
        answer = http(BODIES[body].encode(), status, "Connection: close")
        async with peer(saying(answer)) as it, Session(settings_at(it.url), rng=Random(0)) as session:
            return await failed(session)

    found = run(main(), debug=True)

    canaries = SENT if sent else CANARIES
    assert found
    for error in found:
        assert_silent(texts(error), canaries)
        assert not [each for each in (error.__cause__, error.__context__) if each is not None]
    assert_silent(logged(caplog), canaries)


@pytest.mark.parametrize("status", ["400 No", "401 No", "500 No"])
def test_a_code_that_is_said_back_is_not_repeated(status: str, caplog: pytest.LogCaptureFixture) -> None:
    """The call that turns a ticket and a code into a session is echoed whole, and none of it is shown."""
    caplog.set_level(1)
    ticket = json.dumps({"authToken": TOKENS[0], "is2FARequired": True}).encode()
    echo = json.dumps({"message": f"no: {CODE} {TOKENS[0]} {EMAIL} {PASSWORD}"}).encode()

    async def answer(_peer: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        kept = http(b"", "401 No") if head.startswith("PATCH") else http(echo, status)
        writer.write(http(ticket) if "auth-tokens" in head else kept)

    async def main() -> list[BaseException]:
        async with peer(answer) as it, Session(settings_at(it.url), rng=Random(0)) as session:
            return await failed(session)

    found = run(main(), debug=True)

    assert len(found) == 2
    for error in found:
        assert_discreet(error)
        assert_silent(texts(error), CANARIES)
    assert_silent(logged(caplog), CANARIES)


@pytest.mark.parametrize(
    "fault", ["drop_after_accept", "truncate", "502", "garbage", "redirect_302", "reset_in_reply"]
)
@pytest.mark.parametrize("operation", ["login", "refresh", "profile", "models"])
def test_no_fault_of_the_account_shows_a_token(
    operation: str, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Errors, notices, logs and all that stands in the frames of a failed login hold no secret."""
    caplog.set_level(1)
    told: list[Notice] = []
    issued: list[str] = []

    async def main() -> list[BaseException]:
        shares: dict[str, Any] = {operation: {fault: 1.0}}
        script = Script(faults=Faults(**shares))
        async with Sandbox(script, login=(EMAIL, PASSWORD), one_time_code=CODE, render=False) as sandbox:
            settings = evolve(sandbox.settings_at("console"), login=login(), patience=TWICE)
            async with Session(settings, rng=Random(0), observers=[told.append]) as session:
                found = await failed(session)
                sandbox.expire_tokens()
                found += await failed(session)
                shown = [repr(session), repr(session.settings), *map(repr, asyncio.all_tasks())]
                issued.extend([*sandbox._sessions._access, *sandbox._sessions._refresh])
        assert_silent(shown, CANARIES)
        return found

    found = run(main(), debug=True)

    canaries = (*CANARIES, *issued)
    for error in found:
        assert_silent(texts(error), canaries)
    assert_silent((repr(notice) + repr(notice.as_dict()) for notice in told), canaries)
    assert_silent(logged(caplog), canaries)
    assert told


def test_a_login_that_is_refused_is_discreet_to_its_end() -> None:
    """The whole chain of the error, its pickle included, holds our own classes and no canary."""

    async def main() -> BaseException:
        async with Sandbox(login=(EMAIL, "another"), render=False) as sandbox:
            settings = evolve(sandbox.settings_at("console"), login=login())
            async with Session(settings) as session:
                with pytest.raises(errors.Unauthorized) as caught:
                    await session.models()
                return caught.value

    error = run(main(), debug=True)

    assert_discreet(error)
    assert_silent(texts(error), CANARIES)
