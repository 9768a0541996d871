"""Paid calls while keys die, transports misbehave, ids repeat and clocks are wrong."""

import asyncio

import pytest
from intents import Ledger
from lostfound import EAGLE, RIVER, ended, opened
from smallservice import SmallService, fates

from gmi_video import (
    Snapshot,
    errors,
)
from gmi_video.testing import run
from gmi_video.wire import Call, Reply


class Keys:
    """A callable key that fails, or gives these keys one after the other."""

    def __init__(self, *keys: str | Exception) -> None:
        self.keys = list(keys)

    async def __call__(self) -> str:
        key = self.keys.pop(0)
        if isinstance(key, Exception):
            raise key
        return key


class Guarded(SmallService):
    """A service that knows one key."""

    async def send(self, call: Call) -> Reply:
        if call.headers["Authorization"] != "Bearer right":
            self.calls["refused"] += 1
            return Reply(status=401, body=b'{"error": "Access token expired or invalid"}')
        return await super().send(call)


def test_a_key_that_is_renewed_in_the_middle_of_a_post_costs_nothing() -> None:
    """A 401 is a sure answer: the POST is made again with the new key, in one attempt of the ledger's."""

    async def main() -> tuple[object, Guarded, Ledger]:
        service, store = Guarded(), Ledger()
        async with opened(service, store=store, api_key=Keys("old", "right")) as (_, session):
            return await ended(session), service, store

    result, service, store = run(main())

    assert isinstance(result, Snapshot)
    assert (service.calls, len(service.made)) == ({"refused": 1, "submit": 1}, 1)
    assert (store.states, store.puts[-1][0].attempt) == (["sending", "accepted"], 1)


@pytest.mark.parametrize("renewal", [OSError("the vault is down"), "", "old"])
def test_a_renewal_that_fails_leaves_a_sure_refusal(renewal: str | Exception) -> None:
    """Whatever the callable does then: the POST was refused, nothing is uncertain."""

    async def main() -> tuple[object, list[str], int]:
        store = Ledger()
        async with opened(Guarded(), store=store, api_key=Keys("old", renewal)) as (service, session):
            return await ended(session), store.states, service.calls["refused"]

    result, states, posts = run(main())

    assert isinstance(result, errors.Unauthorized)
    assert (states, posts) == (["sending", "rejected"], 1)


@pytest.mark.parametrize(
    ("first", "leaf"), [(OSError("the vault is down"), OSError), ("", errors.ConfigurationError)]
)
def test_a_key_that_cannot_be_had_means_nothing_was_begun(
    first: str | Exception, leaf: type[Exception]
) -> None:
    """Not even the store hears of it; the next submission asks again."""

    async def main() -> tuple[list[str], int, object]:
        store = Ledger()
        async with opened(SmallService(), store=store, api_key=Keys(first, "right")) as (service, session):
            with pytest.raises(leaf):
                await session.submit(EAGLE)
            return store.states, service.calls["submit"], await ended(session)

    states, posts, second = run(main())

    assert (states, posts) == ([], 0)
    assert isinstance(second, Snapshot)


def test_a_transport_that_raises_what_it_may_not_leaves_it_uncertain() -> None:
    """It proves nothing of whether the POST left, so it is looked for, and found."""

    class Rude(SmallService):
        async def send(self, call: Call) -> Reply:
            reply = await super().send(call)
            if call.operation == "submit":
                message = "a-key is none of your business"
                raise KeyError(message)
            return reply

    async def main() -> tuple[object, int, list[str]]:
        store = Ledger()
        async with opened(Rude(), store=store) as (service, session):
            return await ended(session), service.calls["submit"], [put.evidence for put, _ in store.puts]

    result, posts, evidence = run(main())

    assert isinstance(result, Snapshot)
    assert posts == 1
    assert evidence[1] == "the transport failed (KeyError)"


def test_an_answer_with_an_id_of_another_submission_is_an_anomaly() -> None:
    """An id has one owner: the second answer that names it proves nothing."""

    class Twice(SmallService):
        async def send(self, call: Call) -> Reply:
            reply = await super().send(call)
            return (
                Reply(status=200, body=reply.body.replace(b"r0001", b"r0000"))
                if call.operation == "submit"
                else reply
            )

    async def main() -> tuple[Snapshot, object]:
        async with opened(Twice()) as (_, session):
            return await session.submit(EAGLE), await ended(session, RIVER)

    first, second = run(main())

    assert first.request_id == "r0000"
    assert isinstance(second, Snapshot)
    assert second.request_id == "r0001"


@pytest.mark.parametrize("dated", [True, False])
@pytest.mark.parametrize("ahead", [-7200.0, -200.0, 0.0, 200.0, 7200.0])
def test_a_wall_clock_that_is_wrong_does_not_hide_a_request(dated: bool, ahead: float) -> None:
    """The first submission of all is lost: its time is told anew once a list brings a `Date`, or by later answers."""

    async def main() -> object:
        service = SmallService(fates=fates("dropped"), dated=dated)
        service.ahead = ahead
        async with opened(service, settle=60) as (_, session):
            task = asyncio.create_task(ended(session))
            await asyncio.sleep(3)
            await session.submit(RIVER)
            return await task

    assert isinstance(run(main()), Snapshot)


def test_a_clock_that_steps_between_sending_and_answer_is_followed() -> None:
    """The service's clock is set back by half a minute while the POST is under way."""

    async def main() -> object:
        service = SmallService(fates=fates("accepted", "dropped"), takes=10)
        async with opened(service) as (_, session):
            await session.submit(RIVER)
            task = asyncio.create_task(ended(session))
            await asyncio.sleep(5)
            service.ahead -= 30
            service.made[-1].created -= 30
            return await task

    assert isinstance(run(main()), Snapshot)
