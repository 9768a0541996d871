"""Refusals that hide their reason, ids in broken answers, and stores that fail."""

import asyncio

import pytest
from intents import Failing, Ledger
from lostfound import EAGLE, RIVER, Ended, all_ended, clock, ended, kinds, opened
from reconciling import MANY, uncertain
from scene import ours, turns
from smallservice import SmallService, fates

from gmi_video import Resubmit, Session, Snapshot, errors
from gmi_video._matter import DRIFT
from gmi_video.testing import run
from gmi_video.wire import Call, Reply


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
            await asyncio.sleep(DRIFT + 1)
            return await ended(session), service.calls["requests"], len(await session.uncertain())

    result, reads, undecided = run(main())

    assert isinstance(result, errors.BackendRefused)
    assert (result.message, result.status, result.key) == ("prompt is too long", 502, "eagle")
    assert (result.charged, result.request_id, undecided) == ("no", "r0000", 0)
    assert reads == (0 if names else 1)


def test_a_young_process_does_not_take_a_failed_record_for_its_own_at_once() -> None:
    """The one before it may have left that behind: what was charged may still come, and is waited for."""

    async def main() -> tuple[Ended, list[str]]:
        service = SmallService(fates=fates("late"), late=5)
        async with opened(service) as (_, session):
            service.make("Veo3", dict(EAGLE.payload), "gone", status="failed", charged=False)
            return await ended(session), [made.request_id for made in service.made if made.charged]

    found, charged = run(main())

    assert isinstance(found, Snapshot)
    assert [found.request_id] == charged


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
