"""A batch that sends what it was given and nothing else that its journal has."""

from pathlib import Path

import pytest

from batch.rundown import rivers, stage
from gmi_video import VideoRequest
from gmi_video.batch import Batch, Journal
from gmi_video.errors import ConfigurationError
from gmi_video.sandbox import Script
from gmi_video.sandbox.behaviour import Behaviour
from gmi_video.testing import run

QUICK = Script(models={"*": Behaviour(sync=True)})


def states(journal: Path) -> list[tuple[object, str]]:
    """Key and state of each line."""
    with Journal(journal, readonly=True) as opened:
        return [(row.key, row.state) for row in opened.rows()]


def test_lines_that_were_not_given_are_left_waiting(tmp_path: Path) -> None:
    """What another file, or the same for another model, brought and was not sent stays so; nothing is paid for it."""
    path = tmp_path / "run.db"

    async def main() -> tuple[list[int], int, list[object], int]:
        async with stage(QUICK) as (sandbox, session):
            async with Batch(session, journal=path) as batch:
                await batch.add(rivers(4))
            async with Batch(session, journal=path) as batch:
                new = [await batch.add(given) for given in (rivers(2), rivers(2, model="wan2.7-t2v"))]
                left = await batch.narrow()
                ends = sorted([done.key async for done in batch.run()], key=str)
            return new, left, ends, len(sandbox.charges)

    ended = ["Veo3-0", "Veo3-1", "wan2.7-t2v-0", "wan2.7-t2v-1"]
    assert run(main()) == ([0, 2], 2, ended, 4)
    assert {key for key, state in states(path) if state == "waiting"} == {"Veo3-2", "Veo3-3"}


def test_a_batch_that_is_not_narrow_sends_what_was_left(tmp_path: Path) -> None:
    """Lines that were left waiting are no lost ones: a batch over the journal takes them up."""
    path = tmp_path / "run.db"

    async def main() -> list[int]:
        async with stage(QUICK) as (sandbox, session):
            async with Batch(session, journal=path) as batch:
                await batch.add(rivers(4))
            paid = []
            for narrow in (True, False):
                async with Batch(session, journal=path) as batch:
                    if narrow:
                        assert await batch.narrow() == 4
                    async for _ in batch.run():
                        pass
                paid.append(len(sandbox.charges))
            return paid

    assert run(main()) == [0, 4]
    assert [state for _, state in states(path)] == ["done"] * 4


def test_dropped_lines_are_gone_and_what_was_paid_is_not(tmp_path: Path) -> None:
    """`drop` takes out what cost nothing; a new line in an old one's place has none of its past."""
    path = tmp_path / "run.db"
    refused = Script(
        models={"*": Behaviour(sync=True)}, submissions=[None, *[Behaviour.refused(400, "no")] * 2]
    )

    async def main() -> tuple[int, ...]:
        async with stage(refused) as (_, session):
            async with Batch(session, journal=path) as batch:
                for requests in (rivers(1, model="wan2.7-t2v"), rivers(2)):
                    await batch.add(requests)
                    async for _ in batch.run():
                        pass
                assert await batch.retry_failed() == 2
            async with Batch(session, journal=path) as batch:
                await batch.add(rivers(1, model="wan2.7-t2v"))
                dropped = await batch.narrow(drop=True)
                total = batch.statistics().lines.total
                await batch.add(rivers(1, first=5))
                attempts = [done.attempts async for done in batch.run()]
            return dropped, total, *attempts

    assert run(main()) == (2, 1, 1)
    assert states(path) == [("wan2.7-t2v-0", "done"), ("Veo3-5", "done")]


def test_failed_lines_that_were_not_given_stay_failed(tmp_path: Path) -> None:
    """Whether they are tried again is for whoever gives them."""
    path = tmp_path / "run.db"
    refused = Script(models={"*": Behaviour(sync=True)}, submissions=[Behaviour.refused(400, "no")] * 2)

    async def main() -> int:
        async with stage(refused) as (_, session):
            async with Batch(session, journal=path) as batch:
                await batch.add(rivers(2))
                async for _ in batch.run():
                    pass
            async with Batch(session, journal=path) as batch:
                await batch.add(rivers(1))
                assert await batch.narrow() == 0
                again = await batch.retry_failed()
                async for _ in batch.run():
                    pass
            return again

    assert run(main()) == 1
    assert states(path) == [("Veo3-0", "done"), ("Veo3-1", "failed")]


def test_a_run_is_not_made_narrow_under_way() -> None:
    """What is being sent cannot be taken out."""

    async def main() -> None:
        async with stage() as (_, session), Batch(session) as batch:
            await batch.add([VideoRequest("Veo3", {"prompt": "a"})])
            async with batch.run():
                await batch.narrow()

    with pytest.raises(ConfigurationError, match="make a batch narrow between two runs"):
        run(main())
