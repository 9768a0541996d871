"""Several tasks at one batch, and moments that are awkward: nothing is paid twice, lost, or counted wrongly."""

import asyncio
from collections import Counter
from functools import partial
from pathlib import Path
from random import Random

import pytest
from attrs import evolve

from batch.rundown import MINUTE, charged, rivers, stage
from gmi_video import Intent, Limits, State, VideoRequest
from gmi_video.batch import Batch, Finished, Journal, JournalFailed, passes, steps
from gmi_video.batch.errors import LineTaken
from gmi_video.batch.lines import line_of
from gmi_video.batch.reading import Run
from gmi_video.batch.records import Tally
from gmi_video.batch.shelf import kept
from gmi_video.errors import ConfigurationError
from gmi_video.sandbox import Behaviour, Script
from gmi_video.testing import run


async def reads(of: Run) -> list[Finished]:
    return [done async for done in of]


def test_workers_that_share_a_run_share_out_its_ends(tmp_path: Path) -> None:
    """Each end goes to one of them, and no second run is begun behind the first: a prompt is charged once."""

    async def main() -> tuple[Counter[object], int, set[int]]:
        async with stage() as (sandbox, session):
            batch = Batch(session, journal=tmp_path / "run.db")
            await batch.add(rivers(40))
            one = batch.run()
            found = await asyncio.gather(*[reads(one) for _ in range(4)])
            again = [done async for done in batch.run()]
            await batch.aclose()
            return (
                Counter(done.key for some in found for done in some),
                len(again),
                set(charged(sandbox).values()),
            )

    keys, again, charges = run(main())
    assert (len(keys), set(keys.values()), again, charges) == (40, {1}, 0, {1})


def test_two_runs_of_one_batch_at_once_are_one_too_many(tmp_path: Path) -> None:
    """The second is told so, whichever begins first, and the first is not disturbed."""

    async def main() -> tuple[list[int], set[int]]:
        async with stage() as (sandbox, session):
            batch = Batch(session, journal=tmp_path / "run.db")
            await batch.add(rivers(20))
            ended = await asyncio.gather(reads(batch.run()), reads(batch.run()), return_exceptions=True)
            (refused,) = [end for end in ended if isinstance(end, ConfigurationError)]
            assert "is running already" in str(refused)
            await batch.aclose()
            return [len(end) for end in ended if isinstance(end, list)], set(charged(sandbox).values())

    assert run(main()) == ([20], {1})


@pytest.mark.parametrize("turns", [1, 2, 4, 8])
def test_a_run_that_begins_hears_that_nothing_more_comes_and_is_sent(turns: int, tmp_path: Path) -> None:
    """`finish` and `drain` count from the moment at which the first end is asked for."""

    async def main() -> tuple[int, int]:
        async with stage() as (sandbox, session):
            batch = Batch(session, journal=tmp_path / "run.db")
            await batch.add(rivers(30))
            reading = asyncio.ensure_future(reads(batch.run()))
            for _ in range(turns):
                await asyncio.sleep(0)
            batch.drain()
            batch.finish()
            ends = await reading
            await batch.aclose()
            return len(ends), len(sandbox.charges)

    ends, paid = run(main())
    assert ends == paid < 30


def test_that_no_more_comes_may_be_said_while_a_run_begins() -> None:
    """What is being added then is still taken; what else its task does is its own affair."""

    async def main() -> int:
        async with stage() as (_, session):
            batch = Batch(session)

            async def produce() -> None:
                await batch.add(rivers(3))
                await asyncio.sleep(10**9)

            reading = asyncio.ensure_future(reads(batch.run()))
            await asyncio.sleep(0)
            producing = asyncio.create_task(produce())
            await asyncio.sleep(0)
            batch.finish()
            async with asyncio.timeout(10**6):
                ends = await reading
            producing.cancel()
            return len(ends)

    assert run(main()) == 3


def test_failed_lines_are_tried_again_between_two_runs() -> None:
    """During one its sums would be those of another."""

    async def main() -> None:
        async with stage() as (_, session), Batch(session) as batch:
            await batch.add(rivers(2))
            async with batch.run():
                await batch.retry_failed()

    with pytest.raises(ConfigurationError, match="try failed lines again between two runs"):
        run(main())


def test_what_is_added_while_a_run_is_drained_is_kept(tmp_path: Path) -> None:
    """A producer is not cut off by the end of the run: all that it gave is in the journal."""

    async def main() -> tuple[int, int]:
        async with stage() as (_, session):
            batch = Batch(session, journal=tmp_path / "run.db")
            await batch.add(rivers(5))

            async def slowly() -> object:
                for request in rivers(50, first=5):
                    await asyncio.sleep(60)
                    yield request

            adding = asyncio.create_task(batch.add(slowly()))  # type: ignore[arg-type]  # an async iterator of requests
            async for _ in batch.run():
                batch.drain()
            new = await adding
            with Journal(tmp_path / "run.db") as journal:  # free by now
                return new, len(list(journal.rows()))

    assert run(main()) == (50, 55)


