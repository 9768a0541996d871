"""Another process finishes what a killed one began."""

import asyncio

import pytest
from intents import BEGIN, Blocking, Ledger, aged, intent, revived
from lostfound import EAGLE, clock, opened
from reconciling import recovered, uncertain
from scene import turns
from smallservice import SmallService, fates

from gmi_video import (
    Intent,
    Notice,
    Resubmit,
    Session,
    Snapshot,
    State,
    Submitted,
    errors,
)
from gmi_video.settings import Settings
from gmi_video.testing import run


@pytest.mark.parametrize("seconds", [0.0, 9000.0])
def test_another_process_finishes_what_a_killed_one_began(seconds: float) -> None:
    """Its intents are in the store; the request is found, at once or hours later, and not sent again."""

    async def main() -> tuple[Snapshot, SmallService, tuple[Intent, ...], tuple[str, ...]]:
        service, store = SmallService(fates=fates("hung")), Ledger()
        first = Session(Settings(api_key="k", check="off"), transport=service, store=store)
        lost = asyncio.create_task(first.submit(EAGLE))
        await turns(30)
        left = revived(store, State.SENDING)
        service.make("Veo3", dict(left.payload), left.id)
        await asyncio.sleep(seconds)
        async with opened(service, store=Copied(left)) as (_, session):
            (known,) = await session.uncertain()
            found = await session.recover(known)
            rest, unfinished = await session.uncertain(), session.unfinished()
        lost.cancel()
        await first.aclose()
        return found, service, rest, unfinished

    found, service, rest, unfinished = run(main())

    assert (found.request_id, service.calls["submit"], rest) == ("r0000", 1, ())
    assert unfinished == ("r0000",)


class Copied(Ledger):
    """What a killed process left of one intent, and nothing after it."""

    def __init__(self, *left: Intent) -> None:
        super().__init__()
        self._open = {one.id: one for one in left}


def test_one_killed_between_the_claim_and_its_record_is_found_by_its_claim() -> None:
    """The store has it that the id is its own: nobody else's, and not absent."""

    async def main() -> tuple[Snapshot, int]:
        store = Blocking("accepted")
        service = SmallService(echo="empty")
        first = Session(Settings(api_key="k", check="off"), transport=service, store=store)
        lost = asyncio.create_task(first.submit(EAGLE))
        await store.reached.wait()
        after = Copied(revived(store, State.SENDING))
        after._owners = store._owners
        service.make("Veo3", {}, "another")
        async with opened(service, store=after, on_uncertain=Resubmit(at_most=3)) as (_, session):
            found = await session.recover(revived(store, State.SENDING))
        store.go.set()
        lost.cancel()
        await first.aclose()
        return found, service.calls["submit"]

    found, posts = run(main())

    assert (found.request_id, posts) == ("r0000", 1)


def test_what_provably_was_not_sent_is_sent_by_recover() -> None:
    """It costs what a submission costs, once."""

    async def main() -> tuple[Snapshot, SmallService, Ledger]:
        store = Ledger()
        async with opened(SmallService(), store=store) as (service, session):
            found = await session.recover(intent("x", sent=None, failed=None, state=State.PREPARED))
            return found, service, store

    found, service, store = run(main())

    assert (found.request_id, service.made[0].owner, store.states) == ("r0000", "x", ["sending", "accepted"])


def test_hours_later_absence_takes_seconds() -> None:
    """What was lost long ago would have been listed: three reads are enough; a fresh one takes its time."""

    async def main() -> tuple[float, float]:
        async with opened() as (service, session):
            fresh = intent("x", sent=service.now() - BEGIN, failed=None, state=State.SENDING)
            took = []
            for one in (aged(fresh, 20_000), fresh):
                began = clock()
                uncertain(await recovered(session, one))
                took.append(clock() - began)
            return took[0], took[1]

    old, new = run(main())

    assert old <= 6
    assert 120 <= new <= 136


def test_a_killed_one_is_not_given_what_was_made_hours_after_it() -> None:
    """Its POST may have run for its time-out, and not for hours: a later equal request is somebody else's."""

    async def main() -> tuple[object, object]:
        async with opened() as (service, session):
            old = intent("x", EAGLE.payload, sent=service.now() - BEGIN, failed=None, state=State.SENDING)
            service.make("Veo3", dict(EAGLE.payload))
            return await recovered(session, aged(old, 9000)), await recovered(session, aged(old, 500))

    late, near = run(main())

    assert uncertain(late).candidates == ()
    assert isinstance(near, Snapshot)


def test_one_killed_in_its_second_post_is_found_by_it() -> None:
    """Of two sendings only the first is dated; the record of the second is adopted, and no third is made."""

    async def main() -> tuple[object, int]:
        async with opened(on_uncertain=Resubmit(at_most=9), settle=5, submit_timeout=10) as (
            service,
            session,
        ):
            sent = service.now() - BEGIN
            twice = intent("x", EAGLE.payload, sent=sent, failed=None, state=State.SENDING, attempt=2)
            service.make("Veo3", dict(EAGLE.payload), "x")
            return await recovered(session, aged(twice, 1000)), service.calls["submit"]

    found, posts = run(main())

    assert isinstance(found, Snapshot)
    assert (found.request_id, posts) == ("r0000", 0)


def test_recover_waits_for_what_is_under_way_here() -> None:
    """Of an intent that this session is sending there is one POST, one owner, and one acceptance told."""

    async def main() -> tuple[list[str], SmallService, list[Notice]]:
        told: list[Notice] = []
        async with opened(SmallService(takes=5), told=told) as (service, session):
            task = asyncio.create_task(session.submit(EAGLE))
            await asyncio.sleep(1)
            (sending,) = await session.uncertain()
            also = await session.recover(sending)
            return [also.request_id, (await task).request_id], service, told

    found, service, told = run(main())

    assert (found, service.calls) == (["r0000", "r0000"], {"submit": 1})
    assert len([notice for notice in told if isinstance(notice, Submitted)]) == 1


def test_what_is_decided_is_not_looked_for() -> None:
    """An accepted one is shown; a refused one is to be submitted anew."""

    async def main() -> tuple[Snapshot, object, int]:
        async with opened() as (service, session):
            service.make("Veo3", dict(EAGLE.payload), "x")
            accepted = await session.recover(intent("x", state=State.ACCEPTED, request_id="r0000"))
            refused = await recovered(session, intent("y", state=State.REJECTED, evidence="no credit"))
            return accepted, refused, service.calls["requests"]

    accepted, refused, lists = run(main())

    assert (accepted.request_id, lists) == ("r0000", 0)
    assert isinstance(refused, errors.ConfigurationError)
    assert "no credit" in str(refused)


def test_many_are_recovered_by_a_handful_of_reads() -> None:
    """Ten thousand lost answers would cost tens of lists, not ten thousand: reads are shared."""

    async def main() -> tuple[int, int]:
        async with opened() as (service, session):
            sent = service.now() - BEGIN
            left = [intent(f"i{number}", sent=sent, failed=sent + 1) for number in range(2000)]
            for one in left:
                service.make("Veo3", dict(one.payload), one.id)
            found = await asyncio.gather(*(session.recover(one) for one in left))
            right = sum(
                service.owner(one.request_id).owner == mine.id for one, mine in zip(found, left, strict=True)
            )
            return right, service.calls["requests"]

    right, lists = run(main())

    assert (right, lists) == (2000, 20)
