"""The paid call: sent once, refused definitely or not at all, never lost with its caller."""

import asyncio
from random import Random

import pytest
from attrs import evolve
from peers import Peer, http, peer, saying
from scene import EAGLE, SECONDS, ours, settings_for, stage

from gmi_video import Abandoned, Limits, Notice, Patience, Session, Submitted, Throttled, VideoRequest, errors
from gmi_video.sandbox import Behaviour, Sandbox, Script
from gmi_video.testing import run


def test_an_acceptance_is_a_snapshot_and_one_charge() -> None:
    """The answer is the first look; the key is carried and never sent."""

    async def main() -> None:
        notices: list[Notice] = []
        async with stage(observers=[notices.append]) as (sandbox, session):
            snapshot = await session.submit(EAGLE)
            (charge,) = sandbox.charges

        assert (snapshot.request_id, snapshot.model) == (charge.request_id, "Veo3")
        assert not snapshot.final
        assert "eagle" not in charge.payload.values()
        submitted = [notice for notice in notices if isinstance(notice, Submitted)]
        assert [(notice.request_id, notice.key) for notice in submitted] == [(charge.request_id, "eagle")]

    run(main())


REFUSALS: list[tuple[Behaviour, type[errors.ResponseError]]] = [
    (Behaviour.refused(400, "prompt is required"), errors.Rejected),
    (Behaviour.refused(400, "the prompt was rejected by our content policy"), errors.ContentRefused),
    (Behaviour.unauthorized(), errors.Unauthorized),
    (Behaviour.refused(402, "Insufficient credits"), errors.InsufficientCredit),
    (Behaviour.refused(403, "you do not have access to model Veo3"), errors.NotEntitled),
    (Behaviour.refused(404, "you do not have access to model Veo3"), errors.NotEntitled),
    (Behaviour.refused(404, "model veo3 does not exist"), errors.NotFound),
    (Behaviour.refused(405, "no"), errors.Rejected),
    (Behaviour.refused(413, "too large"), errors.Rejected),
    (Behaviour.rate_limited("Veo3"), errors.RateLimited),
    (Behaviour.refused(500, "Backend error (400). Please try again."), errors.BackendRefused),
]


@pytest.mark.parametrize(("refusal", "leaf"), REFUSALS)
def test_a_definite_refusal_is_raised_and_not_repeated(
    refusal: Behaviour, leaf: type[errors.ResponseError]
) -> None:
    """What the service refuses in its own words costs nothing, is told as its leaf, and is sent once."""

    async def main() -> None:
        notices: list[Notice] = []
        script = Script(models={"*": SECONDS}, submissions=[refusal])
        async with stage(script, observers=[notices.append], on_uncertain="raise") as (sandbox, session):
            with pytest.raises(leaf) as caught:
                await session.submit(EAGLE)
            await session.submit(EAGLE)
            throttled = [notice for notice in notices if isinstance(notice, Throttled)]

            assert type(caught.value) is leaf
            assert (caught.value.charged, caught.value.key) == ("no", "eagle")
            assert sandbox.count_calls("submit") == 2
            assert len(sandbox.charges) == 1
            assert bool(throttled) is (leaf is errors.RateLimited)

    run(main())


@pytest.mark.parametrize(
    "lost",
    [
        Behaviour.edge(502, accepted=True),
        Behaviour.edge(503, accepted=True),
        Behaviour.edge(504, accepted=True),
        Behaviour.garbage(accepted=True),
        Behaviour(without=("request_id",)),
        Behaviour(cut=30),
        Behaviour.garbage(b"", 500, accepted=True),
        Behaviour.garbage(b"{}", 408, accepted=True),
    ],
)
def test_an_answer_that_proves_nothing_is_uncertain(lost: Behaviour) -> None:
    """An edge may fail after it has passed a POST on: it is not sent again, and the error says "maybe"."""

    async def main() -> None:
        script = Script(models={"*": SECONDS}, submissions=[lost])
        async with stage(script, on_uncertain="raise") as (sandbox, session):
            with pytest.raises(errors.SubmissionUncertain) as caught:
                await session.submit(EAGLE)
            await asyncio.sleep(1000)

            assert (caught.value.charged, caught.value.retryable) == ("maybe", False)
            assert caught.value.evidence
            assert sandbox.count_calls("submit") == len(sandbox.charges) == 1

    run(main())


def test_a_service_that_is_not_reached_is_tried_again() -> None:
    """Where not one byte was sent the POST is repeated with patience, and then told as unsent."""

    async def main() -> None:
        async with peer(saying(b"")) as it:
            nobody = it.url
        settings = settings_for(nobody, patience=Patience(attempts=3, first=1, jitter=0))
        async with Session(settings, rng=Random(0)) as session:
            begun = asyncio.get_running_loop().time()
            with pytest.raises(errors.Unreachable) as caught:
                await session.submit(EAGLE)

            assert asyncio.get_running_loop().time() - begun == pytest.approx(3.0)
            assert (caught.value.charged, caught.value.attempts, caught.value.key) == ("no", 3, "eagle")

    run(main())


