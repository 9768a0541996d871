"""Searches and paid calls whose caller, or whose session, goes away."""

import asyncio

import pytest
from intents import BEGIN, Blocking, Ledger, intent
from lostfound import EAGLE, RIVER, all_ended, clock, ended, kinds, opened
from reconciling import uncertain
from scene import ours, stage, turns
from smallservice import SmallService, fates

from gmi_video import (
    Abandoned,
    Exchange,
    Limits,
    Notice,
    Patience,
    State,
    Throttled,
    VideoRequest,
    errors,
)
from gmi_video.testing import run


def test_a_search_outlives_its_caller() -> None:
    """Cancelled while it is looked for, the request is found, kept, and told to an observer."""

    async def main() -> tuple[list[Notice], Ledger, list[str]]:
        told: list[Notice] = []
        store = Ledger()
        async with opened(SmallService(fates=fates("dropped"), lag=30), store=store, told=told) as (
            _,
            session,
        ):
            task = asyncio.create_task(session.submit(EAGLE))
            await asyncio.sleep(5)
            task.cancel()
            await asyncio.wait((task,))
            assert task.cancelled()
            await asyncio.sleep(60)
            return told, store, ours()

    told, store, tasks = run(main())
    (abandoned,) = [notice for notice in told if isinstance(notice, Abandoned)]

    assert (abandoned.request_id, abandoned.key, abandoned.error) == ("r0000", "eagle", None)
    assert (store.states[-1], tasks) == ("accepted", [])


def test_what_ended_at_once_for_nobody_is_unfinished_until_it_is_seen() -> None:
    """A synchronous model's answer that no caller waited for is an end that nobody received."""

    async def main() -> tuple[tuple[str, ...], tuple[str, ...], list[str]]:
        async with stage() as (sandbox, session):
            task = asyncio.create_task(session.submit(VideoRequest("seedream-5.0-lite", {"prompt": "eagle"})))
            await asyncio.sleep(1)
            assert not task.done()
            task.cancel()
            await asyncio.sleep(120)
            left = session.unfinished()
            for request_id in left:
                await session.resume(request_id)
            return left, session.unfinished(), [charge.request_id for charge in sandbox.charges]

    left, rest, charged = run(main())

    assert (list(left), rest) == (charged, ())
    assert len(charged) == 1


def test_a_recovery_outlives_its_caller_as_well() -> None:
    """What was found for nobody is told to an observer."""

    async def main() -> list[Notice]:
        told: list[Notice] = []
        async with opened(SmallService(lag=30), told=told) as (service, session):
            lost = intent("x", EAGLE.payload, sent=service.now() - BEGIN, failed=None, state=State.SENDING)
            service.make("Veo3", dict(EAGLE.payload), "x")
            task = asyncio.create_task(session.recover(lost))
            await asyncio.sleep(5)
            task.cancel()
            await asyncio.sleep(60)
            return told

    assert [notice.request_id for notice in run(main()) if isinstance(notice, Abandoned)] == ["r0000"]


def test_one_of_two_who_wait_may_leave() -> None:
    """While somebody waits nobody is abandoned; and a cancelled one that was not begun is not sent."""

    async def main() -> tuple[list[Notice], str, int]:
        told: list[Notice] = []
        service = SmallService(takes=5)
        async with opened(service, told=told, limits=Limits(submissions=1)) as (_, session):
            first = asyncio.create_task(session.submit(EAGLE))
            await asyncio.sleep(1)
            (sending,) = await session.uncertain()
            second = asyncio.create_task(session.recover(sending))
            third = asyncio.create_task(session.submit(RIVER))
            await asyncio.sleep(1)
            first.cancel()
            third.cancel()
            return told, (await second).request_id, service.calls["submit"]

    told, found, posts = run(main())

    assert [notice for notice in told if isinstance(notice, Abandoned)] == []
    assert (found, posts) == ("r0000", 1)


