"""A watch over a real queue: where ids come from, what its reader is told, and how it ends."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from scene import EAGLE, SECONDS, ours, stage, told, turns, words

from gmi_video import Session, Snapshot, VideoRequest, errors
from gmi_video.events import Cancelled, Event, Failed, GaveUp, Missed, Progressed, Stalled, Succeeded
from gmi_video.sandbox import Behaviour, Sandbox, Script
from gmi_video.settings import Pace
from gmi_video.testing import run


async def submitted(session: Session, count: int = 3) -> list[str]:
    """The ids of some requests that have just been accepted."""
    return [(await session.submit(EAGLE)).request_id for _ in range(count)]


def looks_at(sandbox: Sandbox, request_id: str) -> list[float]:
    """When the server was asked about an id."""
    return [call.at for call in sandbox.calls if call.operation == "look" and call.path.endswith(request_id)]


def finals(events: list[Event]) -> list[str]:
    """The ids that ended, as often as they did."""
    return sorted(event.request_id for event in events if event.final)


def test_a_request_is_followed_from_its_acceptance_to_its_end() -> None:
    """Each change comes once, the end once, with the caller's key and the seconds since the watch began."""

    async def main() -> None:
        async with stage() as (_, session):
            accepted = await session.submit(EAGLE)
            async with session.watch({accepted.request_id: "row-1"}) as events:
                seen = await told(events)

        assert words(seen) == ["Progressed", "Progressed", "Succeeded"]
        assert {event.key for event in seen} == {"row-1"}
        assert [event.elapsed for event in seen] == sorted(event.elapsed for event in seen)
        assert 60 <= seen[-1].elapsed <= 90
        first, second, _ = seen
        assert isinstance(first, Progressed)
        assert isinstance(second, Progressed)
        assert (first.previous, second.previous) == (None, first.snapshot.status)

    run(main())


@pytest.mark.parametrize("given", ["list", "snapshots", "mapping", "generator", "async", "set", "keys"])
def test_ids_come_from_any_iterable(given: str) -> None:
    """Ids, snapshots and mappings of either, sync or async: each id ends once, with its key where it has one."""

    def lazily(ids: list[str]) -> Iterator[str]:
        yield from ids

    async def slowly(ids: list[str]) -> AsyncIterator[str]:
        for request_id in ids:
            await asyncio.sleep(20)
            yield request_id

    async def main() -> None:
        async with stage() as (_, session):
            snapshots = [await session.submit(EAGLE) for _ in range(3)]
            ids = [snapshot.request_id for snapshot in snapshots]
            keys = dict.fromkeys(ids, "mine")
            sources: dict[str, Any] = {
                "list": ids,
                "snapshots": snapshots,
                "mapping": keys,
                "generator": lazily(ids),
                "async": slowly(ids),
                "set": set(ids),
                "keys": keys.keys(),
            }
            seen = await told(session.watch(sources[given]))

        assert finals(seen) == sorted(ids)
        assert {event.key for event in seen} == {"mine" if given == "mapping" else None}

    run(main())


def test_a_mapping_may_name_snapshots() -> None:
    """Snapshots carry their own keys as well."""

    async def main() -> None:
        async with stage() as (_, session):
            keys: dict[str | Snapshot, str] = {
                await session.submit(EAGLE): "a",
                await session.submit(EAGLE): "b",
            }
            seen = await told(session.watch(keys))

        assert sorted(event.key for event in seen if event.final) == ["a", "b"]

    run(main())


