"""A key that expires in the middle of a fleet."""

import asyncio
from random import Random

import pytest
from attrs import evolve
from scene import EAGLE, SECONDS, ours, stage, told, words

from gmi_video import Session, errors
from gmi_video.sandbox import Behaviour, Sandbox, Script
from gmi_video.testing import run


class Vault:
    """Gives the sandbox's present key, after a second."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.asked = 0

    async def __call__(self) -> str:
        self.asked += 1
        await asyncio.sleep(1)
        return self.sandbox.api_key


def refusals(sandbox: Sandbox) -> int:
    return sum(1 for call in sandbox.calls if call.status == 401)


def test_a_string_that_died_ends_the_fleet_within_one_round() -> None:
    """Each watch raises its own error; no more calls are made with a dead key than were under way."""

    async def main() -> None:
        async with stage(concurrency=8) as (sandbox, session):
            ids = [(await session.submit(EAGLE)).request_id for _ in range(100)]
            works = [asyncio.create_task(told(session.watch(ids[n::4]))) for n in range(4)]
            await asyncio.sleep(20)
            sandbox.api_key = "another"
            found = await asyncio.gather(*works, return_exceptions=True)
            await asyncio.sleep(100)

            assert [type(error) for error in found] == [errors.Unauthorized] * 4
            assert len({id(error) for error in found}) == 4
            assert 1 <= refusals(sandbox) <= 8
            assert ours() == []

    run(main())


def test_a_callable_is_asked_once_and_the_fleet_goes_on() -> None:
    """All who met the dead key wait for one question, and every request ends as if nothing had been."""

    async def main() -> None:
        slow_looks = [None] * 300 + [Behaviour(answers_after=0.5)] * 200
        script = Script(models={"*": SECONDS}, looks=slow_looks)
        async with Sandbox(script, render=False) as sandbox:
            vault = Vault(sandbox)
            settings = evolve(sandbox.settings, api_key=vault, concurrency=16)
            async with Session(settings, rng=Random(0)) as session:
                ids = [(await session.submit(EAGLE)).request_id for _ in range(100)]
                work = asyncio.create_task(told(session.watch(ids)))
                await asyncio.sleep(20)
                sandbox.api_key = "another"
                seen = await work

            assert vault.asked == 2
            assert 1 <= refusals(sandbox) <= 16
            assert words(seen).count("Succeeded") == 100
            assert "Missed" not in words(seen)

    run(main())


def test_a_callable_that_has_no_other_key_ends_the_fleet() -> None:
    """Where the new key is the dead one, the watches end as with a string; the next verb asks anew."""

    async def main() -> None:
        async with Sandbox(Script(models={"*": SECONDS}), render=False) as sandbox:
            vault = Vault(sandbox)
            async with Session(evolve(sandbox.settings, api_key=vault), rng=Random(0)) as session:
                accepted = await session.submit(EAGLE)
                vault.sandbox = _Stale()  # type: ignore[assignment]  # it only has a key
                sandbox.api_key = "another"
                with pytest.raises(errors.Unauthorized):
                    await told(session.watch([accepted]))
                with pytest.raises(errors.Unauthorized):
                    await asyncio.gather(*(session.snapshot(accepted.request_id) for _ in range(1)))
                asked = vault.asked
                vault.sandbox = sandbox
                after = await session.snapshot(accepted.request_id)

            assert asked == 3
            assert after.request_id == accepted.request_id

    run(main())


class _Stale:
    api_key = "sandbox-key"


def test_a_submission_with_a_dead_key_is_refused_and_costs_nothing() -> None:
    """A 401 on the POST is definite; with a callable the same POST is made once more with the new key."""

    async def main() -> None:
        async with Sandbox(Script(models={"*": SECONDS}), render=False) as sandbox:
            settings = sandbox.settings
            sandbox.api_key = "another"
            async with Session(settings, rng=Random(0)) as session:
                with pytest.raises(errors.Unauthorized) as caught:
                    await session.submit(EAGLE)
                assert (caught.value.charged, sandbox.charges) == ("no", [])

            vault = Vault(sandbox)
            async with Session(evolve(settings, api_key=vault), rng=Random(0)) as session:
                await session.submit(EAGLE)
                sandbox.api_key = "a-third"
                await session.submit(EAGLE)

            assert len(sandbox.charges) == 2
            assert vault.asked == 2

    run(main())
