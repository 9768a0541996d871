"""The verbs that cost money: sent once, found again by other processes, decided by people, told to observers."""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from attrs import evolve
from intents import BEGIN, Blocking, Ledger, aged, intent, revived
from lostfound import EAGLE, RIVER, all_ended, clock, ended, ids, kinds, opened
from scene import ours, turns
from smallservice import SmallService, fates

from gmi_video import (
    Abandoned,
    Exchange,
    Intent,
    Limits,
    Notice,
    Patience,
    Resubmit,
    Session,
    Snapshot,
    State,
    Submitted,
    Throttled,
    VideoRequest,
    errors,
)
from gmi_video.sandbox import Behaviour, Sandbox, Script
from gmi_video.settings import Settings
from gmi_video.testing import run
from gmi_video.wire import Call, Reply


def uncertain(result: object) -> errors.SubmissionUncertain:
    assert isinstance(result, errors.SubmissionUncertain), result
    return result


# Another process


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


async def recovered(session: Session, one: Intent) -> object:
    try:
        return await session.recover(one)
    except errors.GmiVideoError as error:
        return error


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


# People decide


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


# Views


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


# Seeds


def seeds(sandbox: Sandbox) -> list[object]:
    return [charge.payload.get("seed") for charge in sandbox.charges]


def test_a_seed_of_ours_makes_equal_payloads_unique() -> None:
    """Inside the schema's range, where the model has a seed and the caller gave none."""

    async def main() -> tuple[list[object], int]:
        async with Sandbox(Script(models={"*": Behaviour(seconds=9)}), render=False) as sandbox:
            settings = evolve(sandbox.settings, disambiguate="seed")
            async with Session(settings, rng=Random(0)) as session:
                request = VideoRequest("wan2.6-t2v", {"prompt": "eagle"})
                await asyncio.gather(*(session.submit(request) for _ in range(30)))
                await session.submit(evolve(request, payload={"prompt": "eagle", "seed": 7}))
                await session.submit(evolve(request, payload={"prompt": "eagle", "seed": None}))
                return seeds(sandbox), sandbox.count_calls("model")

    drawn, schemas = run(main())

    assert drawn[30] == 7
    assert len({*drawn}) == 32
    assert all(isinstance(seed, int) and 0 <= seed <= 2_147_483_647 for seed in drawn)
    assert schemas == 1


def test_a_model_without_a_seed_gets_none() -> None:
    """Unknown keys may be refused, or stripped."""

    async def main() -> list[object]:
        async with Sandbox(Script(models={"*": Behaviour(seconds=9)}), render=False) as sandbox:
            settings = evolve(sandbox.settings, disambiguate="seed", check="off")
            async with Session(settings, rng=Random(0)) as session:
                await session.submit(VideoRequest("Luma-Ray2", {"prompt": "eagle"}))
            return seeds(sandbox)

    assert run(main()) == [None]


def test_a_catalog_in_trouble_is_waited_for_with_patience() -> None:
    """Without a seed of its own a payload could not be told apart; a catalog that stays away stops nothing."""

    async def main(behaviours: list[Behaviour]) -> list[object]:
        script = Script(models={"*": Behaviour(seconds=9)}, catalog=behaviours)
        async with Sandbox(script, render=False) as sandbox:
            patience = Patience(attempts=3, first=5, jitter=0)
            settings = evolve(sandbox.settings, disambiguate="seed", patience=patience)
            async with Session(settings, rng=Random(0)) as session:
                await session.submit(VideoRequest("wan2.6-t2v", {"prompt": "eagle"}))
                await session.submit(VideoRequest("wan2.6-t2v", {"prompt": "eagle"}))
            return seeds(sandbox)

    down = Behaviour.refused(503, "maintenance")

    assert None not in run(main([down, down]))
    assert run(main([down] * 50)) == [None, None]


# Other writers on the account


def template(session: Session) -> Any:
    return ended(session, VideoRequest("Veo3", {"prompt": "the template"}))


def test_replicas_that_send_one_template_do_not_adopt_each_others_requests() -> None:
    """Two sessions on one key: where one's answer is lost the candidates are named, and a person decides."""

    async def main() -> tuple[object, list[str], SmallService]:
        service = SmallService(fates=fates("accepted", "never", "accepted"), takes=1)
        async with (
            opened(service, writers="shared") as (_, one),
            opened(service, writers="shared") as (_, two),
        ):
            first = asyncio.create_task(template(one))
            await turns()
            lost = asyncio.create_task(template(two))
            await turns()
            third = asyncio.create_task(template(one))
            return await lost, ids([await first, await third]), service

    lost, theirs, service = run(main())
    error = uncertain(lost)

    assert set(error.candidates) == set(theirs)
    assert (error.request_id, error.intent.state) == (None, State.NEEDS_DECISION)
    assert service.calls["submit"] == 3


def test_replicas_with_one_store_find_their_own() -> None:
    """What the other owns is known; and what the other is still being answered is not taken from it."""

    async def main() -> tuple[list[object], SmallService, set[str]]:
        store = Ledger(shared=True)
        service = SmallService(fates=fates("dropped", "accepted", "dropped"), takes=2)
        changes: dict[str, Any] = {"writers": "shared", "store": store}
        async with opened(service, **changes) as (_, one), opened(service, **changes) as (_, two):
            tasks = []
            for session in (one, two, one):
                tasks.append(asyncio.create_task(template(session)))
                await turns()
            return list(await asyncio.gather(*tasks)), service, set(store._owners)

    results, service, owners = run(main())

    assert kinds(results) == ["Snapshot"] * 3  # type: ignore[arg-type]  # ends of submissions
    assert len(set(ids(results))) == 3  # type: ignore[arg-type]  # as above
    assert owners == {made.request_id for made in service.made}


def test_replicas_with_one_store_wait_for_each_others_answers() -> None:
    """A lost one does not take the record of an equal one that another process is being answered."""

    async def main() -> tuple[object, object]:
        store = Ledger(shared=True)
        service = SmallService(fates=fates("accepted", "never"), takes=60)
        changes: dict[str, Any] = {"writers": "shared", "store": store}
        async with opened(service, **changes) as (_, one), opened(service, **changes) as (_, two):
            slow = asyncio.create_task(template(one))
            await asyncio.sleep(1)
            service.takes = 0
            lost = asyncio.create_task(template(two))
            return await slow, await lost

    slow, lost = run(main())

    assert isinstance(slow, Snapshot)
    assert uncertain(lost).candidates == ()


def test_replicas_that_draw_seeds_find_their_own() -> None:
    """A payload that nobody else sends proves whose it is, without a common store."""

    async def main() -> tuple[list[str], int, int]:
        lost = [Behaviour.edge(502, accepted=True), None] * 4
        script = Script(models={"*": Behaviour(seconds=9)}, submissions=lost)
        async with Sandbox(script, render=False) as sandbox:
            settings = evolve(sandbox.settings, disambiguate="seed", writers="shared")
            request = VideoRequest("wan2.6-t2v", {"prompt": "the template"})
            async with Session(settings) as one, Session(settings) as two:
                results = await asyncio.gather(*(ended(each, request) for each in [one, two] * 4))
            return ids(results), len(sandbox.charges), sandbox.count_calls("submit")

    accepted, charges, posts = run(main())

    assert len(set(accepted)) == charges == posts == 8


# Keys


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


# Transports of others


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


# Clocks


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


# Cancelled callers


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


# Closing


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
