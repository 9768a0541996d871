"""Lost answers are found in the list, with few reads."""

import asyncio
from itertools import pairwise

import pytest
from intents import Ledger
from lostfound import EAGLE, RIVER, Ended, all_ended, clock, ended, ids, kinds, opened
from reconciling import MANY, reads, uncertain
from smallservice import SmallService, fates, unordered

from gmi_video import Notice, Resubmit, Snapshot, Submitted
from gmi_video.testing import run


@pytest.mark.parametrize("fate", ["dropped", "gateway", "truncated"])
def test_a_lost_answer_is_found_in_the_list(fate: str) -> None:
    """The POST is made once, and its request is returned as if it had been answered."""

    async def main() -> tuple[object, SmallService, list[Notice]]:
        told: list[Notice] = []
        async with opened(SmallService(fates=fates(fate)), told=told) as (service, session):
            return await session.submit(EAGLE), service, told

    result, service, told = run(main())

    assert isinstance(result, Snapshot)
    assert result.request_id == service.made[0].request_id
    assert service.calls["submit"] == 1
    assert [notice.evidence != "" for notice in told if isinstance(notice, Submitted)] == [True]
    assert service.calls["requests"] == (0 if fate == "truncated" else 1)


def test_many_lost_at_once_cost_one_read() -> None:
    """Whatever their number: a read serves all who wait, and the next is two seconds later."""

    async def main() -> tuple[list[Ended], SmallService, float]:
        service = SmallService(fates=fates(*["gateway", "accepted"] * 150), takes=0.05)
        begun = clock()
        async with opened(service) as (_, session):
            return await all_ended(session, MANY), service, clock() - begun

    results, service, took = run(main())

    assert len(set(ids(results))) == 300
    assert service.calls["submit"] == 300
    assert len(reads(service)) <= 2 + took / 2
    assert took < 30
    assert all(after - before >= 1.5 for before, after in pairwise(reads(service)))
    assert service.calls["requests"] <= 15


def test_a_new_loss_is_looked_for_within_two_seconds_though_an_old_one_is_hopeless() -> None:
    """Each waits by its own spacing; a read serves whoever waits."""

    async def main() -> float:
        service = SmallService(fates=fates("never"))
        async with opened(service) as (_, session):
            hopeless = asyncio.create_task(ended(session, EAGLE))
            await asyncio.sleep(100)
            service.fates.append("dropped")
            began = clock()
            await session.submit(RIVER)
            took = clock() - began
            await hopeless
            return took

    assert run(main()) <= 2.0


def test_reads_are_two_seconds_apart_from_one_loss_to_the_next() -> None:
    """Losses that come one by one, each found at once, do not make a list call each."""

    async def main() -> list[float]:
        service = SmallService(otherwise="dropped")
        async with opened(service) as (_, session):
            for request in MANY[:10]:
                await session.submit(request)
        return service.read_at

    read_at = run(main())

    assert all(after - before >= 2.0 for before, after in pairwise(read_at))


def test_the_list_may_lag() -> None:
    """What is listed ninety seconds later is found all the same, and nothing is sent again."""

    async def main() -> tuple[object, SmallService, float]:
        service = SmallService(fates=fates("dropped"), lag=90)
        async with opened(service, on_uncertain=Resubmit(at_most=5)) as (_, session):
            began = clock()
            return await session.submit(EAGLE), service, clock() - began

    result, service, took = run(main())

    assert isinstance(result, Snapshot)
    assert (service.calls["submit"], len(service.made)) == (1, 1)
    assert 90 <= took <= 110
    assert service.calls["requests"] <= 12


def test_an_unordered_list_proves_presence() -> None:
    """It is read to its end, page by page."""

    async def main() -> object:
        service = SmallService(order=unordered, page=7)
        async with opened(service) as (_, session):
            await all_ended(session, MANY[:40])
            service.fates.append("dropped")
            return await session.submit(EAGLE)

    assert isinstance(run(main()), Snapshot)


def test_equal_submissions_are_told_apart_by_their_number() -> None:
    """Sixty of one payload, every third answer lost: each has an id of its own, and none is sent twice."""

    async def main() -> tuple[list[Ended], SmallService]:
        service = SmallService(fates=fates(*["accepted", "accepted", "dropped"] * 20), takes=1)
        async with opened(service) as (_, session):
            return await all_ended(session, [EAGLE] * 60), service

    results, service = run(main())

    assert len(set(ids(results))) == 60
    assert service.calls["submit"] == 60


def test_a_live_answer_comes_before_a_guess() -> None:
    """While an equal submission is being sent, its record is not given to a lost one, which waits for its answer."""

    async def main() -> tuple[object, object, SmallService]:
        service = SmallService(fates=fates("never", "accepted"), takes=30)
        async with opened(service) as (_, session):
            slow = asyncio.create_task(ended(session))
            await asyncio.sleep(25)
            service.takes = 60
            other = asyncio.create_task(ended(session))  # the first is lost five seconds later
            return await slow, await other, service

    lost, answered, service = run(main())

    assert isinstance(answered, Snapshot)
    assert answered.request_id == service.made[0].request_id
    assert "no trace" in str(uncertain(lost))


def test_a_live_answer_beats_a_guess_even_while_the_store_takes_its_time() -> None:
    """Between an answer and its claim nobody else may take the id."""

    class Slow(Ledger):
        async def claim(self, request_id: str, intent_id: str) -> bool:
            await asyncio.sleep(10)
            return await super().claim(request_id, intent_id)

    async def main() -> list[str]:
        service = SmallService(fates=fates("never", "accepted"), takes=1)
        async with opened(service, store=Slow(), settle=30) as (_, session):
            return kinds(await all_ended(session, [EAGLE, EAGLE]))

    assert run(main()) == ["SubmissionUncertain", "Snapshot"]


def test_a_key_of_a_few_letters_does_not_change_what_is_read() -> None:
    """A key as tests have it is a part of ordinary words; only one that could be a secret is taken out of answers."""

    async def main() -> object:
        async with opened(SmallService(fates=fates("dropped")), api_key="e") as (_, session):
            return await session.submit(EAGLE)

    found = run(main())

    assert isinstance(found, Snapshot)
    assert (found.model, found.payload) == ("Veo3", EAGLE.payload)
