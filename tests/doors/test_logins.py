"""Logging in at the console: passwords, one-time codes, tokens that are kept, and whose session it is."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from attrs import define, evolve, field
from scene import EAGLE, SECONDS

from gmi_video import Login, Session, errors
from gmi_video.sandbox import Behaviour, Faults, Sandbox, Script
from gmi_video.sandbox.answers import Answer
from gmi_video.settings import Settings
from gmi_video.testing import run


@define(eq=False)
class Place:
    """Where a token is kept, in memory; it can fail, and notes when two hold it."""

    token: str | None = None
    fails: bool = False
    saved: list[str] = field(factory=list)
    held: int = 0
    most: int = 0
    lock: asyncio.Lock = field(factory=asyncio.Lock)

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        async with self.lock:
            self.held += 1
            self.most = max(self.most, self.held)
            yield
            self.held -= 1

    async def load(self) -> str | None:
        if self.fails:
            raise OSError(f"cannot read {self.token}")
        return self.token

    async def save(self, token: str) -> None:
        if self.fails:
            raise OSError(f"cannot write {token}")
        self.token = token
        self.saved.append(token)


def codes(*given: str) -> tuple[list[int], Login]:
    """A login that answers each question for a code with the next one, and the attempts that it was told."""
    attempts: list[int] = []

    async def ask(attempt: int) -> str:
        await asyncio.sleep(1)
        attempts.append(attempt)
        return given[attempt - 1]

    return attempts, Login(email="ada@example.com", password="sandbox-password", one_time_code=ask)


def by(sandbox: Sandbox, login: Login) -> Settings:
    return evolve(sandbox.settings_at("console"), login=login)


def test_a_wrong_password_is_one_refusal() -> None:
    """It is raised with the service's words, and is not tried again."""

    async def main() -> None:
        async with Sandbox(render=False) as sandbox:
            async with Session(by(sandbox, Login(email="ada@example.com", password="wrong"))) as session:
                with pytest.raises(errors.Unauthorized, match="Invalid email or password") as caught:
                    await session.models()

            assert "API key" not in str(caught.value)
            assert sandbox.count_calls() == 1

    run(main())


def test_a_line_of_calls_tries_a_wrong_password_once() -> None:
    """Calls that wait for their turn are refused by one login, as more would lock the account; later ones try anew."""

    async def main() -> None:
        async with Sandbox(render=False) as sandbox:
            settings = evolve(
                sandbox.settings_at("console"),
                login=Login(email="ada@example.com", password="wrong-password"),
            )
            async with Session(settings) as session:
                looks = (session.snapshot("r-1") for _ in range(200))
                found = await asyncio.gather(*looks, return_exceptions=True)
                at_once = sandbox.count_calls("login")
                await asyncio.sleep(5)
                with pytest.raises(errors.Unauthorized):
                    await session.models()

            assert {type(error) for error in found} == {errors.Unauthorized}
            assert (at_once, sandbox.count_calls("login")) == (1, 2)

    run(main())


def test_a_submission_with_a_wrong_password_is_never_sent() -> None:
    """Without a token there is no POST to the queue: nothing may be charged."""

    async def main() -> None:
        async with Sandbox(render=False) as sandbox:
            async with Session(by(sandbox, Login(email="ada@example.com", password="wrong"))) as session:
                with pytest.raises(errors.Unauthorized) as caught:
                    await session.submit(EAGLE)

            assert caught.value.charged == "no"
            assert (sandbox.charges, sandbox.count_calls("submit")) == ([], 0)

    run(main())


def test_a_wrong_one_time_code_is_asked_for_again() -> None:
    """The callback is told which attempt it is; with the third code right the session begins."""

    async def main() -> None:
        async with Sandbox(render=False, one_time_code="123456") as sandbox:
            attempts, login = codes("000000", "111111", " 123456\n")
            async with Session(by(sandbox, login)) as session:
                await asyncio.gather(*(session.models() for _ in range(10)))

            assert attempts == [1, 2, 3]
            assert sandbox.count_calls("models") == 1

    run(main())


