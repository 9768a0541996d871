"""What a list that is silent, broken or refused proves: mostly nothing."""

import asyncio

import pytest
from intents import Ledger
from lostfound import all_ended, clock, ended, kinds, opened
from reconciling import MANY, uncertain
from smallservice import SmallService, fates, unordered

from gmi_video import Notice, Resubmit, Snapshot, Uncertain
from gmi_video.testing import run
from gmi_video.wire import Reply

REFUSED = Reply(status=403, body=b'{"error": "you do not have permission"}')


BUSY = Reply(status=500, body=b'{"error": "internal"}')


def test_without_a_trace_it_is_uncertain_and_not_sent_again() -> None:
    """The default policy never posts twice; it took the whole time to settle."""

    async def main() -> tuple[object, SmallService, float, tuple[object, ...], list[Notice]]:
        told: list[Notice] = []
        async with opened(SmallService(fates=fates("never")), told=told) as (service, session):
            began = clock()
            result = await ended(session)
            return result, service, clock() - began, await session.uncertain(), told

    result, service, took, undecided, told = run(main())
    error = uncertain(result)

    assert (service.calls["submit"], error.candidates, error.key) == (1, (), "eagle")
    assert 120 <= took <= 136
    assert undecided == (error.intent,)
    assert error.intent.state == "needs_decision"
    assert [notice for notice in told if isinstance(notice, Uncertain)] == [
        Uncertain(model="Veo3", key="eagle")
    ]
    assert service.calls["requests"] <= 14


def test_absence_may_be_followed_by_a_second_post() -> None:
    """Where the caller allows it, a submission that never arrived is sent again, and accepted."""

    async def main() -> tuple[object, SmallService, Ledger]:
        store = Ledger()
        service = SmallService(fates=fates("never"))
        async with opened(service, store=store, on_uncertain=Resubmit(at_most=1)) as (_, session):
            return await ended(session), service, store

    result, service, store = run(main())

    assert isinstance(result, Snapshot)
    assert (service.calls["submit"], len(service.made)) == (2, 1)
    assert store.states == ["sending", "ambiguous", "absent", "sending", "accepted"]
    assert store.puts[-1][0].attempt == 2


def test_at_most_is_a_number_for_the_whole_session() -> None:
    """Views share it, and closing the session does not refill it."""

    async def main() -> tuple[list[str], int]:
        service = SmallService(otherwise="never")
        async with opened(service, settle=5) as (_, session):
            view = session.using(on_uncertain=Resubmit(at_most=3))
            first = await all_ended(view, MANY[:4])
            await session.aclose()
            second = await all_ended(session.using(on_uncertain=Resubmit(at_most=3)), MANY[:2])
            return kinds([*first, *second]), service.calls["submit"]

    ends, posts = run(main())

    assert set(ends) == {"SubmissionUncertain"}
    assert posts == 6 + 3


def unsaid(_: int) -> None:
    """The service does not say."""


def always(_: bool) -> bool:
    return True


def one_more(count: int) -> int:
    return count + 1


@pytest.mark.parametrize(
    "listing",
    [
        {"order": unordered, "total": unsaid, "more": always},
        {"total": one_more},
        {"more": always, "total": one_more},
        {"more": unsaid, "total": unsaid},
    ],
)
def test_an_incomplete_list_proves_no_absence(listing: dict[str, object]) -> None:
    """Nothing is sent again on the word of a list that may not be whole."""

    async def main() -> tuple[object, int]:
        service = SmallService(fates=fates("never"), **listing)  # type: ignore[arg-type]  # attributes by name
        async with opened(service, on_uncertain=Resubmit(at_most=5)) as (_, session):
            return await ended(session), service.calls["submit"]

    result, posts = run(main())

    assert posts == 1
    assert "may be incomplete" in uncertain(result).evidence


def test_absence_needs_a_list_read_after_the_time_to_settle() -> None:
    """Three complete reads at the beginning say nothing of what is listed a minute later."""

    async def main() -> tuple[object, SmallService]:
        service = SmallService(fates=fates("dropped"), lag=60)
        async with opened(service, on_uncertain=Resubmit(at_most=5)) as (_, session):
            task = asyncio.create_task(ended(session))
            await asyncio.sleep(11)
            service.lists.extend([BUSY] * 400)
            return await task, service

    result, service = run(main())

    assert (service.calls["submit"], len(service.made)) == (1, 1)
    assert "could not be read" in uncertain(result).evidence


def test_a_list_that_is_refused_ends_the_search_at_once() -> None:
    """No later list could change the verdict."""

    async def main() -> tuple[object, float, int]:
        service = SmallService(fates=fates("dropped"))
        service.lists.extend([REFUSED] * 9)
        async with opened(service) as (_, session):
            began = clock()
            return await ended(session), clock() - began, service.calls["requests"]

    result, took, reads = run(main())

    assert (took, reads) == (0, 1)
    assert "NotEntitled" in uncertain(result).evidence


def test_a_list_in_trouble_is_asked_until_the_time_is_over() -> None:
    """It may recover, and here it does not; the wait is bounded all the same."""

    async def main() -> tuple[object, float]:
        service = SmallService(fates=fates("dropped"))
        service.lists.extend([BUSY] * 900)
        async with opened(service) as (_, session):
            began = clock()
            return await ended(session), clock() - began

    result, took = run(main())

    assert 120 <= took <= 180
    assert "ServiceError" in uncertain(result).evidence


def test_a_transport_of_strangers_may_fail_in_the_list() -> None:
    """Whatever it raises, those who wait are told in the end."""

    async def main() -> object:
        service = SmallService(fates=fates("dropped"))
        service.lists.extend([KeyError("theirs")] * 900)
        async with opened(service) as (_, session):
            return await ended(session)

    assert "KeyError" in uncertain(run(main())).evidence


def test_a_candidate_is_never_absent() -> None:
    """Where an altered echo may be its own, nothing is sent again, and the id is named."""

    async def main() -> tuple[object, SmallService]:
        service = SmallService(fates=fates("dropped"), echo="altered")
        async with opened(service, on_uncertain=Resubmit(at_most=5)) as (_, session):
            return await ended(session), service

    result, service = run(main())

    assert service.calls["submit"] == 1
    assert uncertain(result).candidates == (service.made[0].request_id,)


def test_policy_raise_never_looks() -> None:
    """The caller is told at once; the intent is kept."""

    async def main() -> tuple[object, SmallService, int]:
        async with opened(SmallService(fates=fates("dropped")), on_uncertain="raise") as (service, session):
            return await ended(session), service, len(await session.uncertain())

    result, service, kept = run(main())

    assert uncertain(result).candidates == ()
    assert (service.calls["requests"], kept) == (0, 1)


def test_policy_raise_still_names_the_id_that_was_answered() -> None:
    """Half an answer with a whole id is better than none."""

    async def main() -> object:
        async with opened(SmallService(fates=fates("truncated")), on_uncertain="raise") as (_, session):
            return await ended(session)

    error = uncertain(run(main()))

    assert (error.request_id, error.candidates) == ("r0000", ("r0000",))


def test_settle_zero_still_takes_three_reads() -> None:
    """Absence is never the word of one list."""

    async def main() -> tuple[float, int]:
        service = SmallService(fates=fates("never"))
        async with opened(service, settle=0) as (_, session):
            began = clock()
            await ended(session)
            return clock() - began, service.calls["requests"]

    took, reads = run(main())

    assert reads == 3
    assert took <= 6
