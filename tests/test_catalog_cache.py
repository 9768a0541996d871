"""The catalog is asked once, kept for an hour, and served for a day where the service is down."""

import asyncio
from itertools import chain, repeat

import pytest
from catalogs import ONCE, script
from scene import ours, stage

from gmi_video import VideoRequest, errors
from gmi_video.sandbox import Behaviour
from gmi_video.testing import run

DOWN = Behaviour.edge(503)


HOUR, DAY = 3600.0, 86_400.0


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
