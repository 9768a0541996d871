"""Finding lost submissions: what is adopted, how long it takes, what it costs, and what is only said."""

import asyncio
from itertools import pairwise

import pytest
from intents import Failing, Ledger
from lostfound import EAGLE, RIVER, Ended, all_ended, clock, ended, ids, kinds, opened
from scene import ours, turns
from smallservice import SmallService, fates, unordered

from gmi_video import Notice, Resubmit, Session, Snapshot, Submitted, Uncertain, VideoRequest, errors
from gmi_video.testing import run
from gmi_video.wire import Call, Reply

REFUSED = Reply(status=403, body=b'{"error": "you do not have permission"}')
BUSY = Reply(status=500, body=b'{"error": "internal"}')
MANY = [VideoRequest("Veo3", {"prompt": f"p{number}"}) for number in range(300)]


def reads(service: SmallService) -> list[float]:
    """When the list was read, pages of one read counted once."""
    times = service.read_at
    return [at for before, at in pairwise([float("-inf"), *times]) if at - before >= 1]


def uncertain(result: object) -> errors.SubmissionUncertain:
    assert isinstance(result, errors.SubmissionUncertain), result
    return result


# What is found


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

    async def main() -> tuple[list[Ended], SmallService]:
        service = SmallService(fates=fates(*["gateway", "accepted"] * 150), takes=0.05)
        async with opened(service) as (_, session):
            return await all_ended(session, MANY), service

    results, service = run(main())

    assert len(set(ids(results))) == 300
    assert service.calls["submit"] == 300
    assert len(reads(service)) <= 5
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


# What is only said


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


# Without an echo


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


# Refusals


def test_a_backends_refusal_brings_its_reason() -> None:
    """It is read from the failed record, by one list for all who were refused, and nothing is charged."""

    async def main() -> tuple[list[Ended], SmallService]:
        service = SmallService(otherwise="backend")
        async with opened(service) as (_, session):
            return await all_ended(session, MANY[:60]), service

    results, service = run(main())

    assert set(kinds(results)) == {"BackendRefused"}
    assert {str(result).rpartition(": ")[2] for result in results} == {"prompt is too long"}
    assert len({result.request_id for result in results if isinstance(result, errors.BackendRefused)}) == 60
    assert service.calls["requests"] <= 3


def test_a_refusal_waits_for_the_next_read_and_no_longer() -> None:
    """Where its record is not listed yet, it is told without a reason."""

    async def main() -> tuple[object, float]:
        service = SmallService(fates=fates("backend"), lag=9)
        async with opened(service) as (_, session):
            return await ended(session), clock() - 1000

    result, took = run(main())

    assert isinstance(result, errors.BackendRefused)
    assert (result.message, took) == ("Backend error (400). Please try again.", 0)


def test_a_refusals_record_is_not_adopted_by_a_lost_one_of_equal_payload() -> None:
    """Neither while it is looked for, nor where policy "raise" does not look, nor when it is listed late."""

    async def main(policy: str, lag: float) -> list[str]:
        service = SmallService(fates=fates("backend", "never"), lag=lag)
        async with opened(service, settle=60) as (_, session):
            refused = asyncio.create_task(ended(session.using(on_uncertain=policy)))
            lost = asyncio.create_task(ended(session))
            return kinds([await refused, await lost])

    for policy, lag in (("reconcile", 0), ("raise", 0), ("reconcile", 20)):
        assert run(main(policy, lag)) == ["BackendRefused", "SubmissionUncertain"]


def test_a_refusal_holds_nobody_up() -> None:
    """An equal payload may be sent while the reason is looked for."""

    async def main() -> float:
        service = SmallService(fates=fates("dropped", "backend"))
        async with opened(service) as (_, session):
            await session.submit(RIVER)
            refused = asyncio.create_task(ended(session))
            await turns()
            began = clock()
            await session.submit(EAGLE)
            took = clock() - began
            await refused
            return took

    assert run(main()) == 0


@pytest.mark.parametrize("names", [False, True])
def test_a_failed_record_behind_a_gateways_error_is_the_refusal(names: bool) -> None:
    """It was not charged: the reason is told, and nothing stays undecided, whether or not the page named it."""

    async def main() -> tuple[object, int, int]:
        async with opened(SmallService(fates=fates("fails"), names=names)) as (service, session):
            return await ended(session), service.calls["requests"], len(await session.uncertain())

    result, reads, undecided = run(main())

    assert isinstance(result, errors.BackendRefused)
    assert (result.message, result.status, result.key) == ("prompt is too long", 502, "eagle")
    assert (result.charged, result.request_id, undecided) == ("no", "r0000", 0)
    assert reads == (0 if names else 1)


@pytest.mark.parametrize(
    ("model", "payload", "age"),
    [
        ("sora-2-pro", {"prompt": "eagle"}, 0.0),
        ("Veo3", {"prompt": "river"}, 0.0),
        ("Veo3", {"prompt": "eagle"}, 900.0),
    ],
)
def test_an_id_in_a_broken_answer_that_cannot_be_ours_is_not_taken(
    model: str, payload: dict[str, str], age: float
) -> None:
    """Another model, another payload, another time: a proxy mixed its answers up. Ours is found in the list."""

    class Mixed(SmallService):
        async def send(self, call: Call) -> Reply:
            reply = await super().send(call)
            strange = b'{"request_id": "r0000", "x'
            return (
                Reply(status=200, headers=reply.headers, body=strange)
                if call.operation == "submit"
                else reply
            )

    async def main() -> object:
        service = Mixed()
        async with opened(service) as (_, session):
            service.make(model, dict(payload)).created -= age
            return await ended(session)

    result = run(main())

    assert isinstance(result, Snapshot)
    assert result.request_id == "r0001"


