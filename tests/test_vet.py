"""Submissions are checked first, and a slow or broken catalog never blocks one."""

import asyncio
import warnings
from decimal import Decimal
from itertools import repeat

import pytest
from catalogs import ONCE, script
from scene import EAGLE, stage

from gmi_video import Session, VideoRequest, errors
from gmi_video._spending import MOST, Spending
from gmi_video.catalog import Cost, PayloadWarning
from gmi_video.records import Snapshot, Status
from gmi_video.sandbox import Behaviour
from gmi_video.settings import Settings
from gmi_video.testing import run

WAN = VideoRequest("wan2.7-t2v", {"prompt": "a paper boat"}, key="boat")


REFUSED = VideoRequest("wan2.7-t2v", {"prompt": "a paper boat", "duration": "5"}, key="boat")


DOUBTFUL = VideoRequest("wan2.7-t2v", {"prompt": "a paper boat", "aspect_ratio": "9:16"}, key="boat")


def now() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()


def test_what_would_be_refused_is_not_sent() -> None:
    """A certain problem raises before the POST, with what would be right."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            for verb in (session.submit, session.generate):
                with pytest.raises(errors.PayloadInvalid, match="write 5; nothing was sent") as caught:
                    await verb(REFUSED)

                (problem,) = caught.value.problems
                assert (problem.parameter, problem.suggestion) == ("duration", 5)
                assert (caught.value.key, caught.value.charged) == ("boat", "no")
            assert (sandbox.count_calls("submit"), sandbox.count_calls("model")) == (0, 1)

    run(main())


def test_what_is_doubtful_is_warned_of_and_sent() -> None:
    """The warning points at the caller's own line, out of whichever verb it comes."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            for verb in (session.submit, session.generate):
                with pytest.warns(PayloadWarning, match="did you mean ratio?") as told:
                    await verb(DOUBTFUL)

                assert [warning.filename for warning in told] == [__file__]
            assert len(sandbox.charges) == 2

    run(main())


def test_a_warning_made_an_error_sends_nothing() -> None:
    """Who turns warnings into errors pays for nothing doubtful."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                with pytest.raises(PayloadWarning):
                    await session.submit(DOUBTFUL)

            assert sandbox.charges == []

    run(main())


@pytest.mark.parametrize("request_", [REFUSED, DOUBTFUL])
def test_strict_refuses_what_is_doubtful_as_well(request_: VideoRequest) -> None:
    """`check="strict"` raises for every problem, in a view as in the whole session."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            with pytest.raises(errors.PayloadInvalid) as caught:
                await session.using(check="strict").submit(request_)

            assert caught.value.problems
            assert sandbox.charges == []

    run(main())


def test_off_asks_for_nothing() -> None:
    """`check="off"` makes no call to the catalog and sends what it is given."""

    async def main() -> None:
        async with stage(check="off") as (sandbox, session):
            await session.submit(DOUBTFUL)
            with pytest.raises(errors.Rejected):
                await session.submit(REFUSED)

            assert sandbox.count_calls("model", "models") == 0

    run(main())


def test_many_submissions_share_one_schema() -> None:
    """A hundred submissions of one model cost one call more."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            await asyncio.gather(*(session.submit(WAN) for _ in range(100)))

            assert (sandbox.count_calls("submit"), sandbox.count_calls("model")) == (100, 1)

    run(main())


def test_a_slow_catalog_costs_one_second_once() -> None:
    """The first submission waits a second and goes out unchecked; none waits again while that call is under way."""

    async def main() -> None:
        async with stage(script(catalog=[Behaviour(answers_after=20)])) as (sandbox, session):
            begun = now()
            await session.submit(WAN)
            assert now() - begun == pytest.approx(1.0, abs=0.01)
            for _ in range(5):
                await session.submit(WAN)
            assert now() - begun == pytest.approx(1.0, abs=0.01)
            assert len(sandbox.charges) == 6

            await asyncio.sleep(20)
            with pytest.raises(errors.PayloadInvalid):  # the copy has come meanwhile
                await session.submit(REFUSED)
            assert sandbox.count_calls("model") == 1

    run(main())


@pytest.mark.parametrize(
    "broken",
    [
        Behaviour.edge(503),
        Behaviour.edge(403),
        Behaviour.garbage(),
        Behaviour.unauthorized(),
        Behaviour.garbage(b'{"model": "wan2.7-t2v", "parameters": {"no": "list"}}'),
        Behaviour.garbage(b"[]"),
    ],
)
def test_a_broken_catalog_never_blocks(broken: Behaviour) -> None:
    """Whatever the catalog answers, the submission goes out, and no later one waits for it within a minute."""

    async def main() -> None:
        async with stage(script(catalog=repeat(broken)), patience=ONCE) as (sandbox, session):
            begun = now()
            for _ in range(5):
                await session.submit(WAN)

            assert now() - begun < 1.01
            assert len(sandbox.charges) == 5
            assert sandbox.count_calls("model") == 1

    run(main())


def test_an_old_copy_is_used_at_once_and_renewed_behind() -> None:
    """After the hour a submission still does not wait: the copy at hand decides, and a new one is fetched."""

    async def main() -> None:
        slow = Behaviour(answers_after=20)
        async with stage(script(catalog=[None, slow])) as (sandbox, session):
            await session.submit(WAN)
            await asyncio.sleep(3601)
            begun = now()
            with pytest.raises(errors.PayloadInvalid):
                await session.submit(REFUSED)

            assert now() == begun
            await asyncio.sleep(21)
            assert sandbox.count_calls("model") == 2

    run(main())


def test_a_seed_is_taken_from_the_same_schema() -> None:
    """Checking and telling submissions apart by seed cost one call together."""

    async def main() -> None:
        async with stage(disambiguate="seed") as (sandbox, session):
            await session.submit(WAN)
            await session.submit(WAN)

            seeds = {charge.payload["seed"] for charge in sandbox.charges}
            assert len(seeds) == 2
            assert sandbox.count_calls("model") == 1

    run(main())


def test_a_model_that_the_catalog_does_not_know_is_left_to_the_service() -> None:
    """A 404 of the catalog does not stop a submission; the service's own answer does."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            with pytest.raises(errors.NotFound):
                await session.submit(VideoRequest("no-such-model", {"prompt": "a"}))

            assert (sandbox.count_calls("model"), sandbox.count_calls("submit")) == (1, 1)

    run(main())


