"""What was paid for is fetched in the end: no answer of the storage's, and no file of a stranger's, ends a line without it."""

import asyncio
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from attrs import evolve

from batch.rundown import MINUTE, WELL, charged, rivers, stage, told
from gmi_video import Snapshot
from gmi_video.batch import Batch, Journal
from gmi_video.batch.steps import change, retry_failed
from gmi_video.sandbox import Behaviour, Script
from gmi_video.sandbox.answers import Answer
from gmi_video.sandbox.faults import Drip
from gmi_video.testing import run

BLOCKED = Behaviour(reply=Answer(403, b"<html>blocked by the proxy</html>", "text/html"))


@pytest.mark.parametrize(
    "script",
    [
        Script(models={"*": MINUTE}, media=[BLOCKED] * 3),
        Script(models={"*": MINUTE}, media=[Behaviour(reply=Answer(404, b"", "text/html"))] * 200),
        Script(models={"*": evolve(MINUTE, outcome_after=120)}),
    ],
    ids=["a proxy that blocks", "a storage that knows nothing", "an outcome that comes late"],
)
def test_what_cannot_be_fetched_today_is_fetched_by_a_later_run(script: Script, tmp_path: Path) -> None:
    """A line that was paid for is set aside, with the reason, until its file is there; nothing is charged again."""

    async def main() -> tuple[set[str], set[str], set[int]]:
        async with stage(script) as (sandbox, session):
            batch = Batch(session, journal=tmp_path / "run.db", out=tmp_path / "videos")
            await batch.add(rivers(3))
            first = await told(batch)
            assert all(done.error is not None for done in first.ends if done.state == "parked")
            ends = {done.number for done in first.ends if done.state == "done"}
            for _ in range(70):
                await asyncio.sleep(3600)
                ends |= {done.number for done in (await told(batch)).ends if done.state == "done"}
                if len(ends) == 3:
                    break
            return set(first.states), {str(count) for count in charged(sandbox).values()}, ends

    states, charges, ends = run(main())
    assert "failed" not in states
    assert "parked" in states
    assert (charges, ends) == ({"1"}, {1, 2, 3})
    assert len(list((tmp_path / "videos").iterdir())) == 3


def test_a_strangers_file_is_never_taken_for_the_lines_own(tmp_path: Path) -> None:
    """One that appears under its name while it comes is left alone, and the video gets a name of its own."""
    slow = Script(models={"*": MINUTE}, media=[Behaviour(fault=Drip(interval=0.5, size=100))])
    videos = tmp_path / "videos"

    async def main() -> list[str]:
        async with stage(slow) as (_, session):
            batch = Batch(session, journal=tmp_path / "run.db", out=videos)
            await batch.add(rivers(1))
            running = asyncio.ensure_future(told(batch))
            await asyncio.sleep(90)
            assert list(videos.glob(".gmi_video-*.part"))
            (videos / "Veo3-0.mp4").write_bytes(b"mine")
            (done,) = (await running).ends
            return [stored.location for stored in done.stored]

    (location,) = run(main())
    assert (videos / "Veo3-0.mp4").read_bytes() == b"mine"
    assert Path(location).name.startswith("Veo3-0-")
    assert Path(location).stat().st_size > 1000


def test_a_file_that_a_killed_process_left_is_held_against_the_storages(tmp_path: Path) -> None:
    """Under the line's name there may be its own video, or another one's: only the first counts."""
    journal, videos = tmp_path / "run.db", tmp_path / "videos"

    async def main() -> list[str]:
        async with stage(WELL) as (sandbox, session):
            batch = Batch(session, journal=journal, out=videos)
            await batch.add(rivers(2))
            await told(batch)
            before = len([call for call in sandbox.calls if call.origin == "media"])
            own = (videos / "Veo3-1.mp4").read_bytes()
            (videos / "Veo3-0.mp4").write_bytes(own[:-1] + b"?")
            with Journal(journal) as kept:
                for number in (1, 2):
                    await kept.do(lambda c, n=number: change(c, n, state="saving", told=0, files=None))  # type: ignore[misc]  # a lambda has no types of its own
            again = Batch(session, journal=journal, out=videos)
            ends = sorted((await told(again)).ends, key=lambda done: done.number)
            assert len([call for call in sandbox.calls if call.origin == "media"]) == before + 3
            return [Path(done.stored[0].location).name for done in ends]

    first, second = run(main())
    assert (first.startswith("Veo3-0-"), second) == (True, "Veo3-1.mp4")
    assert len(list(videos.iterdir())) == 3