@pytest.mark.parametrize("verb", ["claim", "nothing"])
def test_an_id_in_a_broken_answer_is_claimed_like_any_other(verb: str) -> None:
    """One that has an owner is not ours; a store that fails then costs nobody the id."""

    async def main() -> list[object]:
        service = SmallService(fates=fates("truncated"))
        store = Failing(verb)
        async with opened(service, store=store, settle=5) as (_, session):
            if verb == "nothing":
                store._owners["r0000"] = "another"
            return [await ended(session)]

    (result,) = run(main())

    assert isinstance(result, Snapshot) is (verb == "claim")


def test_want_of_capacity_is_believed_after_one_look() -> None:
    """Nothing was created: it is told within a read, retryable, and not charged."""

    async def main() -> tuple[object, int]:
        service = SmallService(fates=fates("capacity"))
        async with opened(service) as (_, session):
            return await ended(session), service.calls["requests"]

    result, reads = run(main())

    assert isinstance(result, errors.ServiceError)
    assert (result.retryable, result.charged, reads) == (True, "no", 1)


def test_want_of_capacity_is_not_believed_against_the_list() -> None:
    """Where the request is listed after all, it is returned."""

    async def main() -> object:
        service = SmallService(fates=fates("capacity"))
        async with opened(service) as (_, session):
            service.make("Veo3", dict(EAGLE.payload), "whose?")
            return await ended(session)

    assert isinstance(run(main()), Snapshot)


# Stores and views


def test_a_request_owned_in_one_store_is_not_adopted_in_another() -> None:
    """Two views of a session with stores of their own share what is owned."""

    async def main() -> tuple[str, str]:
        service = SmallService()
        async with opened(service, settle=5) as (_, session):
            first = await session.submit(EAGLE)
            service.fates.append("never")
            second = await ended(session.using(store=Ledger()))
            return first.request_id, kinds([second])[0]

    assert run(main())[1] == "SubmissionUncertain"


@pytest.mark.parametrize("verb", ["claims", "undecided", "claim"])
def test_a_store_that_fails_harms_only_its_own(verb: str) -> None:
    """Those whose store fails are told that; those of another store are found."""

    async def main() -> tuple[object, object]:
        service = SmallService(otherwise="dropped")
        async with opened(service, settle=5) as (_, session):
            broken = asyncio.create_task(ended(session.using(store=Failing(verb)), EAGLE))
            return await ended(session, RIVER), await broken

    whole, broken = run(main())

    assert isinstance(whole, Snapshot)
    assert "the store failed" in uncertain(broken).evidence


def test_a_store_that_recovers_finds_what_it_missed() -> None:
    """A claim that fails once is made at the next read."""

    async def main() -> object:
        store = Failing("claim")
        async with opened(SmallService(fates=fates("dropped")), store=store) as (_, session):
            task = asyncio.create_task(ended(session))
            await asyncio.sleep(3)
            store.failing.clear()
            return await task

    assert isinstance(run(main()), Snapshot)


# Closing


def test_closing_ends_the_search_within_its_grace() -> None:
    """Whoever waits is told that it is undecided; no reader, no task and no list call follows."""

    async def main() -> tuple[object, float, list[str], int]:
        service = SmallService(fates=fates("never"))
        async with opened(service) as (_, session):
            task = asyncio.create_task(ended(session))
            await asyncio.sleep(5)
            began = clock()
            await session.aclose()
            took, reads = clock() - began, service.calls["requests"]
            await asyncio.sleep(60)
            return await task, took, ours(), service.calls["requests"] - reads

    result, took, tasks, late_reads = run(main())

    assert "closed" in uncertain(result).evidence
    assert (took, tasks, late_reads) == (15, [], 0)


def test_an_answer_that_is_lost_while_closing_starts_no_search() -> None:
    """After the grace nothing reads any more, and nothing opens the session again."""

    async def main() -> tuple[object, int, bool]:
        service = SmallService(fates=fates("gateway"), takes=15.5)
        session: Session
        async with opened(service) as (_, session):
            task = asyncio.create_task(ended(session))
            await asyncio.sleep(0.1)
            await session.aclose()
            return await task, service.calls["requests"], session._core.is_open

    result, reads, is_open = run(main())

    assert "closed" in uncertain(result).evidence
    assert (reads, is_open) == (0, False)


def test_a_second_post_is_not_made_while_closing() -> None:
    """A session that is being closed spends nothing more."""

    async def main() -> tuple[str, int]:
        service = SmallService(otherwise="never")
        async with opened(service, settle=0, on_uncertain=Resubmit(at_most=9)) as (_, session):
            task = asyncio.create_task(ended(session))
            await asyncio.sleep(3)
            await session.aclose()
            return kinds([await task])[0], service.calls["submit"]

    assert run(main()) == ("SubmissionUncertain", 1)
