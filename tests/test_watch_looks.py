"""What a watch costs the server, and what it does with looks that fail."""

import asyncio
from itertools import pairwise

import pytest
from scene import SECONDS, ours, stage, told, words
from watched import finals, looks_at, submitted

from gmi_video import VideoRequest, errors
from gmi_video.events import GaveUp, Missed, Progressed
from gmi_video.sandbox import Behaviour, Script
from gmi_video.settings import Pace
from gmi_video.testing import run


def test_two_watches_of_one_id_cost_one_look() -> None:
    """Every watch of a session feeds one schedule; a late one gets the last snapshot at once."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            (request_id,) = await submitted(session, 1)
            alone = asyncio.create_task(told(session.watch([request_id])))
            await asyncio.sleep(30)
            async with session.watch({request_id: "late"}) as events:
                async with asyncio.timeout(0.01):
                    first = await anext(events)
                both = [first, *await told(events)]
            seen = await alone
            shared = len(looks_at(sandbox, request_id))

            (other,) = await submitted(session, 1)
            await told(session.watch([other]))

        assert isinstance(first, Progressed)
        assert (first.key, words(both)[-1], words(seen)[-1]) == ("late", "Succeeded", "Succeeded")
        assert shared == len(looks_at(sandbox, other))

    run(main())


def test_five_hundred_viewers_cost_one_look_a_slot() -> None:
    """However many watches follow one id, the server is asked once per slot."""

    async def main() -> None:
        pace = Pace(first=2, growth=1, longest=2, jitter=0)
        async with stage(pace=pace) as (sandbox, session):
            (request_id,) = await submitted(session, 1)
            seen = await asyncio.gather(*(told(session.watch([request_id])) for _ in range(500)))
            looks = looks_at(sandbox, request_id)

        assert {words(events)[-1] for events in seen} == {"Succeeded"}
        assert len(looks) == 30
        assert all(after - before >= 2 - 1e-6 for before, after in pairwise(looks))

    run(main())


def test_a_slow_reader_slows_nobody() -> None:
    """Looks go on while nobody reads; what was not taken is merged, and the end is there at last."""

    async def main() -> None:
        async with stage() as (_, session):
            ids = await submitted(session)
            async with session.watch(ids) as slow:
                first = await anext(slow)
                quick = await told(session.watch(ids))
                await asyncio.sleep(3600)
                waiting = slow.statistics()
                rest = await told(slow)

        assert [event.elapsed for event in quick if event.final][-1] < 90
        assert (waiting.following, waiting.finished, waiting.waiting) == (0, 3, 3)
        assert len(rest) <= 2 * 3
        assert finals([first, *rest]) == sorted(ids)

    run(main())


@pytest.mark.parametrize("count", [6, pytest.param(20, marks=pytest.mark.soak)])
def test_the_pace_is_what_the_server_counts(count: int) -> None:
    """Over a virtual hour a request that does not move is looked at as often as the pace says, and no more."""

    async def main() -> None:
        pace = Pace(first=2, growth=1.5, longest=30, jitter=0.2, stalled_after=1800, sweep="never")
        async with stage(Script(models={"*": Behaviour(dead=True)}), pace=pace) as (sandbox, session):
            ids = await submitted(session, count)
            seen = await told(session.watch(ids, deadline=3600))
            gaps: list[float] = []
            for request_id in ids:
                at = looks_at(sandbox, request_id)
                gaps.extend(after - before for before, after in pairwise(at))
                assert 3600 / 30 <= len(at) <= 3600 / (30 * 0.8) + 8

        assert max(gaps) <= 30 + 1e-6
        assert min(gaps) >= 2 * 0.8 - 1e-6
        assert len({round(gap, 3) for gap in gaps}) > 100, "jitter spreads the looks"
        assert words(seen).count("Stalled") == count
        assert words(seen).count("GaveUp") == count

    run(main())


def test_failed_looks_are_events_and_the_wait_goes_on() -> None:
    """Every way in which a look fails is a `Missed` with its error, and the request is followed to its end."""
    faults = [
        Behaviour.edge(502),
        Behaviour.garbage(),
        Behaviour.no_capacity(),
        Behaviour.refused(403, "no"),
        Behaviour(without=("request_id",)),
        Behaviour(adds={"request_id": "another"}),
        Behaviour(cut=20),
    ]

    async def main() -> None:
        async with stage(Script(models={"*": SECONDS}, looks=faults)) as (sandbox, session):
            (request_id,) = await submitted(session, 1)
            seen = await told(session.watch([request_id]))
            looks = looks_at(sandbox, request_id)

        missed = [event for event in seen if isinstance(event, Missed)]
        assert [type(event.error).__name__ for event in missed] == [
            "ServiceError",
            "MalformedResponse",
            "ServiceError",
            "NotEntitled",
            *["MalformedResponse"] * 3,
        ]
        assert [event.misses for event in missed] == [1, 2, 3, 4, 5, 6, 7]
        gaps = [after - before for before, after in pairwise(looks)]
        assert [round(event.look_again_in, 3) for event in missed] == [round(gap, 3) for gap in gaps[:7]]
        assert words(seen)[-1] == "Succeeded"

    run(main())


def test_a_deadline_gives_up_once_and_looking_stops() -> None:
    """`GaveUp` comes exactly at the deadline with the last snapshot, and the server is left alone."""

    async def main() -> None:
        async with stage(Script(models={"*": Behaviour(dead=True)})) as (sandbox, session):
            ids = await submitted(session)
            seen = await told(session.watch(ids, deadline=100))
            looks = sandbox.count_calls("look")
            await asyncio.sleep(1000)

            assert sandbox.count_calls("look") == looks
            gave_up = [event for event in seen if isinstance(event, GaveUp)]
            assert [round(event.elapsed, 3) for event in gave_up] == [100.0] * 3
            assert {event.reason for event in gave_up} == {"deadline"}
            assert all(event.snapshot and event.snapshot.word == "dispatched" for event in gave_up)
            assert (finals(seen), ours()) == (sorted(ids), [])

    run(main())


def test_deadlines_are_each_watchs_own() -> None:
    """One watch gives up, another of the same id goes on to the end."""

    async def main() -> None:
        async with stage() as (_, session):
            ids = await submitted(session, 1)
            short, long = await asyncio.gather(
                told(session.watch(ids, deadline=10)), told(session.watch(ids, deadline=1000))
            )

        assert (words(short)[-1], words(long)[-1]) == ("GaveUp", "Succeeded")

    run(main())


@pytest.mark.parametrize("deadline", [0, -1, float("nan")])
def test_a_deadline_that_is_none_is_refused(deadline: float) -> None:
    """Seconds above zero are wanted."""

    async def main() -> None:
        async with stage() as (_, session):
            with pytest.raises(errors.ConfigurationError, match="deadline"):
                session.watch(["a"], deadline=deadline)

    run(main())


def test_a_synchronous_model_costs_no_look() -> None:
    """A submission that is answered with the finished record has its end in hand."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            accepted = await session.submit(VideoRequest("seedream-5.0-lite", {"prompt": "a hat"}))
            seen = await told(session.watch([accepted]))
            again = await told(session.watch([accepted.request_id]))

        assert accepted.final
        assert (words(seen), words(again)) == (["Succeeded"], ["Succeeded"])
        assert sandbox.count_calls("look") == 0

    run(main())


