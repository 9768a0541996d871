"""A session with many requests, over real loopback sockets in virtual time: what the server counts."""

import asyncio
import contextlib
from itertools import pairwise
from random import Random

import pytest
from attrs import evolve
from scene import EAGLE, SECONDS, stage, told

from gmi_video import Limits, Pace, Session, Settings, errors
from gmi_video.events import Progressed, Succeeded
from gmi_video.sandbox import Behaviour, Script
from gmi_video.testing import run


async def fleet(session: Session, count: int) -> list[str]:
    """The ids of so many requests, all submitted at once."""
    accepted = await asyncio.gather(*(session.submit(EAGLE) for _ in range(count)))
    return [snapshot.request_id for snapshot in accepted]


def test_pages_stand_for_looks_and_every_end_is_told() -> None:
    """A hundred and fifty requests end in one event each, for fewer calls than requests times three."""

    async def main() -> None:
        script = Script(models={"*": Behaviour(median=60, sigma=0.3, queued=5)})
        async with stage(script) as (sandbox, session):
            ids = await fleet(session, 150)
            before = len(sandbox.calls)
            events = await told(session.watch(ids))
            statistics = session.statistics()
            calls = [call.operation for call in sandbox.calls[before:]]

        assert sorted(event.request_id for event in events if event.final) == sorted(ids)
        assert all(isinstance(event, Succeeded) for event in events if event.final)
        assert len(calls) < 3 * 150
        assert statistics.pages == calls.count("list") > 0
        assert statistics.looks == calls.count("look")

    run(main())


def test_a_success_without_an_outcome_in_a_page_is_confirmed_by_looks() -> None:
    """An end whose links come late is told with its links, as if no page had spoken of it."""

    async def main() -> None:
        script = Script(models={"*": evolve(SECONDS, outcome_after=6)})
        async with stage(script) as (_, session):
            events = await told(session.watch(await fleet(session, 40)))
        ends = [event for event in events if isinstance(event, Succeeded)]

        assert len(ends) == 40
        assert all(end.snapshot.outcome and end.snapshot.outcome.media for end in ends)

    run(main())


def test_calls_per_second_is_what_the_server_counts() -> None:
    """With a ceiling of five the server never sees more than six calls in a second, and intervals stretch evenly."""

    async def main() -> None:
        limits = Limits(calls_per_second=5)
        pace = Pace(first=1, growth=1, longest=1, jitter=0, sweep="never")
        script = Script(models={"*": Behaviour(dead=True)})
        async with stage(script, limits=limits, pace=pace) as (sandbox, session):
            ids = await fleet(session, 30)
            await told(session.watch(ids, deadline=120))
            times = sorted(call.at for call in sandbox.calls)
            looks = {name: [call.at for call in sandbox.calls if call.path.endswith(name)] for name in ids}

        assert max(sum(begin <= at < begin + 1 for at in times) for begin in times) <= 6
        gaps = [after - before for at in looks.values() for before, after in pairwise(at[1:])]
        assert max(gaps) <= 1.5 * 30 / 5
        assert min(gaps) >= 30 / 5 / 1.5

    run(main())


def test_a_stated_limit_paces_submissions_in_bulk() -> None:
    """On a model that takes two a minute five submissions in bulk are all accepted, none refused to the caller."""

    async def main() -> None:
        script = Script(models={"*": evolve(SECONDS, rpm=2, rpm_seconds=60)})
        async with stage(script, lane="bulk") as (sandbox, session):
            ids = await fleet(session, 5)
            loop = asyncio.get_running_loop()
            begun = sandbox.calls[0].at

            assert len(set(ids)) == 5
            assert (
                len([call for call in sandbox.calls if call.operation == "submit" and call.status == 429])
                <= 3
            )
            assert loop.time() > 0
            assert max(call.at for call in sandbox.calls) - begun < 200

    run(main())


def test_a_submission_waits_no_longer_than_it_may() -> None:
    """With `wait` a submission that the limits hold back raises `RateLimited`, and nothing was sent."""

    async def main() -> None:
        script = Script(models={"*": evolve(SECONDS, rpm=1, rpm_seconds=60)})
        async with stage(script) as (sandbox, session):
            await session.submit(EAGLE)
            with pytest.raises(errors.RateLimited):
                await session.submit(EAGLE)
            sent = len([call for call in sandbox.calls if call.operation == "submit"])
            with pytest.raises(errors.RateLimited) as caught:
                await session.using(wait=5.0).submit(EAGLE)
            again = len([call for call in sandbox.calls if call.operation == "submit"])

            assert caught.value.retry_after is not None
            assert caught.value.charged == "no"
            assert (sent, again) == (2, 2)

    run(main())