def test_cancelled_while_the_store_keeps_it_nothing_is_sent() -> None:
    """It was not begun on the wire: the store has it prepared again, and nobody is told of anything."""

    async def main() -> tuple[list[Notice], list[str], int]:
        told: list[Notice] = []
        store = Blocking("sending")
        async with opened(SmallService(), store=store, told=told) as (service, session):
            task = asyncio.create_task(session.submit(EAGLE))
            await store.reached.wait()
            task.cancel()
            await turns()
            store.go.set()
            await asyncio.sleep(1)
            return told, store.states, service.calls["submit"]

    told, states, posts = run(main())

    assert ([type(notice).__name__ for notice in told], states, posts) == ([], ["sending", "prepared"], 0)


def test_cancelled_in_the_very_moment_of_the_answer_the_id_is_told() -> None:
    """Between the end of the POST and the caller's waking there is a moment too."""

    async def main() -> tuple[list[Notice], bool]:
        told: list[Notice] = []
        async with opened(SmallService(), told=told) as (_, session):
            state = await session._core.open()
            task = asyncio.create_task(session.submit(EAGLE))
            await turns(2)
            ((post, _),) = state.submissions._posts.values()
            post.add_done_callback(lambda _: task.cancel())
            await asyncio.wait((task,))
            await turns()
            return told, task.cancelled()

    told, cancelled = run(main())

    assert cancelled
    assert [notice.request_id for notice in told if isinstance(notice, Abandoned)] == ["r0000"]


def test_closing_sends_nothing_more() -> None:
    """Those who wait for their turn are told that nothing was sent; those under way are waited for."""

    async def main() -> tuple[list[str], int, float]:
        service = SmallService(takes=10)
        async with opened(service, limits=Limits(submissions=2)) as (_, session):
            work = asyncio.create_task(all_ended(session, [EAGLE] * 6))
            await asyncio.sleep(1)
            began = clock()
            await session.aclose()
            took = clock() - began
            return kinds(await work), service.calls["submit"], took

    ends, posts, took = run(main())

    assert sorted(ends) == ["Snapshot"] * 2 + ["Unreachable"] * 4
    assert (posts, took) == (2, 9)


def test_closing_ends_the_waits_between_attempts() -> None:
    """A service that is not reached is not tried again while closing."""

    async def main() -> tuple[list[str], float]:
        patience = Patience(attempts=9, first=60, longest=60, jitter=0)
        async with opened(SmallService(otherwise="unreached"), patience=patience) as (_, session):
            work = asyncio.create_task(all_ended(session, [EAGLE]))
            await asyncio.sleep(1)
            began = clock()
            await session.aclose()
            return kinds(await work), clock() - began

    assert run(main()) == (["Unreachable"], 0)


def test_a_closing_session_takes_no_submissions() -> None:
    """They would be sent while nobody waits for them any more."""

    async def main() -> tuple[str, int]:
        async with opened(SmallService(takes=5)) as (service, session):
            first = asyncio.create_task(session.submit(EAGLE))
            await asyncio.sleep(1)
            closing = asyncio.create_task(session.aclose())
            await asyncio.sleep(1)
            with pytest.raises(errors.ConfigurationError) as caught:
                await session.submit(RIVER)
            await asyncio.gather(first, closing)
            return str(caught.value), service.calls["submit"]

    said, posts = run(main())

    assert "being closed" in said
    assert posts == 1


def test_an_answer_that_never_comes_is_broken_off_after_the_grace() -> None:
    """Its intent is kept as ambiguous, its error holds it, and another session can look for it."""

    async def main() -> tuple[object, float, State, list[Notice]]:
        store = Ledger()
        told: list[Notice] = []
        async with opened(SmallService(fates=fates("hung")), store=store, told=told) as (_, session):
            task = asyncio.create_task(ended(session))
            await asyncio.sleep(1)
            began = clock()
            await session.aclose()
            result, took = await task, clock() - began
            return result, took, next(iter(store.latest.values())).state, told

    result, took, state, told = run(main())

    assert uncertain(result).intent.state is state is State.AMBIGUOUS
    assert 15 <= took <= 18
    assert [type(notice).__name__ for notice in told if not isinstance(notice, Exchange)] == ["Uncertain"]


def test_a_throttled_submission_is_told() -> None:
    """Observers hear that the service asked to be called less."""

    async def main() -> list[Notice]:
        told: list[Notice] = []
        async with opened(SmallService(fates=fates("limit")), told=told) as (_, session):
            await ended(session)
        return told

    assert Throttled(subject="Veo3") in run(main())