def test_two_batches_of_one_folder_get_a_file_for_each_line(tmp_path: Path) -> None:
    """Run side by side over equal names, neither takes the other's file, then or later."""
    slow = Script(models={"*": evolve(MINUTE, seconds=60)}, media=[Behaviour(fault=Drip(interval=0.4))] * 8)
    videos = tmp_path / "videos"

    async def main() -> list[str]:
        async with stage(slow) as (_, session):
            batches = [Batch(session, journal=tmp_path / f"{name}.db", out=videos) for name in "ab"]
            for batch in batches:
                await batch.add(rivers(4))
            ends = await asyncio.gather(*map(told, batches))
            return [stored.location for end in ends for done in end.ends for stored in done.stored]

    locations = run(main())
    assert len(set(locations)) == 8
    assert len(list(videos.iterdir())) == 8


def test_a_failed_line_that_was_paid_for_is_looked_at_again_and_not_sent_again(tmp_path: Path) -> None:
    """What an earlier version gave up is fetched by `retry_failed`, for the money that was spent on it."""
    journal = tmp_path / "run.db"

    async def main() -> tuple[int, int, Counter[str], int]:
        async with stage(WELL) as (sandbox, session):
            batch = Batch(session, journal=journal)
            await batch.add(rivers(2))
            await told(batch)
            with Journal(journal) as kept:
                await kept.do(lambda c: change(c, 1, state="failed", reason="the link leads nowhere"))
            again = Batch(session, journal=journal, out=tmp_path / "videos")
            nothing = len((await told(again)).ends)
            count = await again.retry_failed()
            ends = (await told(again)).states
            return nothing, count, ends, len(sandbox.charges)

    assert run(main()) == (0, 1, {"done": 1}, 2)
    assert len(list((tmp_path / "videos").iterdir())) == 1


def test_an_orphan_takes_no_line_that_was_charged(tmp_path: Path) -> None:
    """A line whose own request cost money keeps it: what is adopted beside it costs its own, and the sum is both."""
    journal = tmp_path / "run.db"

    async def main() -> tuple[int, str]:
        async with stage(WELL) as (_, session):
            batch = Batch(session, journal=journal)
            await batch.add(rivers(1))
            await told(batch)
            spent = batch.statistics().spent
            await batch.aclose()
            with Journal(journal) as kept:
                await kept.do(lambda c: change(c, 1, state="failed"))
            snapshot: Snapshot = await session.submit(rivers(1)[0])
            async with Batch(session, journal=journal) as again:
                (orphan,) = await again.audit()
                assert orphan.request_id == snapshot.request_id
                number = await again.adopt(orphan)
                await told(again)
                return number, str(again.statistics().spent / spent)

    assert run(main()) == (2, "2")


def test_what_the_service_failed_or_cancelled_is_no_paid_file(tmp_path: Path) -> None:
    """`retry_failed` counts neither a request that was stopped, nor one that it sends anew, as a file to fetch."""
    with Journal(tmp_path / "run.db") as journal:
        insert = "INSERT INTO lines (identity, model, digest, payload, added_at, state, money, status, request_id) VALUES"

        async def main() -> tuple[int, list[str]]:
            for number, (money, status) in enumerate([("spent", "cancelled"), ("", "failed")]):
                values = (
                    f"(x'0{number}', 'Veo3', x'', '{{}}', 0, 'failed', '{money}', '{status}', 'r{number}')"
                )
                await journal.do(lambda c, values=values: c.execute(f"{insert} {values}"))  # type: ignore[misc]  # as above
            count = await journal.do(partial(retry_failed, narrow=False))
            states = await journal.do(
                lambda c: [state for (state,) in c.execute("SELECT state FROM lines ORDER BY number")]
            )
            return count, states

        assert asyncio.run(main()) == (1, ["failed", "waiting"])