def test_three_wrong_codes_end_the_login() -> None:
    """After the third the refusal is raised; a verb after a moment begins anew."""

    async def main() -> None:
        async with Sandbox(render=False, one_time_code="123456") as sandbox:
            attempts, login = codes("1", "2", "3", "4")
            async with Session(by(sandbox, login)) as session:
                with pytest.raises(errors.Unauthorized, match="Invalid one-time code"):
                    await session.models()
                assert attempts == [1, 2, 3]
                sandbox.one_time_code = "1"
                await asyncio.sleep(5)
                assert await session.models()

    run(main())


async def _nothing(_: int) -> None:
    return None


@pytest.mark.parametrize("ask", [_nothing, lambda _: "123456"], ids=["returns None", "is not async"])
def test_what_is_no_one_time_code_is_not_sent(ask: Any) -> None:
    """A callable that gives no code, or is not async, is named in a sentence; the account hears of no attempt."""

    async def main() -> None:
        async with Sandbox(render=False, one_time_code="123456") as sandbox:
            login = Login(email="ada@example.com", password="sandbox-password", one_time_code=ask)
            async with Session(by(sandbox, login)) as session:
                with pytest.raises(errors.ConfigurationError, match="one_time_code is async"):
                    await session.models()

            assert sandbox.count_calls("login") == 1

    run(main())


def test_an_account_with_a_second_factor_says_what_it_wants() -> None:
    """Without a callback the error names the argument; nobody is asked on a terminal."""

    async def main() -> None:
        async with Sandbox(render=False, one_time_code="123456") as sandbox:
            login = Login(email="ada@example.com", password="sandbox-password")
            async with Session(by(sandbox, login)) as session:
                with pytest.raises(errors.Unauthorized, match=r"Login\(one_time_code=…\)"):
                    await session.models()

    run(main())


def test_the_profile_says_whose_session_it_is() -> None:
    """User and organisation are told at the console door."""

    async def main() -> None:
        async with Sandbox(render=False) as sandbox, Session(sandbox.settings_at("console")) as session:
            profile = await session.profile()

            assert (profile.email, profile.name, profile.role) == ("ada@example.com", "Ada Sandbox", "owner")
            assert type(profile).from_dict(profile.as_dict()) == profile
            assert profile.organization

    run(main())


def test_a_kept_token_spares_the_next_session_its_login() -> None:
    """It is used up and replaced by each session in turn; e-mail and password are not needed while it lives."""

    async def main() -> None:
        place = Place()
        async with Sandbox(render=False) as sandbox:
            first = Login(email="ada@example.com", password="sandbox-password", keep=place)
            async with Session(by(sandbox, first)) as session:
                await session.models()
            for _ in range(3):
                async with Session(by(sandbox, Login(keep=place))) as session:
                    await session.models()

            assert (sandbox.count_calls("login"), sandbox.count_calls("refresh")) == (2, 3)
            assert len(set(place.saved)) == 4

    run(main())


def test_sessions_that_share_a_kept_token_renew_one_after_the_other() -> None:
    """Each refresh token is good once: whoever comes second finds the first one's successor."""

    async def main() -> None:
        place = Place()
        async with Sandbox(Script(models={"*": SECONDS}), render=False) as sandbox:
            first = Login(email="ada@example.com", password="sandbox-password", keep=place)
            async with Session(by(sandbox, first)) as session:
                await session.models()
            sessions = [Session(by(sandbox, Login(keep=place))) for _ in range(5)]
            await asyncio.gather(*(session.models() for session in sessions))
            sandbox.expire_tokens()
            await asyncio.gather(*(session.profile() for session in sessions))
            for session in sessions:
                await session.aclose()

            assert place.most == 1
            assert (sandbox.count_calls("login"), sandbox.count_calls("refresh")) == (2, 10)
            assert [
                call for call in sandbox.calls if call.operation == "refresh" and call.status != 200
            ] == []

    run(main())


