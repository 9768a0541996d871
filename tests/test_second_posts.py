"""When a submission may be sent a second time, and what its answer says of the first."""

import asyncio

from intents import BEGIN, Ledger, intent
from lostfound import EAGLE, RIVER, ended, kinds, opened
from reconciling import recovered, uncertain
from smallservice import SmallService, fates

from gmi_video import (
    Abandoned,
    Intent,
    Notice,
    Resubmit,
    Snapshot,
    State,
)
from gmi_video.testing import run


def test_a_view_has_its_own_policy_and_store() -> None:
    """`using` changes what becomes of a lost answer, for one part of a program."""

    async def main() -> tuple[list[str], list[str], int]:
        own = Ledger()
        async with opened(SmallService(otherwise="never"), settle=5) as (service, session):
            strict = session.using(on_uncertain="raise", store=own)
            results = [await ended(strict), await ended(session)]
            return kinds(results), own.states, service.calls["requests"]

    results, states, lists = run(main())

    assert results == ["SubmissionUncertain"] * 2
    assert states == ["sending", "ambiguous", "needs_decision"]
    assert lists >= 3


def test_a_second_post_is_for_a_caller_who_still_waits() -> None:
    """Where nobody does, nothing more is spent; observers are told that it is uncertain."""

    async def main() -> tuple[int, list[Notice], tuple[Intent, ...]]:
        told: list[Notice] = []
        service = SmallService(otherwise="never")
        async with opened(service, told=told, settle=5, on_uncertain=Resubmit(at_most=9)) as (_, session):
            task = asyncio.create_task(session.submit(EAGLE))
            await asyncio.sleep(1)
            task.cancel()
            await asyncio.sleep(60)
            return service.calls["submit"], told, await session.uncertain()

    posts, told, undecided = run(main())

    assert posts == 1
    assert [notice for notice in told if isinstance(notice, Abandoned)] == [
        Abandoned(model="Veo3", key="eagle", error="SubmissionUncertain")
    ]
    assert [one.state for one in undecided] == [State.NEEDS_DECISION]


def test_a_second_post_that_does_not_leave_is_no_proof_about_the_first() -> None:
    """It is uncertain and not "nothing was sent"; what was allowed and not used is left for another."""

    async def main() -> tuple[object, object, int, Ledger]:
        store = Ledger()
        service = SmallService(fates=fates("never", *["unreached"] * 4, "never", "accepted"))
        async with opened(service, store=store, settle=5, on_uncertain=Resubmit(at_most=1)) as (_, session):
            return await ended(session), await ended(session, RIVER), service.calls["submit"], store

    first, second, posts, store = run(main())
    error = uncertain(first)

    assert "not sent again" in error.evidence
    assert error.intent.sent_at is not None
    assert error.charged == "maybe"
    assert isinstance(second, Snapshot)
    assert posts == 1 + 4 + 2
    assert [one.state for one in store.latest.values()] == [State.NEEDS_DECISION, State.ACCEPTED]


def test_a_second_post_that_is_refused_for_now_waits_and_is_still_the_second() -> None:
    """A 429 to it brings back what was known of the first."""

    async def main() -> tuple[object, Ledger]:
        store = Ledger()
        service = SmallService(fates=fates("never", "limit", "accepted"))
        async with opened(service, store=store, settle=5, wait=600, on_uncertain=Resubmit(at_most=1)) as (
            _,
            session,
        ):
            return await ended(session), store

    result, store = run(main())

    assert isinstance(result, Snapshot)
    assert store.states == ["sending", "ambiguous", "absent", "sending", "absent", "sending", "accepted"]


def test_a_first_post_that_is_refused_for_now_is_as_if_unsent() -> None:
    """With time to wait, a 429 is waited for; the store never has it that something may be lost."""

    async def main() -> tuple[object, Ledger, int]:
        store = Ledger()
        service = SmallService(fates=fates("limit", "accepted"))
        async with opened(service, store=store, wait=600) as (_, session):
            return await ended(session), store, service.calls["submit"]

    result, store, posts = run(main())

    assert isinstance(result, Snapshot)
    assert (store.states, posts) == (["sending", "prepared", "sending", "accepted"], 2)


def test_a_second_post_of_a_recovered_one_still_finds_the_first() -> None:
    """Its window begins where the killed process sent it: a record of that time is its own."""

    async def main() -> tuple[object, int]:
        service = SmallService(fates=fates("never"))
        async with opened(service, settle=30, on_uncertain=Resubmit(at_most=1)) as (_, session):
            sent = service.now() - BEGIN
            lost = intent("x", EAGLE.payload, sent=sent, failed=sent + 1)
            task = asyncio.create_task(recovered(session, lost))
            await asyncio.sleep(40)
            service.make("Veo3", dict(EAGLE.payload), "x").created -= 39
            return await task, service.calls["submit"]

    result, posts = run(main())

    assert isinstance(result, Snapshot)
    assert (result.request_id, posts) == ("r0000", 1)
