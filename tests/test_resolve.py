"""What cannot be found out, a person decides; and nothing that cannot be right is taken."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve
from intents import Ledger
from lostfound import EAGLE, ended, opened
from reconciling import uncertain
from smallservice import SmallService, fates

from gmi_video import (
    Intent,
    Session,
    Snapshot,
    State,
    errors,
)
from gmi_video.testing import run


def test_a_person_says_which_request_it_is() -> None:
    """Then it has an owner, is undecided no longer, and is followed like any other."""

    async def main() -> tuple[object, tuple[Intent, ...], tuple[str, ...], list[str]]:
        store = Ledger()
        async with opened(SmallService(fates=fates("dropped")), store=store, on_uncertain="raise") as (
            _,
            session,
        ):
            lost = uncertain(await ended(session)).intent
            found = await session.resolve(lost, request_id="r0000")
            return found, await session.uncertain(), session.unfinished(), store.states

    found, rest, unfinished, states = run(main())

    assert isinstance(found, Snapshot)
    assert (found.request_id, rest, unfinished) == ("r0000", (), ("r0000",))
    assert states == ["sending", "ambiguous", "needs_decision", "accepted"]


def test_a_person_says_that_it_never_ran() -> None:
    """Nothing is sent; it may be submitted anew."""

    async def main() -> tuple[object, tuple[Intent, ...], int, State]:
        store = Ledger()
        async with opened(SmallService(fates=fates("never")), store=store, settle=5) as (service, session):
            lost = uncertain(await ended(session)).intent
            decided = await session.resolve(lost, absent=True)
            return decided, await session.uncertain(), service.calls["submit"], store.latest[lost.id].state

    assert run(main()) == (None, (), 1, State.REJECTED)


Decision = Callable[[Session, Intent], Any]


@pytest.mark.parametrize(
    ("decision", "why"),
    [
        (lambda session, lost: session.resolve(lost), "says which request it is"),
        (lambda session, lost: session.resolve(lost, request_id="r0000", absent=True), "says which request"),
        (lambda session, lost: session.resolve(lost, request_id="r0001"), "belongs to another submission"),
        (lambda session, lost: session.resolve(lost, request_id="r0002"), "is of model sora-2-pro"),
        (lambda session, lost: session.resolve(lost, request_id="../x"), "not a request id"),
        (
            lambda session, lost: session.resolve(evolve(lost, state=State.ACCEPTED), absent=True),
            "is accepted already",
        ),
        (
            lambda session, lost: session.resolve(evolve(lost, state=State.PREPARED), absent=True),
            "prepared already",
        ),
    ],
)
def test_a_decision_that_cannot_be_right_changes_nothing(decision: Decision, why: str) -> None:
    """It is refused in words, and the submission stays undecided."""

    async def main() -> tuple[str, int, int]:
        store = Ledger()
        service = SmallService(fates=fates("dropped", "accepted"))
        async with opened(service, store=store, on_uncertain="raise") as (_, session):
            lost = uncertain(await ended(session)).intent
            await session.submit(EAGLE)
            service.make("sora-2-pro", {})
            kept = len(store.puts)
            with pytest.raises(errors.ConfigurationError) as caught:
                await decision(session, lost)
            return str(caught.value), len(await session.uncertain()), len(store.puts) - kept

    said, undecided, puts = run(main())

    assert why in said
    assert (undecided, puts) == (1, 0)


def test_nobody_decides_what_is_still_being_looked_for() -> None:
    """The search could find it after all."""

    async def main() -> str:
        async with opened(SmallService(fates=fates("dropped"), lag=20)) as (_, session):
            task = asyncio.create_task(session.submit(EAGLE))
            await asyncio.sleep(5)
            (looked_for,) = await session.uncertain()
            with pytest.raises(errors.ConfigurationError) as caught:
                await session.resolve(looked_for, absent=True)
            await task
            return str(caught.value)

    assert "still being looked for" in run(main())