def test_a_model_that_runs_nothing_gets_four_requests() -> None:
    """With `unproven=4` ten submissions to a dead model cost four; as soon as one moves, all go."""

    async def main() -> None:
        limits = Limits(unproven=4)
        async with stage(Script(models={"*": Behaviour(dead=True)}), limits=limits) as (sandbox, session):
            dead = [asyncio.create_task(session.submit(EAGLE)) for _ in range(10)]
            await asyncio.sleep(3600)
            posts = [call for call in sandbox.calls if call.operation == "submit"]
            looks = [call for call in sandbox.calls if call.operation == "look"]
            for task in dead:
                task.cancel()
            await asyncio.gather(*dead, return_exceptions=True)
        async with stage(Script(models={"*": SECONDS}), limits=limits) as (_, session):
            alive = await fleet(session, 10)

        assert len(posts) == 4
        assert len(looks) >= 4 * 60
        assert len(set(alive)) == 10

    run(main())


def test_what_was_learnt_is_given_to_the_next_session() -> None:
    """A session says how long a model takes, its events say it too, and the next one knows it from a text."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            await told(session.watch(await fleet(session, 30)))
            known = session.cadence.typical("Veo3")
            text = session.cadence.export()
            async with Session(sandbox.settings, rng=Random(0), cadence=text) as later:
                (first, *_) = await told(later.watch(await fleet(later, 1)))
                handed = later.cadence.typical("Veo3")

        assert known is not None
        assert handed is not None
        assert known.median == pytest.approx(60, rel=0.15)
        assert handed.median == pytest.approx(known.median, rel=0.05)
        assert isinstance(first, Progressed)
        assert first.estimate is not None
        assert len(text) < 4096

    run(main())


def test_a_text_that_is_no_cadence_is_refused() -> None:
    """A session is not made of a cadence that no session exported."""
    with pytest.raises(errors.ConfigurationError, match="cadence"):
        Session(Settings(api_key="a-key"), cadence="{}")


def test_statistics_say_what_is_going_on() -> None:
    """Followed ids by status and model, and nothing while nothing is open."""

    async def main() -> None:
        async with stage() as (_, session):
            closed = session.statistics()
            ids = await fleet(session, 20)
            async with session.watch(ids) as events:
                await anext(events)
                begun = session.statistics()
                rest = await told(events)
                ended = events.statistics()
            after = session.statistics()

        assert (closed.following, closed.looks) == (0, 0)
        assert begun.following == 20
        assert begun.statuses == {"dispatched": 20}
        assert begun.models == {"Veo3": 20}
        assert (ended.following, ended.ends) == (0, {"succeeded": 20})
        assert (after.following, dict(after.statuses), after.throttled) == (0, {}, 0)
        assert after.as_dict()["following"] == 0
        assert rest

    run(main())


def test_bare_ids_of_another_process_are_read_from_a_page() -> None:
    """Fifty ids that this session never saw cost a few pages and no look before their first word."""

    async def main() -> None:
        async with stage(Script(models={"*": Behaviour(dead=True)})) as (sandbox, session):
            ids = await fleet(session, 50)
            async with Session(sandbox.settings, rng=Random(0)) as other:
                before = len(sandbox.calls)
                async with other.watch(ids) as events:
                    first = {(await anext(events)).request_id for _ in range(50)}
                calls = [call.operation for call in sandbox.calls[before:]]

        assert first == set(ids)
        assert calls.count("look") == 0
        assert calls.count("list") <= 2

    run(main())


@pytest.mark.parametrize("sync", [False, True])
def test_a_rate_limit_that_comes_as_a_failure_rests_its_model(sync: bool) -> None:
    """After a request that ended with "rate limit exceeded(RPM)" its model is left alone for 20 s, others are not."""

    async def main() -> None:
        throttled = Behaviour(seconds=1, sync=sync, fails="Music generation failed: rate limit exceeded(RPM)")
        async with stage(Script(submissions=[throttled])) as (sandbox, session):
            with contextlib.suppress(errors.Rejected):
                await told(session.watch([await session.submit(EAGLE)]))
            await session.submit(evolve(EAGLE, model="Kling-Text2Video-V2.1-Master"))
            await session.submit(EAGLE)
            first, other, second = (call for call in sandbox.calls if call.operation == "submit")

        assert first.ended is not None
        assert other.at - first.ended < 5
        assert 20 <= second.at - first.ended < 26

    run(main())


def test_a_rate_limit_of_long_ago_rests_nothing() -> None:
    """To be shown an old failure says nothing of what the model takes now."""

    async def main() -> None:
        throttled = Behaviour(seconds=1, fails="Music generation failed: rate limit exceeded(RPM)")
        async with stage(Script(submissions=[throttled])) as (sandbox, session):
            accepted = await session.submit(EAGLE)
            await asyncio.sleep(600)
            await session.snapshot(accepted.request_id)
            await session.submit(EAGLE)
            first, second = (call for call in sandbox.calls if call.operation == "submit")

        assert second.at - first.at < 602

    run(main())
