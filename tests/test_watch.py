"""A watch over a real queue: where ids come from, what its reader is told, and how it ends."""

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest
from scene import EAGLE, ours, stage, told, turns, words
from watched import finals, looks_at, submitted

from gmi_video import errors
from gmi_video.events import Event, Progressed
from gmi_video.testing import run


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

            async def failing() -> None:
                async with session.watch(ids) as events:
                    async for _ in events:
                        raise ZeroDivisionError

            with pytest.raises(ZeroDivisionError):
                await failing()
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


def test_closing_the_session_ends_its_watches() -> None:
    """Watches that are open, kept open or still being fed end when the session closes, and nothing is left."""

    async def main() -> None:
        async with stage() as (_, session):
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
