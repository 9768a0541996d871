"""Access tokens that end in the middle of a fleet: one renewal for all who wait, and nobody fails."""

import asyncio
from random import Random

import pytest
from attrs import evolve
from scene import EAGLE, ours, told, words

from gmi_video import Session, errors
from gmi_video.sandbox import Behaviour, Faults, Sandbox, Script
from gmi_video.testing import run

LONG = Behaviour(seconds=600, queued=5)


def refusals(sandbox: Sandbox) -> int:
    return sum(1 for call in sandbox.calls if call.status == 401)


@pytest.mark.parametrize("count", [200, pytest.param(1000, marks=pytest.mark.soak)])
def test_all_looks_in_flight_share_one_refresh(count: int) -> None:
    """The token dies under hundreds of looks: all are refused, one refresh is made, and each look is answered."""

    async def main() -> None:
        looks = [None] * 2 * count + [Behaviour(answers_after=20)] * count
        script = Script(models={"*": LONG}, looks=looks, refreshes=[Behaviour(answers_after=3)])
        async with Sandbox(script, render=False) as sandbox:
            settings = evolve(sandbox.settings_at("console"), concurrency=count, check="off")
            async with Session(settings, rng=Random(0)) as session:
                request_id = (await session.submit(EAGLE)).request_id
                for _ in range(2):  # calls at once begin at four, and double with success
                    await asyncio.gather(*(session.snapshot(request_id) for _ in range(count)))
                work = [asyncio.create_task(session.snapshot(request_id)) for _ in range(count)]
                await asyncio.sleep(5)
                flying = [call for call in sandbox.calls if call.operation == "look" and not call.ended]
                sandbox.expire_tokens()
                snapshots = await asyncio.gather(*work)

            assert (len(flying), len(snapshots)) == (count, count)
            assert (refusals(sandbox), sandbox.count_calls("look")) == (count, 4 * count)
            assert (sandbox.count_calls("refresh"), sandbox.count_calls("login")) == (1, 2)
            assert ours() == []

    run(main())


def test_a_watched_fleet_does_not_notice_that_its_token_died() -> None:
    """A 401 in the middle of a fleet costs one refresh, and no look is missed."""

    async def main() -> None:
        async with Sandbox(Script(models={"*": LONG}), render=False) as sandbox:
            settings = evolve(sandbox.settings_at("console"), concurrency=16)
            async with Session(settings, rng=Random(0)) as session:
                ids = [(await session.submit(EAGLE)).request_id for _ in range(80)]
                work = asyncio.create_task(told(session.watch(ids)))
                await asyncio.sleep(20)
                sandbox.expire_tokens()
                seen = await work

            assert words(seen).count("Succeeded") == 80
            assert "Missed" not in words(seen)
            assert sandbox.count_calls("refresh") == 1

    run(main())


def test_a_token_is_renewed_before_its_end() -> None:
    """Tokens of a minute are renewed in time for ten minutes: the service refuses nothing."""

    async def main() -> None:
        async with Sandbox(Script(models={"*": LONG}), render=False, token_lasts=60) as sandbox:
            async with Session(sandbox.settings_at("console"), rng=Random(0)) as session:
                await session.generate(EAGLE)

            assert refusals(sandbox) == 0
            assert 5 <= sandbox.count_calls("refresh") <= 12
            assert sandbox.count_calls("login") == 2

    run(main())


def test_a_refresh_that_is_refused_becomes_a_login() -> None:
    """Where the refresh token is dead as well, e-mail and password make a new session."""

    async def main() -> None:
        async with Sandbox(Script(models={"*": LONG}), render=False) as sandbox:
            async with Session(sandbox.settings_at("console")) as session:
                accepted = await session.submit(EAGLE)
                sandbox.expire_tokens(refresh=True)
                await asyncio.gather(*(session.snapshot(accepted.request_id) for _ in range(20)))

            assert (sandbox.count_calls("refresh"), sandbox.count_calls("login")) == (1, 4)

    run(main())


def test_a_refresh_whose_answer_was_lost_does_not_end_the_session() -> None:
    """The rotated token was lost with the answer: the old one is refused, and the login is made anew."""

    async def main() -> None:
        script = Script(models={"*": LONG}, faults=Faults(nth={"refresh": {1: "drop_after_accept"}}))
        async with Sandbox(script, render=False) as sandbox:
            async with Session(sandbox.settings_at("console"), rng=Random(0)) as session:
                accepted = await session.submit(EAGLE)
                sandbox.expire_tokens()
                snapshot = await session.snapshot(accepted.request_id)

            assert snapshot.request_id == accepted.request_id
            assert (sandbox.count_calls("refresh"), sandbox.count_calls("login")) == (2, 4)

    run(main())


def test_callers_who_leave_do_not_break_a_refresh_off() -> None:
    """The refresh is heard to its end: the next caller uses its tokens, and asks for none."""

    async def main() -> None:
        script = Script(models={"*": LONG}, refreshes=[Behaviour(answers_after=5)])
        async with Sandbox(script, render=False) as sandbox:
            async with Session(sandbox.settings_at("console")) as session:
                accepted = await session.submit(EAGLE)
                sandbox.expire_tokens()
                for _ in range(3):
                    with pytest.raises(TimeoutError):
                        await asyncio.wait_for(session.snapshot(accepted.request_id), 1)
                await asyncio.sleep(10)
                await session.snapshot(accepted.request_id)

            assert sandbox.count_calls("refresh") == 1

    run(main())


def test_closing_hears_a_refresh_that_is_under_way() -> None:
    """A session that is closed while a token is renewed waits a moment for it, and leaves no task."""

    async def main() -> None:
        script = Script(models={"*": LONG}, refreshes=[Behaviour(answers_after=2)] * 2)
        async with Sandbox(script, render=False) as sandbox:
            session = Session(sandbox.settings_at("console"))
            accepted = await session.submit(EAGLE)
            sandbox.expire_tokens()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(session.snapshot(accepted.request_id), 1)
            await session.aclose()
            assert ours() == []
            again = await session.snapshot(accepted.request_id)
            await session.aclose()

            assert again.request_id == accepted.request_id
            assert (sandbox.count_calls("refresh"), sandbox.count_calls("login")) == (1, 2)

    run(main())


def test_a_login_that_is_over_fails_every_watch_plainly() -> None:
    """Where no token and no password is good, each watch raises its own error, and nobody is asked in turn."""

    async def main() -> None:
        async with Sandbox(Script(models={"*": LONG}), render=False) as sandbox:
            settings = evolve(sandbox.settings_at("console"), concurrency=8)
            async with Session(settings, rng=Random(0)) as session:
                ids = [(await session.submit(EAGLE)).request_id for _ in range(40)]
                works = [asyncio.create_task(told(session.watch(ids[n::4]))) for n in range(4)]
                await asyncio.sleep(20)
                sandbox.expire_tokens(refresh=True)
                sandbox.one_time_code = "now one is wanted, and the password is another"
                sandbox._sessions.password = "changed"
                found = await asyncio.gather(*works, return_exceptions=True)

            assert {type(error) for error in found} == {errors.Unauthorized}
            assert len({id(error) for error in found}) == 4

    run(main())
