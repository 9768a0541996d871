"""Where the service echoes nothing: found by number or not at all, and the fence."""

import asyncio

from lostfound import EAGLE, RIVER, Ended, all_ended, clock, ended, ids, kinds, opened
from reconciling import MANY, uncertain
from smallservice import SmallService, fates

from gmi_video import Resubmit, Snapshot
from gmi_video.testing import run


def test_without_an_echo_a_lone_loss_is_found() -> None:
    """Everybody else has an owner, and nobody is sending."""

    async def main() -> tuple[list[Ended], object]:
        service = SmallService(echo="empty")
        async with opened(service) as (_, session):
            before = await all_ended(session, MANY[:20])
            service.fates.append("dropped")
            return before, await ended(session)

    before, found = run(main())

    assert isinstance(found, Snapshot)
    assert found.request_id not in ids(before)


def test_without_an_echo_two_losses_at_once_are_named_and_not_guessed() -> None:
    """Both ids are told to both; nothing was sent again; it did not take long."""

    async def main() -> tuple[list[Ended], SmallService, float]:
        service = SmallService(echo="empty", otherwise="dropped", takes=1)
        async with opened(service, on_uncertain=Resubmit(at_most=9)) as (_, session):
            began = clock()
            return await all_ended(session, [EAGLE, RIVER]), service, clock() - began

    results, service, took = run(main())

    assert [set(uncertain(result).candidates) for result in results] == [{"r0000", "r0001"}] * 2
    assert (service.calls["submit"], took) == (2, 1)


def test_without_an_echo_the_next_loss_is_not_spoilt_by_the_last() -> None:
    """Those two are certainly the two named; a third that is lost later is found."""

    async def main() -> tuple[list[str], object]:
        service = SmallService(echo="empty", fates=fates("dropped", "dropped", "accepted", "dropped"))
        async with opened(service) as (_, session):
            first = await all_ended(session, [EAGLE, RIVER])
            await session.submit(MANY[0])
            return kinds(first), await ended(session, MANY[1])

    first, third = run(main())

    assert first == ["SubmissionUncertain"] * 2
    assert isinstance(third, Snapshot)
    assert third.request_id == "r0003"


def test_without_an_echo_one_that_was_given_up_may_own_the_record() -> None:
    """Its request may be listed late, within its time to settle: it is not taken for another's."""

    async def main() -> tuple[str, object]:
        service = SmallService(echo="empty", fates=fates("dropped", "never"), lag=50)
        async with opened(service) as (_, session):
            first = await ended(session.using(on_uncertain="raise"), EAGLE)
            return kinds([first])[0], await ended(session, RIVER)

    first, second = run(main())

    assert first == "SubmissionUncertain"
    assert uncertain(second).candidates == ("r0000",)


def test_where_nothing_is_echoed_the_fence_stops_the_line() -> None:
    """Once that is known, nothing is sent while one is lost; without a loss nothing waits."""

    async def main() -> tuple[int, int, list[str]]:
        service = SmallService(echo="empty", fates=fates("dropped"))
        async with opened(service) as (_, session):
            await session.submit(EAGLE)
            service.fates.extend(["dropped"])
            service.lag = 20
            lost = asyncio.create_task(ended(session, RIVER))
            await asyncio.sleep(1)
            service.lag = 0
            others = asyncio.create_task(all_ended(session, MANY))
            await asyncio.sleep(15)
            held = service.calls["submit"]
            found = await lost
            return held, service.calls["submit"], [*kinds([found]), *set(kinds(await others))]

    held, _, ends = run(main())

    assert held == 2
    assert ends == ["Snapshot", "Snapshot"]


def test_the_fence_holds_those_who_wait_for_a_place_as_well() -> None:
    """Thousands may have asked before the loss: none of them is sent until it is found."""

    async def main() -> tuple[int, int]:
        service = SmallService(fates=fates("dropped"), takes=1, lag=9)
        async with opened(service) as (_, session):
            work = asyncio.create_task(all_ended(session, [EAGLE] * 200))
            await asyncio.sleep(5)
            held = service.calls["submit"]
            service.lag = 0
            return held, len(set(ids(await work)))

    held, accepted = run(main())

    assert held == 32
    assert accepted == 200


def test_healthy_traffic_is_not_held() -> None:
    """Other prompts go on while one is lost, as many at once as are allowed."""

    async def main() -> float:
        service = SmallService(fates=fates("never"), takes=1)
        async with opened(service) as (_, session):
            lost = asyncio.create_task(ended(session))
            await asyncio.sleep(3)
            began = clock()
            await all_ended(session, MANY[:64])
            took = clock() - began
            lost.cancel()
            return took

    assert run(main()) == 2.0
