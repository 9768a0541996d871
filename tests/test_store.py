"""What a store is told, when, and what its failures may cost."""

import asyncio
import json
from random import Random

import pytest
from intents import Blocking, Failing, Ledger
from lostfound import EAGLE, clock, ended, kinds, opened
from scene import ours, settings_for, turns
from smallservice import SmallService, fates

from gmi_video import Intent, MemoryStore, Notice, Resubmit, Session, Snapshot, State, Submitted, errors
from gmi_video.sandbox import Sandbox
from gmi_video.testing import run


def test_sending_is_kept_before_the_first_byte_may_leave() -> None:
    """While the store keeps it, the service hears nothing, and not even a connection is made."""

    async def main() -> tuple[int, int]:
        store = Blocking("sending")
        async with Sandbox(render=False) as sandbox:
            session = Session(settings_for(sandbox.url, api_key=sandbox.api_key), store=store, rng=Random(0))
            async with session:
                task = asyncio.create_task(session.submit(EAGLE))
                await store.reached.wait()
                await asyncio.sleep(5)
                before = sandbox.count_calls()
                store.go.set()
                await task
            return before, sandbox.count_calls("submit")

    assert run(main()) == (0, 1)


def test_a_store_that_refuses_to_keep_it_means_nothing_is_sent() -> None:
    """Its own error is raised, and no task is left."""

    async def main() -> tuple[str, int, list[str], int]:
        async with opened(store=Failing("sending")) as (service, session):
            with pytest.raises(OSError, match="disk is full") as caught:
                await session.submit(EAGLE)
            return str(caught.value), service.calls["submit"], ours(), len(await session.uncertain())

    assert run(main()) == ("the disk is full, said sending", 0, [], 0)


def test_an_acceptance_carries_the_replys_bytes() -> None:
    """They are all that was ever said of the id; no other state has any."""

    async def main() -> Ledger:
        store = Ledger()
        async with opened(store=store) as (_, session):
            await session.submit(EAGLE)
        return store

    store = run(main())

    assert store.states == ["sending", "accepted"]
    assert [bool(body) for _, body in store.puts] == [False, True]
    assert json.loads(store.puts[1][1])["request_id"] == store.puts[1][0].request_id == "r0000"


@pytest.mark.parametrize(
    ("fate", "states"),
    [
        ("accepted", ["sending", "accepted"]),
        ("dropped", ["sending", "ambiguous", "accepted"]),
        ("never", ["sending", "ambiguous", "needs_decision"]),
        ("backend", ["sending", "rejected"]),
        ("capacity", ["sending", "rejected"]),
        ("limit", ["sending", "rejected"]),
        ("unreached", ["sending", "prepared"] * 4),
    ],
)
def test_every_step_is_kept(fate: str, states: list[str]) -> None:
    """A provably unsent one is prepared again, so that nobody looks for it."""

    async def main() -> tuple[Ledger, int]:
        store = Ledger()
        async with opened(SmallService(otherwise=fate), store=store, settle=5) as (_, session):
            await ended(session)
            return store, len(await session.uncertain())

    store, undecided = run(main())

    assert store.states == states
    assert undecided == (fate == "never")
    assert {put.id for put, _ in store.puts} == {store.puts[0][0].id}


def test_an_intent_says_all_that_another_process_needs() -> None:
    """Model, payload, digest, the service's times and how well they are known, and the caller's key."""

    async def main() -> tuple[Ledger, float]:
        store = Ledger()
        async with opened(SmallService(fates=fates("never"), takes=3), store=store, settle=5) as (
            service,
            session,
        ):
            await ended(session)
            return store, service.now() - clock()

    store, offset = run(main())
    last = store.puts[-1][0]

    assert (last.model, last.payload, last.key, last.attempt) == ("Veo3", {"prompt": "eagle"}, "eagle", 1)
    assert last.sent_at == pytest.approx(1000 + offset, abs=last.slack)
    assert last.failed_at == pytest.approx(1003 + offset, abs=last.slack)
    assert last.slack == 1.5
    assert "no trace" in last.evidence
    assert Intent.from_dict(json.loads(json.dumps(last.as_dict()))) == last
    assert "eagle" not in repr(last).replace("key='eagle'", "")