def test_a_session_opened_again_asks_again() -> None:
    """Copies belong to an open session."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            await session.model("Veo3")
            await session.aclose()
            await session.model("Veo3")

            assert sandbox.count_calls("model") == 2

    run(main())


def test_what_was_spent_is_added_up() -> None:
    """Accepted requests count by the list price; one that failed is given back."""

    async def main() -> None:
        fails = [None, Behaviour(seconds=5, fails="no")]
        async with stage(script(submissions=fails)) as (_, session):
            await session.generate(WAN)
            spent = session._core.spending
            assert (spent.spent, spent.unpriced) == (Decimal("0.75"), 0)
            doomed = await session.submit(EAGLE)
            assert spent.spent == Decimal("3.95")
            with pytest.raises(errors.GenerationFailed):
                await session.resume(doomed)
            assert spent.spent == Decimal("0.75")
            await session.using(check="off").submit(VideoRequest("sora-2-pro", {"prompt": "a"}))

            assert (spent.spent, spent.unpriced) == (Decimal("0.75"), 1)

    run(main())


def test_an_abandoned_submission_is_spent_as_well() -> None:
    """What was accepted is charged, whether or not somebody waited for the answer."""

    async def main() -> None:
        slow = [Behaviour(answers_after=10)]
        async with stage(script(submissions=slow)) as (_, session):
            waiting = asyncio.create_task(session.submit(WAN))
            await asyncio.sleep(5)
            waiting.cancel()
            await asyncio.sleep(10)

            assert session._core.spending.spent == Decimal("0.75")
            assert session.statistics().spent == Decimal("0.75")

    run(main())


def snapshot(request_id: str, status: Status) -> Snapshot:
    """A snapshot in that state."""
    return Snapshot(request_id=request_id, model="m", status=status)


def test_spending_counts_each_request_once() -> None:
    """A request told twice is one; a failure is given back once; what is forgotten stays spent."""
    spending, cost = Spending(), Cost(dollars=Decimal("0.5"), words="$0.5 per video")
    for _ in range(2):
        spending.accepted(snapshot("a", Status.QUEUED), cost)
    spending.accepted(snapshot("b", Status.SUCCESS), cost)
    spending.accepted(snapshot("c", Status.FAILED), cost)
    spending.accepted(snapshot("d", Status.QUEUED), None)
    assert (spending.spent, spending.unpriced) == (Decimal("1.0"), 1)

    for name in "aad":
        spending.seen(snapshot(name, Status.FAILED))
    assert (spending.spent, spending.unpriced) == (Decimal("0.5"), 0)

    for number in range(MOST + 1):
        spending.accepted(snapshot(str(number), Status.QUEUED), None)
    spending.seen(snapshot("0", Status.FAILED))
    assert spending.unpriced == MOST + 1


def test_a_session_that_is_only_asked_for_its_settings_knows_check() -> None:
    """`check` is a setting of views, and a wrong word for it names field and value."""
    session = Session(Settings(api_key="a-key"))

    assert session.using(check="off").settings.check == "off"
    with pytest.raises(errors.ConfigurationError, match=r"Settings.check is 'maybe'"):
        session.using(check="maybe")