def test_no_more_posts_at_once_than_the_limit() -> None:
    """`Limits.submissions` bounds the POSTs that wait for their answer, counted at the server."""

    async def main() -> None:
        slow = Script(models={"*": SECONDS}, submissions=[Behaviour(answers_after=5)] * 20)
        async with stage(slow, limits=Limits(submissions=3)) as (sandbox, session):
            await asyncio.gather(*(session.submit(EAGLE) for _ in range(20)))

            assert sandbox.peak_calls("submit") == 3
            assert len(sandbox.charges) == 20

    run(main())


def test_a_slow_synchronous_model_is_waited_for() -> None:
    """A POST has minutes: the time-out of short calls does not cut it."""

    async def main() -> None:
        blocking = Behaviour(sync=True, seconds=300, queued=1)
        async with stage(Script(models={"*": blocking}), timeout=5) as (sandbox, session):
            snapshot = await session.submit(VideoRequest("seedream-5.0-lite", {"prompt": "x"}))

            assert snapshot.final
            assert snapshot.outcome is not None
            assert len(sandbox.charges) == 1

    run(main())


def test_a_cancelled_caller_is_cancelled_at_once_and_its_post_is_finished() -> None:
    """Cancelling the caller stops nothing that was begun: observers get the id, the charge is known."""

    async def main() -> None:
        notices: list[Notice] = []
        slow = Script(models={"*": SECONDS}, submissions=[Behaviour(answers_after=5)] * 10)
        async with stage(slow, observers=[notices.append]) as (sandbox, session):
            works = [asyncio.create_task(session.submit(evolve(EAGLE, key=n))) for n in range(10)]
            await asyncio.sleep(1)
            for work in works:
                work.cancel()
            await asyncio.wait(works)
            at_once = asyncio.get_running_loop().time()
            await asyncio.sleep(10)
            abandoned = [notice for notice in notices if isinstance(notice, Abandoned)]

            assert at_once < 1000 + 2
            assert all(work.cancelled() for work in works)
            assert {notice.request_id for notice in abandoned} == {
                charge.request_id for charge in sandbox.charges
            }
            assert sorted(str(notice.key) for notice in abandoned) == [str(n) for n in range(10)]
            assert ours() == []

    run(main())


def test_closing_waits_for_an_answer_that_is_on_its_way() -> None:
    """A session that closes gives POSTs under way their grace, and their callers get their snapshot."""

    async def main() -> None:
        slow = Script(models={"*": SECONDS}, submissions=[Behaviour(answers_after=10)])
        async with Sandbox(slow, render=False) as sandbox:
            session = Session(sandbox.settings, rng=Random(0))
            work = asyncio.create_task(session.submit(EAGLE))
            await asyncio.sleep(1)
            await session.aclose()

            assert (await work).request_id == sandbox.charges[0].request_id

    run(main())


def test_closing_does_not_wait_for_ever() -> None:
    """An answer that does not come within the grace leaves an uncertain submission, not a cancelled caller."""

    async def main() -> None:
        notices: list[Notice] = []
        slow = Script(models={"*": SECONDS}, submissions=[Behaviour(answers_after=500)] * 2)
        async with Sandbox(slow, render=False) as sandbox:
            session = Session(sandbox.settings, rng=Random(0), observers=[notices.append])
            work, abandoned = (asyncio.create_task(session.submit(EAGLE)) for _ in range(2))
            await asyncio.sleep(1)
            abandoned.cancel()
            loop = asyncio.get_running_loop()
            begun = loop.time()
            await session.aclose()
            with pytest.raises(errors.SubmissionUncertain) as caught:
                await work

            assert loop.time() - begun <= 20
            assert caught.value.charged == "maybe"
            assert [notice.error for notice in notices if isinstance(notice, Abandoned)] == [
                "SubmissionUncertain"
            ]
            assert ours() == []

    run(main())


def test_a_callers_time_out_does_not_lose_the_id() -> None:
    """`asyncio.timeout` around `submit` ends the wait; the id is told to the observers."""

    async def main() -> None:
        notices: list[Notice] = []
        slow = Script(models={"*": SECONDS}, submissions=[Behaviour(answers_after=5)])
        async with stage(slow, observers=[notices.append]) as (sandbox, session):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(2):
                    await session.submit(EAGLE)
            await asyncio.sleep(10)

            assert [n.request_id for n in notices if isinstance(n, Submitted | Abandoned)] == [
                sandbox.charges[0].request_id
            ] * 2

    run(main())


def test_each_post_has_a_connection_of_its_own() -> None:
    """A submission never rides on a connection that may have died unseen."""
    answer = http(b'{"request_id": "r-1", "model": "Veo3", "status": "queued"}')

    async def numbered(it: Peer, writer: asyncio.StreamWriter, head: str) -> None:
        writer.write(answer.replace(b"r-1", b"r-%d" % len(it.heads)))

    async def main() -> None:
        async with peer(numbered, keeps=True) as it, Session(settings_for(it.url)) as session:
            for _ in range(4):
                await session.submit(EAGLE)

        assert it.connections == len(it.heads) == 4

    run(main())