def test_thousands_of_ids_are_taken_a_thousand_at_a_time() -> None:
    """A long iterable does not stop the loop: others get turns while it is read, and the watch does not end early."""
    turned: list[int] = []

    async def main() -> None:
        async with stage(Script(models={"*": Behaviour(seconds=1, queued=0.5)})) as (_, session):
            (first,) = await submitted(session, 1)
            taken = 0

            def ids() -> Iterator[str]:
                nonlocal taken
                for _ in range(2500):
                    taken += 1
                    yield first

            async def bystander() -> None:
                while taken < 2500:
                    turned.append(taken)
                    await asyncio.sleep(0)

            async with session.watch(ids()) as events, asyncio.TaskGroup() as group:
                group.create_task(bystander())
                seen = await told(events)

        assert {1000, 2000} <= set(turned)
        assert finals(seen) == [first]

    run(main())


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("bad", ["no such/id", "", 7, "x" * 129])
def test_what_is_no_id_is_named(bad: Any, lazy: bool) -> None:
    """A bad id raises `ConfigurationError` that shows it, ends the watch, and leaves nothing behind."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            ids = [*await submitted(session, 1), bad]
            watch = session.watch(iter(ids) if lazy else ids)
            with pytest.raises(errors.ConfigurationError) as caught:
                await told(watch)
            await turns()

            assert (repr(bad)[:60] if isinstance(bad, str) else "int") in str(caught.value)
            assert await told(watch) == []
            assert ours() == []
            assert watch.statistics().following == 0
            with pytest.raises(errors.ConfigurationError):
                async with session.watch(ids):
                    pass

    run(main())


@pytest.mark.parametrize("wrong", ["an-id", b"an-id"])
def test_one_id_is_not_a_list_of_ids(wrong: Any) -> None:
    """A string is not taken letter by letter, neither by `watch` nor by `add`."""

    async def main() -> None:
        async with stage() as (_, session):
            with pytest.raises(errors.ConfigurationError, match="list"):
                session.watch(wrong)
            async with session.watch(keep_open=True) as events:
                with pytest.raises(errors.ConfigurationError, match="list"):
                    await events.add(wrong)

    run(main())


@pytest.mark.parametrize("asynchronous", [False, True])
def test_what_an_iterable_raises_is_raised_by_the_watch(asynchronous: bool) -> None:
    """The ids before the fault are told of until then; nothing goes on afterwards."""

    def broken(ids: list[str]) -> Iterator[str]:
        yield from ids
        raise LookupError("the table is gone")

    async def slowly_broken(ids: list[str]) -> AsyncIterator[str]:
        for request_id in ids:
            yield request_id
        await asyncio.sleep(10)
        raise LookupError("the table is gone")

    async def main() -> None:
        async with stage() as (_, session):
            ids = await submitted(session)
            source: Any = slowly_broken(ids) if asynchronous else broken(ids)
            seen: list[Event] = []
            with pytest.raises(LookupError, match="table"):
                async for event in session.watch(source):
                    seen.append(event)
            await turns()

            assert words(seen)[:3] == ["Progressed"] * 3
            assert ours() == []

    run(main())


def test_a_watch_that_is_kept_open_ends_after_finish() -> None:
    """More ids may come while it is open; it ends with the last end after `finish`."""

    async def main() -> None:
        async with stage() as (_, session), session.watch(keep_open=True) as events:
            reading = asyncio.create_task(told(events))
            await asyncio.sleep(100)
            first, second, third = await submitted(session)
            await events.add([first])
            await asyncio.sleep(500)
            still = (reading.done(), events.statistics())
            await events.add({second: "b", third: "c"})
            events.finish()
            seen = await reading

        assert still[0] is False
        assert (still[1].following, still[1].finished) == (0, 1)
        assert {event.request_id: event.key for event in seen if event.final} == {
            first: None,
            second: "b",
            third: "c",
        }

    run(main())


def test_adding_an_id_twice_changes_nothing() -> None:
    """An id that is followed already keeps its key and ends once."""

    async def main() -> None:
        async with stage() as (_, session):
            (request_id,) = await submitted(session, 1)
            async with session.watch({request_id: "first"}) as events:
                await events.add({request_id: "second"})
                seen = await told(events)

        assert [event.key for event in seen if event.final] == ["first"]

    run(main())


def test_a_dropped_id_is_told_of_no_more() -> None:
    """Dropping takes back what waits; where it was the last id the iteration ends; nobody looks at it again."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            accepted = await session.submit(EAGLE)
            kept, dropped = accepted.request_id, (await session.submit(EAGLE))
            watch = session.watch([kept, dropped])
            watch.drop(dropped)  # before it began: nothing to drop
            async with watch as events:
                await asyncio.sleep(20)
                events.drop(dropped)
                seen = await told(events)
            looked = looks_at(sandbox, dropped.request_id)

            async with session.watch([(await session.submit(EAGLE)).request_id]) as alone:
                first = await anext(alone)
                alone.drop(first.request_id)
                rest = await told(alone)

        assert {event.request_id for event in seen} == {kept}
        assert 0 < len(looked) < 8
        assert rest == []

    run(main())


