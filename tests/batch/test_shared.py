"""One journal and several batches, readers and moments: each is told what the journal has, and nothing is paid twice."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from attrs import evolve

from batch.rundown import MINUTE, charged, rivers, stage, told
from gmi_video import Intent, Limits, State, VideoRequest
from gmi_video.batch import Batch, Journal, JournalLocked, Retry, passes
from gmi_video.batch.errors import LineTaken
from gmi_video.batch.lines import line_of
from gmi_video.batch.shelf import kept
from gmi_video.errors import ConfigurationError, PayloadInvalid
from gmi_video.sandbox import Behaviour, Script
from gmi_video.testing import run

QUICK = Script(models={"*": Behaviour(sync=True)})


def unnamed(count: int) -> list[VideoRequest]:
    """Requests without keys: equal ones are told apart by how many came before them."""
    return [VideoRequest("Veo3", {"prompt": f"river {number}"}) for number in range(count)]


def test_a_list_that_was_mended_is_known_to_the_next_batch_of_the_journal(tmp_path: Path) -> None:
    """A refused request in the middle, and another batch over the same open journal: no line is counted as its twin."""

    async def main() -> tuple[int, set[int]]:
        async with stage(QUICK) as (sandbox, session):
            with Journal(tmp_path / "run.db") as journal:
                with pytest.raises(PayloadInvalid):
                    await Batch(session, journal=journal).add(
                        [*unnamed(3), VideoRequest("Veo3", {"image": b""})]
                    )
                batch = Batch(session, journal=journal)
                new = await batch.add(unnamed(4))
                await told(batch)
            return new, set(charged(sandbox).values())

    assert run(main()) == (1, {1})


def test_a_journal_has_one_batch_at_a_time(tmp_path: Path) -> None:
    """Also where both were given the same open one; after a run another may have it."""

    async def main() -> tuple[int, set[int]]:
        async with stage() as (sandbox, session):
            with Journal(tmp_path / "run.db") as journal:
                one, two = (Batch(session, journal=journal) for _ in range(2))
                await one.add(rivers(3))
                async with one.run():
                    for refused in (two.add(rivers(3)), anext(two.run())):
                        with pytest.raises(JournalLocked, match="in use by another batch of this process"):
                            await refused
                ends = len((await told(two)).ends)
            return ends, set(charged(sandbox).values())

    assert run(main()) == (3, {1})


def test_of_two_submissions_of_a_line_one_is_sent(tmp_path: Path) -> None:
    """Whichever was prepared last: one that may be accepted keeps the others from being sent."""
    first, second = (Intent(id=name, model="Veo3", digest="d", payload={"prompt": "a"}) for name in "ab")

    async def put(journal: Journal, intent: Intent, state: State) -> None:
        changed = evolve(intent, state=state)
        await journal.do(
            lambda connection: kept(
                connection, line=1, intent=changed, reply=b"", told={}, again=False, most=0
            )
        )

    async def main(journal: Journal) -> None:
        await journal.do(passes.begin)
        line = line_of(VideoRequest("Veo3", {"prompt": "a"}), lambda _: "")
        await journal.do(lambda connection: passes.add(connection, 1, [line]))
        await put(journal, first, State.PREPARED)
        await put(journal, second, State.PREPARED)
        await put(journal, first, State.SENDING)
        with pytest.raises(LineTaken):
            await put(journal, second, State.SENDING)
        await put(journal, second, State.REJECTED)
        await put(journal, first, State.SENDING)  # it is the line's own, and may be sent once more

    with Journal(tmp_path / "run.db") as journal:
        asyncio.run(main(journal))


def test_a_narrow_batch_stays_narrow_over_its_runs(tmp_path: Path) -> None:
    """A second run, failed lines and new ones mean what they meant; after its first run it is too late to be narrow."""

    async def main() -> tuple[list[int], int]:
        async with stage(QUICK) as (sandbox, session):
            async with Batch(session, journal=tmp_path / "run.db") as old:
                await old.add(rivers(3, first=50))
            async with Batch(session, journal=tmp_path / "run.db") as batch:
                paid = []
                for first in (0, 10):
                    await batch.add(rivers(2, first=first))
                    assert await batch.narrow() == 3
                    await told(batch)
                    paid.append(len(sandbox.charges))
                assert await batch.retry_failed() == 0
                dropped = await batch.narrow(drop=True)
            with pytest.raises(ConfigurationError, match="this narrow batch was closed"):
                await batch.add(rivers(1))
            async with Batch(session, journal=tmp_path / "run.db") as late:
                await told(late)
                with pytest.raises(ConfigurationError, match="before its first run"):
                    await late.narrow()
            return paid, dropped

    assert run(main()) == ([2, 4], 3)


def test_a_number_is_no_other_lines_after_it_was_dropped(tmp_path: Path) -> None:
    """Whoever still knows a line by it must not be given another one."""

    async def main() -> list[int]:
        async with stage(QUICK) as (_, session):
            for first in (0, 10, 20):
                async with Batch(session, journal=tmp_path / "run.db") as batch:
                    await batch.narrow(drop=True)
                    await batch.add(rivers(2, first=first))
            async with Batch(session, journal=tmp_path / "run.db") as batch:
                return sorted([done.number async for done in batch.run()])

    assert run(main()) == [5, 6]


def test_a_narrow_batch_sets_nothing_aside_that_it_was_not_given(tmp_path: Path) -> None:
    """What a model does to its own lines is not said of those that wait for somebody else."""
    refusing = Script(models={"Veo3": Behaviour(not_entitled=403)})

    async def main() -> tuple[Counter[str], int]:
        async with stage(refusing) as (_, session):
            async with Batch(session, journal=tmp_path / "run.db") as batch:
                await batch.add(rivers(5, first=50))
            async with Batch(session, journal=tmp_path / "run.db") as batch:
                await batch.add(rivers(2))
                await batch.narrow()
                end = await told(batch)
                return end.states, end.statistics.lines.waiting

    assert run(main()) == ({"parked": 2}, 5)


def test_readers_that_add_do_not_wait_for_each_other() -> None:
    """Workers that share a run, each of which adds what follows from an end, come to its end."""

    async def main() -> tuple[int, int]:
        async with stage(QUICK) as (_, session):
            batch = Batch(session)
            await batch.add(rivers(2))
            it, ends = batch.run(), []

            async def work(name: int) -> None:
                async for done in it:
                    ends.append(done.number)
                    if len(ends) <= 4:
                        await batch.add(rivers(1, first=100 * name + len(ends)))

            async with asyncio.timeout(24 * 3600):
                await asyncio.gather(work(1), work(2))
            return len(ends), batch.statistics().lines.done

    ends, done = run(main())
    assert ends == done >= 2


def test_a_request_that_stalled_and_is_tried_again_does_not_keep_the_run_open() -> None:
    """It stalls, fails uncharged, and succeeds with its second submission, beside one that never moves."""
    fails = Behaviour(seconds=4000, queued=4000, fails="rate limit exceeded(RPM)")
    script = Script(models={"*": MINUTE}, submissions=[MINUTE, fails, Behaviour(dead=True)])

    async def main() -> Counter[str]:
        async with stage(script) as (_, session), Batch(session, retry=Retry()) as batch:
            await batch.add(rivers(3))

            async def produce() -> None:
                for number in range(10):
                    await batch.add(rivers(1, first=100 + number))
                    await asyncio.sleep(1000)

            producing = asyncio.create_task(produce())
            async with asyncio.timeout(30 * 24 * 3600):
                states = (await told(batch)).states
            await producing
            return states

    assert run(main()) == {"done": 12, "parked": 1}


@pytest.mark.parametrize("turns", [1, 2, 4, 8, 16])
def test_whoever_waits_for_a_journal_that_is_closed_is_answered(turns: int, tmp_path: Path) -> None:
    """`aclose` in the middle of an `add` hangs nobody, and what was written stays."""

    async def main() -> int:
        async with stage(QUICK) as (_, session):
            batch = Batch(session, journal=tmp_path / "run.db")
            adding = asyncio.create_task(batch.add(rivers(1500)))
            for _ in range(turns):
                await asyncio.sleep(0)
            await batch.aclose()
            async with asyncio.timeout(3600):
                await asyncio.wait((adding,))
            adding.exception()
            async with Batch(session, journal=tmp_path / "run.db") as again:
                await again.add(rivers(1500))
                return again.statistics().lines.total

    assert run(main()) == 1500


@pytest.mark.parametrize("turns", [1, 2, 4])
def test_sums_are_not_changed_under_a_run_that_begins(turns: int) -> None:
    """`retry_failed` while a run begins is refused as it is during one."""

    async def main() -> None:
        async with stage() as (_, session), Batch(session) as batch:
            await batch.add(rivers(2))
            reading = asyncio.ensure_future(told(batch))
            for _ in range(turns):
                await asyncio.sleep(0)
            with pytest.raises(ConfigurationError, match="between two runs"):
                await batch.retry_failed()
            assert (await reading).statistics.lines.done == 2

    run(main())


def test_after_a_run_is_left_the_sums_are_those_of_the_journal(tmp_path: Path) -> None:
    """Lines that stood before the account's limits hold no money that nobody owes."""

    async def main() -> bool:
        async with stage(limits=Limits(submissions=2)) as (_, session):
            with Journal(tmp_path / "run.db") as journal:
                batch = Batch(session, journal=journal, budget=1000)
                await batch.add(rivers(30))
                async with batch.run() as ends:
                    async for _ in ends:
                        break
                mine, its = batch.statistics(), journal.statistics()
            assert (mine.reserved, mine.spent) == (its.reserved, its.spent)
            return evolve(mine.lines, processing=0) == evolve(its.lines, processing=0)

    assert run(main())
