"""The catalog of a session, and the check that a submission makes by it: never in the way, never asked in vain."""

import asyncio
import warnings
from decimal import Decimal
from itertools import chain, repeat
from typing import Any

import pytest
from scene import EAGLE, SECONDS, ours, stage

from gmi_video import Session, VideoRequest, errors
from gmi_video._spending import MOST, Spending
from gmi_video.catalog import Cost, PayloadWarning
from gmi_video.records import Snapshot, Status
from gmi_video.sandbox import Behaviour, Script
from gmi_video.settings import Patience, Settings
from gmi_video.testing import run

WAN = VideoRequest("wan2.7-t2v", {"prompt": "a paper boat"}, key="boat")
REFUSED = VideoRequest("wan2.7-t2v", {"prompt": "a paper boat", "duration": "5"}, key="boat")
DOUBTFUL = VideoRequest("wan2.7-t2v", {"prompt": "a paper boat", "aspect_ratio": "9:16"}, key="boat")
DOWN = Behaviour.edge(503)
ONCE = Patience(attempts=1)
HOUR, DAY = 3600.0, 86_400.0


def script(**parts: Any) -> Script:
    """A script with short lives."""
    return Script(models={"*": SECONDS}, **parts)


def now() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()


def test_a_model_is_asked_for_once_however_many_wait() -> None:
    """Fifty callers at once and fifty more within the hour cost one call."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            found = await asyncio.gather(*(session.model("Veo3") for _ in range(50)))
            await asyncio.sleep(HOUR - 60)
            found += await asyncio.gather(*(session.using(timeout=3).model("Veo3") for _ in range(50)))

            assert sandbox.count_calls("model") == 1
            assert len({id(model) for model in found}) == 1

            await asyncio.sleep(120)
            assert await session.model("Veo3") == found[0]
            assert sandbox.count_calls("model") == 2

    run(main())


def test_the_list_is_asked_for_once_an_hour() -> None:
    """`models()` is kept as a model is."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            await asyncio.gather(*(session.models() for _ in range(9)))
            await asyncio.sleep(HOUR - 60)
            ids = await session.models()

            assert "Veo3" in ids
            assert sandbox.count_calls("models") == 1

    run(main())


def test_a_copy_is_served_for_a_day_where_the_service_is_down() -> None:
    """An outage of the catalog is not noticed for a day; after that it is what it is."""

    async def main() -> None:
        async with stage(script(catalog=chain([None], repeat(DOWN))), patience=ONCE) as (sandbox, session):
            model = await session.model("Veo3")
            await asyncio.sleep(DAY - 60)

            assert await session.model("Veo3") is model
            calls = sandbox.count_calls("model")
            assert [await session.model("Veo3") for _ in range(5)] == [model] * 5
            assert sandbox.count_calls("model") == calls == 2  # nobody asks again for a minute

            await asyncio.sleep(120)
            with pytest.raises(errors.ServiceError):
                await session.model("Veo3")

    run(main())


def test_an_outage_that_ends_is_noticed_within_a_minute() -> None:
    """A stale copy gives way to a new one."""

    async def main() -> None:
        async with stage(script(catalog=[None, DOWN]), patience=ONCE) as (sandbox, session):
            first = await session.model("Veo3")
            await asyncio.sleep(HOUR + 1)
            assert await session.model("Veo3") is first
            await asyncio.sleep(61)

            assert await session.model("Veo3") is not first
            assert sandbox.count_calls("model") == 3

    run(main())


def test_who_waits_for_one_call_gets_an_error_of_his_own() -> None:
    """An error that is raised to many is copied: none of them changes another's."""

    async def main() -> None:
        async with stage(script(catalog=repeat(DOWN)), patience=ONCE) as (sandbox, session):
            calls = (session.model("Veo3") for _ in range(3))
            found = await asyncio.gather(*calls, return_exceptions=True)

            assert [type(error) for error in found] == [errors.ServiceError] * 3
            assert len({id(error) for error in found}) == 3
            assert sandbox.count_calls("model") == 1

    run(main())


def test_a_caller_who_leaves_takes_nothing_from_the_others() -> None:
    """The call goes on where one of those who wait is cancelled, and where all are."""

    async def main() -> None:
        async with stage(script(catalog=[Behaviour(answers_after=5)])) as (sandbox, session):
            first, second = (asyncio.create_task(session.model("Veo3")) for _ in range(2))
            await asyncio.sleep(1)
            first.cancel()
            await asyncio.wait((first,))

            assert (await second).id == "Veo3"
            assert sandbox.count_calls("model") == 1

    run(main())


def test_a_model_that_is_gone_is_not_served_from_memory() -> None:
    """A 404 is an answer and no outage."""

    async def main() -> None:
        gone = Behaviour.refused(404, "model Veo3 does not exist")
        async with stage(script(catalog=[None, gone, DOWN]), patience=ONCE) as (_, session):
            await session.model("Veo3")
            await asyncio.sleep(HOUR + 1)
            with pytest.raises(errors.NotFound):
                await session.model("Veo3")
            await asyncio.sleep(61)

            with pytest.raises(errors.ServiceError):
                await session.model("Veo3")

    run(main())


def test_closing_ends_a_call_of_the_catalog() -> None:
    """No task outlives the session; who waits is told, and not cancelled."""

    async def main() -> None:
        async with stage(script(catalog=[Behaviour(answers_after=50)])) as (_, session):
            waiting = asyncio.create_task(session.model("Veo3"))
            await asyncio.sleep(1)
            assert "gmi_video catalog" in ours()
            await session.aclose()

            assert ours() == []
            with pytest.raises(errors.Interrupted, match="closed"):
                await waiting

    run(main())


def test_a_model_that_is_not_there_names_the_nearest_of_the_list_at_hand() -> None:
    """The suggestion costs no call: without a list at hand there is none."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            wrong = VideoRequest("kling-image2video-v2.1-master", {"image": "https://a.example/b.png"})
            with pytest.raises(errors.NotFound) as blind:
                await session.model(wrong.model)
            assert sandbox.count_calls("models") == 0
            await session.models()
            for ask in (session.model(wrong.model), session.submit(wrong)):
                with pytest.raises(
                    errors.NotFound, match=r"did you mean Kling-Image2Video-V2\.1-Master\?"
                ) as seeing:
                    await ask

                assert seeing.value.suggestions[0] == "Kling-Image2Video-V2.1-Master"
                assert (
                    errors.NotFound.from_dict(seeing.value.as_dict()).suggestions == seeing.value.suggestions
                )
            assert blind.value.suggestions == ()
            assert sandbox.count_calls("models") == 1

    run(main())


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
            await asyncio.sleep(HOUR + 1)
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
