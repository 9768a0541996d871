"""Whatever breaks, breaks as little as it can: one model, one stage, never the batch."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from attrs import evolve

from batch.rundown import MINUTE, WELL, charged, played, rivers, stage, told
from gmi_video import Session, VideoRequest
from gmi_video.batch import Batch, Journal
from gmi_video.errors import Unauthorized
from gmi_video.sandbox import Behaviour, Sandbox, Script
from gmi_video.testing import run


def brooks(count: int) -> list[VideoRequest]:
    """Requests for another model."""
    return [
        VideoRequest("Veo3-Fast", {"prompt": f"brook {n}", "durationSeconds": "4"}, key=f"brook-{n}")
        for n in range(count)
    ]


def test_a_dead_model_costs_four_and_holds_up_nobody() -> None:
    """Of a model that accepts and never runs four are charged; the rest of it is set aside, others are done."""
    dead = Script(models={"Veo3": Behaviour(dead=True), "*": MINUTE})

    end, charges = played([*rivers(50), *brooks(20)], dead, max_in_flight=8)

    assert end.error is None
    assert end.states == {"done": 20, "parked": 50}
    assert sum(count for prompt, count in charges.items() if prompt.startswith("river")) == 4
    assert end.errors == {"GenerationOverdue": 50}


def test_a_model_that_wakes_up_goes_on() -> None:
    """A queue that stands for two hours delays its lines; none of them is given up."""
    slow = Script(models={"Veo3": Behaviour(seconds=7300, queued=7200), "*": MINUTE})

    end, charges = played([*rivers(10), *brooks(30)], slow, max_in_flight=6)
    later = end.states

    assert set(charges.values()) == {1}
    assert later["done"] + later["parked"] == 40
    assert later["failed"] == 0


def test_what_is_set_aside_is_not_at_work_any_more() -> None:
    """A model that begins its requests and ends none: they are set aside, and none is counted as processing."""
    endless = Script(models={"*": Behaviour(seconds=1e9, queued=10)})

    end, _ = played(rivers(3), endless)

    assert end.states == {"parked": 3}
    assert end.statistics.models["Veo3"].processing == 0


def test_a_dead_key_stops_everything_and_fails_nothing(tmp_path: Path) -> None:
    """The key is revoked in the middle: the run ends with `Unauthorized`; with a new key it is finished."""

    async def main() -> tuple[object, int, dict[str, int]]:
        async with stage(Script(models={"*": MINUTE})) as (sandbox, session):
            batch = Batch(session, journal=tmp_path / "run.db", max_in_flight=5)
            await batch.add(rivers(20))
            count = 0
            raised = None
            try:
                async for _ in batch.run():
                    count += 1
                    sandbox.api_key = "another"
            except Unauthorized as error:
                raised = error
            assert batch.statistics().lines.failed == 0
            sandbox.api_key = "sandbox-key"
            end = await told(batch)
            assert end.error is None
            return raised, count + len(end.ends), charged(sandbox)

    raised, ends, charges = run(main())

    assert isinstance(raised, Unauthorized)
    assert ends == 20
    assert set(charges.values()) == {1}


async def vault() -> str:
    """A key that cannot be had."""
    message = "the vault is closed"
    raise RuntimeError(message)


def test_what_ends_a_search_for_a_lost_answer_never_sends_it_anew(tmp_path: Path) -> None:
    """A submission whose fate is not known stays so, whatever ends the search: a later run finds it."""
    lost = Script(submissions=[Behaviour.edge(502, accepted=True)] * 3, models={"*": MINUTE})

    async def main() -> tuple[list[object], dict[str, int], dict[str, int]]:
        async with Sandbox(lost, render=False) as sandbox:
            errors: list[object] = []
            for key in ("sandbox-key", vault, "sandbox-key"):
                async with (
                    Session(evolve(sandbox.settings, api_key=key)) as session,
                    Batch(session, journal=tmp_path / "run.db") as batch,
                ):
                    await batch.add(rivers(3))
                    reading = asyncio.ensure_future(told(batch))
                    while not errors and len(sandbox.charges) < 3:  # noqa: ASYNC110  # virtual time: it costs nothing
                        await asyncio.sleep(0.01)
                    if not errors:  # the first run is broken off in the middle of its search
                        reading.cancel()
                        await asyncio.wait((reading,))
                        errors.append(None)
                        continue
                    end = await reading
                    errors.append(end.error)
            return errors, dict(end.states), charged(sandbox)

    errors, states, charges = run(main())

    assert errors[2] is None
    assert states == {"done": 3}
    assert charges == {"river 0": 1, "river 1": 1, "river 2": 1}


def test_twenty_minutes_without_capacity_fail_nothing() -> None:
    """While the service says 503 a model is asked by one line at a time; then all are done, each charged once."""

    async def main() -> tuple[dict[str, int], int, dict[str, int]]:
        loop = asyncio.get_running_loop()
        over = loop.time() + 1200

        def capacity() -> Iterator[Behaviour | None]:
            while True:
                yield Behaviour.no_capacity() if loop.time() < over else None

        async with (
            stage(Script(submissions=capacity(), models={"*": MINUTE})) as (sandbox, session),
            Batch(session) as batch,
        ):
            await batch.add(rivers(100))
            end = await told(batch)
            return dict(end.states), sandbox.count_calls("submit"), charged(sandbox)

    states, posts, charges = run(main())

    assert states == {"done": 100}
    assert set(charges.values()) == {1}
    assert posts < 100 + 32 + 20


def test_an_outage_fails_nothing() -> None:
    """The port is closed for twenty minutes in the middle of a batch, and every line is done after it."""
    end, charges = played(rivers(40), Script(models={"*": MINUTE}, outages=[(20, 1200)]), max_in_flight=10)

    assert end.states == {"done": 40}
    assert set(charges.values()) == {1}


def test_a_model_with_a_rate_does_not_slow_another() -> None:
    """Two submissions a minute of one model leave another its own pace."""
    script = Script(models={"Veo3": evolve(MINUTE, rpm=2), "*": MINUTE})

    end, _ = played([*rivers(8), *brooks(8)], script)

    order = [str(done.key).startswith("brook") for done in end.ends]
    assert end.states == {"done": 16}
    assert sum(order[:10]) == 8


def test_draining_submits_no_more_and_finishes_what_is_in_flight(tmp_path: Path) -> None:
    """After `drain` the run ends with the lines in flight; the others wait for another run."""

    async def main() -> tuple[int, int, int]:
        async with stage() as (sandbox, session):
            batch = Batch(session, journal=tmp_path / "run.db", max_in_flight=4)
            await batch.add(rivers(20))
            count = 0
            async for _ in batch.run():
                count += 1
                batch.drain()
            posted = len(sandbox.charges)
            return count, posted, count + len((await told(batch)).ends)

    count, posted, together = run(main())

    assert count == posted < 20
    assert together == 20


def test_a_link_that_ran_out_is_asked_for_anew(tmp_path: Path) -> None:
    """Signed links that last a second are fetched again with a fresh one where that is needed."""
    sealed = Script(models={"*": evolve(MINUTE, link_lasts=100, link_ends_as=403)})

    async def main() -> list[str]:
        async with stage(sealed) as (_, session):
            batch = Batch(session, journal=tmp_path / "run.db")
            await batch.add(rivers(2))
            async for _ in batch.run():
                pass
            with Journal(tmp_path / "run.db") as journal:
                await journal.do(
                    lambda connection: connection.execute("UPDATE lines SET state = 'saving', told = 0")
                )
            await asyncio.sleep(3600)
            again = Batch(session, journal=tmp_path / "run.db", out=tmp_path / "videos")
            return [done.state for done in (await told(again)).ends]

    assert run(main()) == ["done", "done"]


def test_a_slow_reader_holds_up_the_stages_and_loses_nothing() -> None:
    """Ends wait for a reader who takes an hour for each; there are never many of them, and all come."""

    async def main() -> int:
        async with stage(WELL) as (_, session), Batch(session, max_in_flight=10) as batch:
            await batch.add(rivers(30))
            count = 0
            async for _ in batch.run():
                await asyncio.sleep(3600)
                count += 1
            return count

    assert run(main()) == 30