def test_a_closed_watch_takes_no_ids() -> None:
    """Adding to a watch that is closed, or whose session is, says so; starting one afterwards does nothing."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            async with session.watch() as events:
                pass
            never = session.watch(["an-id"])
            await never.aclose()
            await never.aclose()
            for closed in (events, never):
                with pytest.raises(errors.ConfigurationError, match="closed"):
                    await closed.add(["an-id"])

            assert (await told(never), ours()) == ([], [])
            assert sandbox.count_calls("look") == 0

    run(main())


@pytest.mark.parametrize("debug", [False, True])
def test_breaking_out_leaves_no_task(debug: bool) -> None:
    """`async for` without `async with` may be left at any event: no task stays, nobody is cancelled, nothing warns."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            ids = await submitted(session, 5)

            async def endless() -> AsyncIterator[str]:
                for request_id in ids:
                    yield request_id
                await asyncio.Event().wait()

            for source in (ids, endless(), iter(ids)):
                async for event in session.watch(source):
                    assert not event.final
                    break
                await turns()
                assert ours() == []
            looks = sandbox.count_calls("look")
            await asyncio.sleep(1000)

            assert sandbox.count_calls("look") == looks
            task = asyncio.current_task()
            assert task is not None
            assert task.cancelling() == 0

    run(main(), debug=debug)
    gc.collect()


def test_leaving_the_body_by_an_error_leaves_no_task() -> None:
    """`async with` closes the watch whatever ends its body."""

    async def main() -> None:
        async with stage() as (_, session):
            ids = await submitted(session)
            with pytest.raises(ZeroDivisionError):
                async with session.watch(ids) as events:
                    async for _ in events:
                        raise ZeroDivisionError
            await turns()

            assert ours() == []

    run(main())


def test_a_time_out_around_anext_loses_no_event() -> None:
    """A heart-beat that gives up waiting every few seconds sees the same events as one that waits."""

    async def main() -> None:
        async with stage() as (_, session):
            ids = await submitted(session)
            seen: list[Event] = []
            beats = 0
            async with session.watch(ids) as events:
                while True:
                    try:
                        async with asyncio.timeout(0.7):
                            seen.append(await anext(events))
                    except TimeoutError:
                        beats += 1
                    except StopAsyncIteration:
                        break

        assert beats > 50
        assert words(seen) == ["Progressed"] * 6 + ["Succeeded"] * 3

    run(main())


def test_two_readers_of_one_watch_share_its_events() -> None:
    """Each event goes to one of them, and both end."""

    async def main() -> None:
        async with stage() as (_, session):
            ids = await submitted(session, 4)
            async with session.watch(ids) as events:
                one, two = await asyncio.gather(told(events), told(events))

        assert finals(one + two) == sorted(ids)

    run(main())


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
        assert all(after - before >= 2 - 1e-6 for before, after in zip(looks, looks[1:], strict=False))

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


def test_the_pace_is_what_the_server_counts() -> None:
    """Over a virtual hour a request that does not move is looked at as often as the pace says, and no more."""

    async def main() -> None:
        pace = Pace(first=2, growth=1.5, longest=30, jitter=0.2, stalled_after=1800)
        async with stage(Script(models={"*": Behaviour(dead=True)}), pace=pace) as (sandbox, session):
            ids = await submitted(session, 20)
            seen = await told(session.watch(ids, deadline=3600))
            gaps: list[float] = []
            for request_id in ids:
                at = looks_at(sandbox, request_id)
                gaps.extend(after - before for before, after in zip(at, at[1:], strict=False))
                assert 3600 / 30 <= len(at) <= 3600 / (30 * 0.8) + 8

        assert max(gaps) <= 30 + 1e-6
        assert min(gaps) >= 2 * 0.8 - 1e-6
        assert len({round(gap, 3) for gap in gaps}) > 100, "jitter spreads the looks"
        assert words(seen).count("Stalled") == 20
        assert words(seen).count("GaveUp") == 20

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
        gaps = [after - before for before, after in zip(looks, looks[1:], strict=False)]
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