def test_a_refused_submission_leaves_a_line_that_another_one_has_alone(tmp_path: Path) -> None:
    """The guard that keeps a line from being sent twice must not itself put it back among those that wait."""
    request = VideoRequest("Veo3", {"prompt": "a"})
    first, second = (
        Intent(id=name, model="Veo3", digest="d", payload=request.payload) for name in ("a", "b")
    )

    async def main(journal: Journal) -> tuple[str, str]:
        await journal.do(passes.begin)
        await journal.do(partial(passes.add, one_pass=1, new=[line_of(request, lambda _: "")]))
        put = partial(kept, line=1, reply=b"", told={}, again=False, most=0)
        for state in (State.PREPARED, State.SENDING, State.ACCEPTED):
            await journal.do(partial(put, intent=evolve(first, state=state, request_id="r-1")))
        with pytest.raises(LineTaken):
            await journal.do(partial(put, intent=evolve(second, state=State.SENDING)))
        for state in (State.PREPARED, State.REJECTED):
            await journal.do(partial(put, intent=evolve(second, state=state)))
        line = await journal.do(partial(steps.one, number=1))
        return line.state, line.money

    with Journal(tmp_path / "run.db") as journal:
        assert asyncio.run(main(journal)) == ("running", "spent")


@pytest.mark.parametrize("status", [403, 402])
def test_a_model_that_refuses_one_line_sets_those_aside_that_stand_before_the_accounts_limit(
    status: int,
) -> None:
    """Each line is handed out once, and the sums are those of the lines."""

    async def main() -> tuple[Counter[str], Tally, int]:
        script = Script(submissions=[Behaviour.refused(status, "no")] * 99)
        async with stage(script, limits=Limits(submissions=1)) as (sandbox, session), Batch(session) as batch:
            await batch.add(rivers(10))
            ends = await reads(batch.run())
            return Counter(done.state for done in ends), batch.statistics().lines, len(sandbox.charges)

    states, lines, paid = run(main())
    assert (states, lines.parked, lines.waiting, lines.total, paid) == ({"parked": 10}, 10, 0, 10, 0)


async def woken(rng: Random) -> None:
    """A model that accepts and runs nothing for an hour, with 429s that stand still longer, beside others that run on."""
    waits = [rng.choice([60, 1000, 1900, 2500, 4000, 7000]) for _ in range(12)]
    troubles = [rng.choice([None, None, Behaviour.rate_limited("Veo3", retry_after=wait)]) for wait in waits]
    slow = Behaviour(seconds=rng.choice([3700, 7300]), queued=rng.choice([2500, 3600]))
    script = Script(
        models={"Veo3": slow, "*": Behaviour(seconds=12_000, queued=10)}, submissions=[None, *troubles]
    )
    most = rng.choice([6, 20, 1000])
    async with stage(script) as (sandbox, session), Batch(session, max_in_flight=most) as batch:
        await batch.add(rivers(3, model="wan2.7-t2v", first=100) + rivers(rng.choice([8, 30])))
        async with asyncio.timeout(10 * 24 * 3600):
            ends = await reads(batch.run())
        lines = batch.statistics().lines
    states, numbers = Counter(done.state for done in ends), Counter(done.number for done in ends)
    assert set(charged(sandbox).values()) == set(numbers.values()) == {1}
    assert (states["done"], states["parked"], 0) == (lines.done, lines.parked, lines.waiting)
    assert len(numbers) == lines.total


@pytest.mark.parametrize("seed", range(6))
def test_a_model_that_wakes_up_late_leaves_no_line_out(seed: int) -> None:
    run(woken(Random(seed)))


@pytest.mark.soak
def test_a_model_that_wakes_up_late_leaves_no_line_out_however_it_comes() -> None:
    for seed in range(300):
        run(woken(Random(seed)))


@pytest.mark.parametrize("veo", [Behaviour(not_entitled=403), Behaviour(dead=True)], ids=["refused", "dead"])
def test_what_is_added_to_a_model_that_takes_nothing_is_set_aside_too(veo: Behaviour) -> None:
    """It is handed out with the others, whether the model refused them or never ran one."""

    async def main() -> tuple[Counter[str], int]:
        async with stage(Script(models={"Veo3": veo, "*": MINUTE})) as (_, session), Batch(session) as batch:

            async def produce() -> None:
                await batch.add(rivers(6))
                await asyncio.sleep(7200)
                await batch.add(rivers(3, first=100))

            producing = asyncio.create_task(produce())
            ends = await reads(batch.run())
            await producing
            return Counter(done.state for done in ends), batch.statistics().lines.parked

    assert run(main()) == ({"parked": 9}, 9)


@pytest.mark.parametrize("gone", ["removed", "replaced"])
def test_a_journal_that_is_taken_away_ends_the_submissions(gone: str, tmp_path: Path) -> None:
    """What nobody would find again is not paid for, and no new journal is begun in the old one's place."""
    path = tmp_path / "run.db"

    async def main() -> tuple[int, bool]:
        async with stage(Script(models={"*": MINUTE})) as (sandbox, session):
            batch = Batch(session, journal=path, max_in_flight=2)
            await batch.add(rivers(30))

            async def read() -> None:
                async for _ in batch.run():
                    path.unlink(missing_ok=True)
                    if gone == "replaced":
                        path.write_bytes(b"")

            with pytest.raises(JournalFailed, match="was removed, moved or replaced"):
                await read()
            paid = len(sandbox.charges)
            path.unlink(missing_ok=True)
            with pytest.raises(JournalFailed, match="was removed or moved"):
                await batch.audit()
            await batch.aclose()
            return paid, path.exists()

    paid, there = run(main())
    assert (paid <= 6, there) == (True, False)