def test_a_kept_token_that_is_dead_says_to_log_in_again() -> None:
    """Without a password there is nothing else to try."""

    async def main() -> None:
        async with Sandbox(render=False) as sandbox:
            async with Session(by(sandbox, Login(keep=Place(token="dead")))) as session:
                with pytest.raises(errors.Unauthorized, match="log in again"):
                    await session.models()

            assert sandbox.count_calls() == 1

    run(main())


def test_a_kept_token_outlives_an_edge_that_refuses_the_client() -> None:
    """Cloudflare's 1010 says nothing of the token: it is told as it is, and the next session goes on with the token."""

    async def main() -> None:
        place = Place()
        async with Sandbox(Script(refreshes=[Behaviour(answer=Answer.html(403))]), render=False) as sandbox:
            first = Login(email="ada@example.com", password="sandbox-password", keep=place)
            async with Session(by(sandbox, first)) as session:
                await session.models()
            async with Session(by(sandbox, Login(keep=place))) as session:
                with pytest.raises(errors.Unauthorized, match="1010"):
                    await session.models()
            async with Session(by(sandbox, Login(keep=place))) as session:
                assert await session.models()

    run(main())


def test_a_renewal_without_a_refresh_token_keeps_the_one_that_was_used() -> None:
    """A service that does not rotate the token costs no second login."""

    async def main() -> None:
        def pair(name: str, **more: str) -> Behaviour:
            return Behaviour(answer=Answer.of({"accessToken": name, **more}))

        logins = [None, pair("a-1", refreshToken="canary-refresh")]
        script = Script(logins=logins, refreshes=[pair("a-2"), pair("a-3")])
        async with Sandbox(script, render=False) as sandbox:
            place = Place()
            login = Login(email="ada@example.com", password="sandbox-password", keep=place)
            async with Session(by(sandbox, login)) as session:
                for _ in range(2):
                    with pytest.raises(errors.Unauthorized):  # no such access token is known there
                        await session.profile()

            assert place.saved == ["canary-refresh"] * 3
            assert (sandbox.count_calls("login"), sandbox.count_calls("refresh")) == (2, 2)

    run(main())


def test_a_place_that_fails_costs_nothing_but_the_keeping(caplog: pytest.LogCaptureFixture) -> None:
    """The session goes on with its password; the log says only what kind of error it was."""

    async def main() -> None:
        place = Place(token="kept-canary", fails=True)
        async with Sandbox(render=False) as sandbox:
            login = Login(email="ada@example.com", password="sandbox-password", keep=place)
            async with Session(by(sandbox, login)) as session:
                assert await session.models()

    run(main())

    assert "could not be kept (OSError)" in caplog.text
    assert "kept-canary" not in caplog.text


def test_a_token_may_come_from_anywhere() -> None:
    """At the console door any async callable may give the access token, as one may give a key."""

    async def main() -> None:
        async with Sandbox(render=False) as sandbox:
            found: list[str] = []

            async def elsewhere() -> str:
                answer = sandbox._sessions._pair(sandbox.now())
                found.append(str(answer.body))
                return str(json.loads(bytes(answer.body))["accessToken"])

            settings = Settings(door="console", api_key=elsewhere, base_url=sandbox.console_url)
            async with Session(settings) as session:
                await session.models()
                sandbox.expire_tokens()
                await session.profile()

            assert len(found) == 2
            assert sandbox.count_calls("login", "refresh") == 0

    run(main())


@pytest.mark.parametrize("fault", ["502", "drop_after_accept", "reset_in_reply", "refuse"])
def test_a_submission_whose_login_was_not_reached_was_not_sent(fault: str) -> None:
    """Whatever befalls the login, the error says that nothing was sent, and the login is tried with patience."""

    async def main() -> None:
        async with Sandbox(Script(faults=Faults(login={fault: 1.0})), render=False) as sandbox:
            settings = evolve(sandbox.settings_at("console"), check="off")
            async with Session(settings) as session:
                with pytest.raises(errors.Unreachable, match="nothing was sent") as caught:
                    await session.submit(EAGLE)
                assert await session.uncertain() == ()

            assert caught.value.charged == "no"
            assert (sandbox.charges, sandbox.count_calls("submit")) == ([], 0)
            assert sandbox.count_calls("login") <= 4

    run(main())
