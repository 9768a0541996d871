"""Hundreds of requests through one poller (thousands with `-m soak`), with every promise counted at the server."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Literal

import pytest
from attrs import evolve
from scene import left_in, ours, stage, told, words

from gmi_video import Session, VideoRequest
from gmi_video.events import Event, Missed, Progressed, Succeeded
from gmi_video.sandbox import Behaviour, Sandbox, Script
from gmi_video.settings import Limits, Pace
from gmi_video.testing import run

ROW = VideoRequest("wan2.7-t2v", {"prompt": "a paper boat"})


def many(count: int) -> Script:
    """Lives of a minute or two, most of which succeed; looks that take a second and fail now and then."""
    kinds = [
        Behaviour(seconds=60, queued=5),
        Behaviour(seconds=150, queued=30),
        Behaviour(seconds=50, queued=5, fails="the dog ate it"),
        Behaviour(seconds=30, queued=5, cancelled=True),
    ]
    rng = Random(7)
    slow = Behaviour(answers_after=1)
    bad = [Behaviour.edge(502), Behaviour.garbage(), Behaviour.no_capacity()]
    looks = [rng.choice(bad) if rng.random() < 0.02 else slow for _ in range(4 * count)]
    return Script(submissions=[kinds[n % 4] for n in range(count)], looks=looks)


@pytest.mark.parametrize(
    ("count", "sweep"), [(500, "never"), pytest.param(5000, "auto", marks=pytest.mark.soak)]
)
def test_many_ids_at_concurrency_thirty_two(count: int, sweep: Literal["never", "auto"]) -> None:
    """Each id ends in exactly one final event under its own key, and the server never sees 33 looks at once."""

    async def main() -> None:
        async with Sandbox(many(count), render=False, keep_calls=False) as sandbox:
            settings = evolve(sandbox.settings, concurrency=32, pace=Pace(first=80, longest=100, sweep=sweep))
            async with Session(settings, rng=Random(0)) as session:
                batch = [session.submit(evolve(ROW, key=number)) for number in range(count)]
                accepted = await asyncio.gather(*batch)
                keys = {snapshot.request_id: number for number, snapshot in enumerate(accepted)}
                finals: Counter[str] = Counter()
                missed = 0
                async with session.watch(keys) as events:
                    async for event in events:
                        assert event.key == keys[event.request_id]
                        finals[event.request_id] += event.final
                        missed += isinstance(event, Missed)

            assert finals == Counter(dict.fromkeys(keys, 1))
            assert len(keys) == len(sandbox.charges) == count
            assert missed > count / 500
            assert sandbox.peak_calls("look") == 32
            assert sandbox.count_calls("look") < 3 * count
            assert ours() == []

    run(main())


def test_ids_may_come_slower_than_they_end() -> None:
    """An async source that is still producing while its first ids end: the watch waits for the last."""

    async def main() -> None:
        async with stage(Script(models={"*": Behaviour(seconds=10, queued=1)})) as (sandbox, session):
            made: list[str] = []

            async def producing() -> AsyncIterator[str]:
                for _ in range(20):
                    await asyncio.sleep(60)
                    made.append((await session.submit(ROW)).request_id)
                    yield made[-1]

            seen = await told(session.watch(producing()))

        assert [event.request_id for event in seen if event.final] == made
        assert len(sandbox.charges) == 20

    run(main())


@pytest.mark.parametrize("seed", range(3))
def test_two_runs_of_one_seed_tell_the_same(seed: int) -> None:
    """On a virtual loop the same seeds give the same events at the same moments."""

    async def main() -> list[tuple[str, float]]:
        async with (
            Sandbox(seed=seed, render=False) as sandbox,
            Session(sandbox.settings, rng=Random(seed)) as session,
        ):
            ids = [(await session.submit(ROW)).request_id for _ in range(10)]
            return [
                (f"{event.request_id} {type(event).__name__}", round(event.elapsed, 6))
                for event in await told(session.watch(ids))
            ]

    assert run(main()) == run(main())


def test_a_pipeline_carries_each_video_as_it_is_done(tmp_path: Path) -> None:
    """Submitting, watching and saving at once: every file is there, no more downloads at once than the limit."""

    async def main() -> None:
        lives = [Behaviour(seconds=20 + 3 * n, queued=1) for n in range(30)]
        script = Script(submissions=lives, media=[Behaviour(answers_after=5)] * 30)
        async with stage(script, limits=Limits(downloads=4)) as (sandbox, session):
            async with session.watch(keep_open=True) as events, asyncio.TaskGroup() as group:

                async def feed() -> None:
                    for _ in range(30):
                        await events.add([await session.submit(ROW)])
                        await asyncio.sleep(1)
                    events.finish()

                async def save(event: Event) -> None:
                    await session.download(event, into=tmp_path)

                group.create_task(feed())
                async for event in events:
                    if isinstance(event, Succeeded):
                        group.create_task(save(event))

            assert len(sandbox.charges) == 30
            assert sandbox.peak_calls("media") <= 4
            assert left_in(tmp_path) == sorted(f"{charge.request_id}.mp4" for charge in sandbox.charges)

    run(main())


def test_a_web_page_with_many_viewers() -> None:
    """Viewers come and go at all times; each sees the state at once and the end, for the price of one poll."""

    async def main() -> None:
        pace = Pace(first=2, growth=1, longest=2, jitter=0)
        async with stage(Script(models={"*": Behaviour(seconds=100, queued=5)}), pace=pace) as (
            sandbox,
            session,
        ):
            accepted = await session.submit(ROW)
            rng = Random(3)
            endings: Counter[str] = Counter()

            async def viewer() -> None:
                await asyncio.sleep(rng.uniform(0, 99))
                leaves_after = rng.choice([1, 2, 99])
                seen = []
                async for event in session.watch([accepted.request_id]):
                    seen.append(event)
                    if len(seen) == leaves_after:
                        break
                assert isinstance(seen[0], Progressed)
                endings[words(seen)[-1]] += 1

            async with asyncio.TaskGroup() as group:
                group.create_task(told(session.watch([accepted.request_id])))
                for _ in range(200):
                    group.create_task(viewer())

            assert sandbox.count_calls("look") <= 51
            assert endings["Succeeded"] > 50
            assert endings["Progressed"] > 50
            assert ours() == []

    run(main())