def test_ids_of_intents_do_not_repeat_with_a_seed() -> None:
    """A store outlives a run: two runs of one seed are different submissions."""

    async def main() -> list[str]:
        store, service = Ledger(), SmallService()
        for _ in range(2):
            async with opened(service, store=store, seed=7) as (_, session):
                await session.submit(EAGLE)
        return [put.id for put, _ in store.puts if put.state is State.ACCEPTED]

    first, second = run(main())

    assert first != second


@pytest.mark.parametrize(
    "failing", [("accepted",), ("claim",), ("accepted", "claim"), ("ambiguous", "rejected")]
)
def test_a_store_that_fails_after_an_acceptance_does_not_lose_the_id(failing: tuple[str, ...]) -> None:
    """The caller gets the snapshot, observers are told, and the session remembers who owns it."""

    async def main() -> tuple[object, list[Notice], str]:
        told: list[Notice] = []
        service = SmallService()
        async with opened(service, store=Failing(*failing), told=told, settle=5) as (_, session):
            result = await ended(session)
            service.fates.append("never")
            other = await ended(session.using(store=MemoryStore()))
            return result, told, kinds([other])[0]

    result, told, other = run(main())

    assert isinstance(result, Snapshot)
    assert [notice.request_id for notice in told if isinstance(notice, Submitted)] == [result.request_id]
    assert other == "SubmissionUncertain"


@pytest.mark.parametrize("state", ["ambiguous", "accepted", "needs_decision", "rejected", "prepared"])
@pytest.mark.parametrize("fate", ["dropped", "never", "backend", "unreached"])
def test_a_store_that_fails_later_changes_no_verdict(state: str, fate: str) -> None:
    """What became of a submission is told as if the store had kept it."""
    ends = {
        "dropped": "Snapshot",
        "never": "SubmissionUncertain",
        "backend": "BackendRefused",
        "unreached": "Unreachable",
    }

    async def main() -> str:
        async with opened(SmallService(otherwise=fate), store=Failing(state), settle=5) as (_, session):
            return kinds([await ended(session)])[0]

    assert run(main()) == ends[fate]


def test_a_store_that_fails_before_the_second_post_says_what_is_known_of_the_first() -> None:
    """It was absent, and it was not sent again: that is not "nothing was sent"."""

    class Once(Ledger):
        async def put(self, intent: Intent, reply: bytes = b"") -> None:
            if intent.state is State.SENDING and intent.attempt == 2:
                message = "the disk is full"
                raise OSError(message)
            await super().put(intent, reply)

    async def main() -> tuple[object, int]:
        service = SmallService(otherwise="never")
        async with opened(service, store=Once(), settle=5, on_uncertain=Resubmit(at_most=3)) as (_, session):
            return await ended(session), service.calls["submit"]

    result, posts = run(main())

    assert isinstance(result, errors.SubmissionUncertain)
    assert "not sent again" in result.evidence
    assert posts == 1


@pytest.mark.parametrize(
    ("state", "end"),
    [
        ("sending", "Unreachable"),
        ("ambiguous", "SubmissionUncertain"),
        ("accepted", "SubmissionUncertain"),
        ("needs_decision", "SubmissionUncertain"),
    ],
)
def test_a_store_that_never_comes_back_does_not_keep_a_session_open(state: str, end: str) -> None:
    """Closing ends; what was not sent is said to be unsent, and an id that was told stands in the error."""

    async def main() -> tuple[object, float, list[str]]:
        store = Blocking(state)
        fate = "accepted" if state == "accepted" else "never"
        async with opened(SmallService(otherwise=fate), store=store, settle=0) as (_, session):
            task = asyncio.create_task(ended(session))
            await store.reached.wait()
            began = clock()
            await session.aclose()
            await turns()
            return await task, clock() - began, ours()

    result, took, tasks = run(main())

    assert (type(result).__name__, tasks) == (end, [])
    assert took <= 20
    if state == "accepted":
        assert isinstance(result, errors.SubmissionUncertain)
        assert result.request_id == "r0000"
