"""Paid calls whose callers leave at any moment, or whose loop ends."""

import asyncio

import pytest
from intents import Ledger
from lostfound import EAGLE, opened
from scene import ours, turns
from smallservice import SmallService, fates
from submitting import end

from gmi_video import Abandoned, Notice, Session, Snapshot, State, Submitted, errors
from gmi_video.settings import Settings
from gmi_video.testing import run


@pytest.mark.parametrize(
    "fate", ["accepted", "dropped", "truncated", "gateway", "never", "backend", "unreached"]
)
def test_a_caller_that_leaves_in_any_turn_of_the_loop_loses_no_id(fate: str) -> None:
    """Each request that was charged was returned, or told to an observer; nothing is left, and nothing hangs."""

    async def main(leaves_after: int) -> tuple[bool, SmallService, list[Notice], Ledger, list[str]]:
        told: list[Notice] = []
        store = Ledger()
        service = SmallService(fates=fates(fate), lag=1)
        async with opened(service, store=store, told=told, settle=5) as (_, session):
            task = asyncio.create_task(session.submit(EAGLE))
            await turns(leaves_after)
            task.cancel()
            await asyncio.wait((task,))
            await asyncio.sleep(100)
        left_in_time = task.cancelled()
        if not left_in_time:
            task.exception()
        return left_in_time, service, told, store, ours()

    left = 0
    for leaves_after in range(60):
        cancelled, service, told, store, tasks = run(main(leaves_after))
        left += cancelled
        heard = {notice.request_id for notice in told if isinstance(notice, Submitted | Abandoned)}

        assert tasks == []
        assert {made.request_id for made in service.made if made.charged} <= heard or not cancelled
        assert all(one.state is not State.SENDING for one in store.latest.values())
        if cancelled and store.latest and fate in {"never", "dropped", "gateway", "truncated", "accepted"}:
            ends = [notice for notice in told if isinstance(notice, Abandoned)]
            unsent = next(iter(store.latest.values())).state is State.PREPARED
            assert len(ends) == (0 if unsent else 1)
    assert left > 5


def test_a_callers_whole_group_may_fail_around_it() -> None:
    """A sibling's error cancels the caller; the request is told all the same, and the session goes on."""

    async def main() -> tuple[list[str | None], object]:
        told: list[Notice] = []
        async with opened(SmallService(takes=3), told=told) as (_, session):

            async def fails() -> None:
                await asyncio.sleep(1)
                message = "a sibling"
                raise ValueError(message)

            async def family() -> None:
                async with asyncio.TaskGroup() as group:
                    group.create_task(session.submit(EAGLE))
                    group.create_task(fails())

            with pytest.raises(ExceptionGroup):
                await family()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1):
                    await session.submit(EAGLE)
            await asyncio.sleep(9)
            heard = [notice.request_id for notice in told if isinstance(notice, Abandoned)]
            return heard, await end(session)

    heard, after = run(main())

    assert heard == ["r0000", "r0001"]
    assert isinstance(after, Snapshot)


def test_a_loop_that_ends_in_the_middle_leaves_the_intent_open() -> None:
    """Without a close, the store has it that the submission may be charged, for another process to look for."""
    store = Ledger()
    service = SmallService(fates=fates("hung"))

    async def main() -> Session:
        session = Session(Settings(api_key="k", check="off"), transport=service, store=store)
        asyncio.get_running_loop().create_task(end(session))  # it dies with the loop
        await turns(30)
        return session

    session = run(main())
    (left,) = store.latest.values()
    session._core.abandon()

    assert left.state is State.AMBIGUOUS
    assert left.sent_at is not None


def test_a_session_in_a_second_loop_says_so_or_works() -> None:
    """Open elsewhere it refuses before anything is sent; closed, it submits in the next loop."""
    service = SmallService()
    session = Session(Settings(api_key="k", check="off"), transport=service)

    async def first(*, close: bool) -> None:
        await session.submit(EAGLE)
        if close:
            await session.aclose()

    run(first(close=True))
    run(first(close=False))
    with pytest.raises(errors.ConfigurationError, match="another event loop"):
        run(first(close=True))
    session._core.abandon()

    assert service.calls["submit"] == 2