def test_every_end_has_its_event() -> None:
    """Success, failure and cancellation at the service are told apart."""
    lives = [SECONDS, Behaviour(seconds=30, fails="the dog ate it"), Behaviour(seconds=30, cancelled=True)]

    async def main() -> None:
        async with stage(Script(submissions=lives)) as (_, session):
            ids = await submitted(session, 3)
            seen = await told(session.watch(ids))

        ends = {event.request_id: event for event in seen if event.final}
        assert [type(ends[request_id]) for request_id in ids] == [Succeeded, Failed, Cancelled]
        failed = ends[ids[1]]
        assert isinstance(failed, Failed)
        assert str(failed.snapshot.failure) == "the dog ate it"

    run(main())


def test_a_state_that_nobody_knows_is_not_an_end() -> None:
    """An unknown word of the service is shown as it is, waited out, and reported when it stays."""
    odd = Behaviour(seconds=7200, queued=5, words={"processing": "marinating"})

    async def main() -> None:
        async with stage(Script(models={"*": odd})) as (_, session):
            ids = await submitted(session, 1)
            seen = await told(session.watch(ids))

        progress = [event.snapshot.word for event in seen if isinstance(event, Progressed)]
        stalled = [event for event in seen if isinstance(event, Stalled)]
        assert progress[-1] == "marinating"
        assert [event.reason for event in stalled] == ["unknown status"]
        assert words(seen)[-1] == "Succeeded"

    run(main())


def test_a_success_whose_links_come_late_is_waited_for() -> None:
    """For half a minute after a success without links the queue is asked again."""

    async def main() -> None:
        late = Behaviour(seconds=20, queued=1, outcome_after=8)
        never = Behaviour(seconds=20, queued=1, outcome_after=float("inf"))
        async with stage(Script(submissions=[late, never])) as (_, session):
            first, second = await submitted(session, 2)
            seen = await told(session.watch([first, second]))

        ends = {event.request_id: event for event in seen if event.final}
        late_end, empty_end = ends[first], ends[second]
        assert isinstance(late_end, Succeeded)
        assert isinstance(empty_end, Succeeded)
        assert late_end.snapshot.outcome is not None
        assert not (empty_end.snapshot.outcome and empty_end.snapshot.outcome.media)
        assert empty_end.elapsed >= 20 + 30

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

        assert words(seen) == ["Progressed", "Succeeded"] * 2 or words(seen).count("Succeeded") == 2

    run(main())


def test_closing_the_session_ends_its_watches() -> None:
    """Watches that are open, kept open or still being fed end when the session closes, and nothing is left."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            ids = await submitted(session, 2)

            async def endless() -> AsyncIterator[str]:
                yield ids[0]
                await asyncio.Event().wait()

            watches = [session.watch(ids), session.watch(keep_open=True), session.watch(endless())]
            reading = [asyncio.create_task(told(watch)) for watch in watches]
            await asyncio.sleep(10)
            await session.aclose()
            seen = await asyncio.gather(*reading)

            assert [words(events) for events in seen] == [
                words(events) for events in seen if not finals(events)
            ]
            assert ours() == []
            with pytest.raises(errors.ConfigurationError, match="closed"):
                await watches[1].add(ids)

    run(main())


def test_statistics_say_what_is_followed_and_what_waits() -> None:
    """A frozen record of a moment: ids followed, ids that ended, ids with events waiting."""

    async def main() -> None:
        async with stage() as (_, session):
            ids = await submitted(session, 2)
            watch = session.watch(ids)
            before = watch.statistics()
            async with watch as events:
                begun = events.statistics()
                await told(events)
            after = events.statistics()

        assert (before.following, before.finished, before.waiting) == (0, 0, 0)
        assert (begun.following, begun.finished, begun.waiting) == (2, 0, 2)
        assert (after.following, after.finished, after.waiting) == (0, 2, 0)

    run(main())