def test_what_just_was_accepted_may_be_unknown_for_a_while() -> None:
    """A replica that lags a minute and a half behind a submission costs some `Missed`, not the video."""

    async def main() -> None:
        lagging = Behaviour(seconds=100, queued=1, unknown_for=90)
        async with stage(Script(models={"*": lagging})) as (_, session):
            ids = await submitted(session, 2)
            seen = await told(session.watch(ids))

        assert words(seen).count("Missed") >= 6
        assert sorted(words([event for event in seen if event.final])) == ["Succeeded", "Succeeded"]

    run(main())


def test_a_foreign_id_that_nobody_knows_is_given_up() -> None:
    """Three looks that say 404 are believed of an id that this session did not submit."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            seen = await told(session.watch(["00000000-0000-4000-8000-000000000000"]))

        assert words(seen) == ["Missed", "Missed", "GaveUp"]
        assert isinstance(seen[-1], GaveUp)
        assert seen[-1].reason == "not found"
        assert sandbox.count_calls("look") == 3

    run(main())


def test_a_rate_limit_holds_every_look() -> None:
    """After a 429 that names a time nobody is looked at before it has passed."""
    limit = Behaviour.rate_limited("Veo3", retry_after=40)

    async def main() -> None:
        async with stage(Script(models={"*": SECONDS}, looks=[limit])) as (sandbox, session):
            ids = await submitted(session, 5)
            seen = await told(session.watch(ids, pace=Pace(first=1, growth=1, longest=1, jitter=0)))
            at = [call.at for call in sandbox.calls if call.operation == "look"]

        assert words(seen).count("Missed") == 1
        begun = sum(1 for moment in at if moment - at[0] < 1e-6)
        assert 1 <= begun <= 5
        assert at[begun] - at[0] >= 40
        assert finals(seen) == sorted(ids)

    run(main())


def test_a_dead_key_ends_each_watch_with_its_own_error() -> None:
    """`Unauthorized` is raised plainly by each watch; the ids can be watched again with the session."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            ids = await submitted(session, 4)
            watches = [session.watch(ids[:2]), session.watch(ids[2:])]
            reading = [asyncio.create_task(told(watch)) for watch in watches]
            await asyncio.sleep(20)
            sandbox.api_key = "another"
            raised = await asyncio.gather(*reading, return_exceptions=True)
            looks = sandbox.count_calls("look")
            await asyncio.sleep(100)
            quiet = sandbox.count_calls("look") - looks
            sandbox.api_key = "sandbox-key"
            seen = await told(session.watch(ids))

        assert [type(error) for error in raised] == [errors.Unauthorized] * 2
        assert raised[0] is not raised[1]
        assert quiet == 0
        assert finals(seen) == sorted(ids)

    run(main())


def test_a_watch_whose_ids_have_all_ended_does_not_hear_of_a_dead_key() -> None:
    """A reader who takes its last events late gets them, and no error that is none of its own."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            done = session.watch(await submitted(session, 2))
            async with done as slow:
                await asyncio.sleep(200)
                sandbox.api_key = "another"
                with pytest.raises(errors.Unauthorized):
                    await told(session.watch(["00000000-0000-4000-8000-000000000000"]))
                seen = await told(slow)

        assert words(seen).count("Succeeded") == 2

    run(main())
