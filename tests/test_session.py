"""The verbs of a session, its opening and closing, and what it never shows."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from scene import EAGLE, SECONDS, stage, told, words

from gmi_video import (
    Pace,
    Patience,
    Session,
    Settings,
    VideoRequest,
    errors,
)
from gmi_video.sandbox import Behaviour, Script
from gmi_video.testing import run


@pytest.fixture(autouse=True)
def _no_keys_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GMI_API_KEY", "GMI_CLOUD_API_KEY", "GMI_CLOUD_APIKEY", "GMI_ORG_ID", "GMI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_key_a_session_says_what_to_do() -> None:
    """No key at all is refused when the session is made, before anything is sent."""
    with pytest.raises(errors.ConfigurationError, match="GMI_API_KEY"):
        Session()


def test_the_environment_gives_what_was_not_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Key, organisation and address are found in the environment; what is said wins."""
    monkeypatch.setenv("GMI_CLOUD_API_KEY", "from-outside")
    monkeypatch.setenv("GMI_BASE_URL", "http://127.0.0.1:1/queue")
    found = Session().settings
    said = Session(Settings(api_key="said", base_url="http://127.0.0.1:2/queue")).settings

    assert (found.api_key, found.base_url) == ("from-outside", "http://127.0.0.1:1/queue")
    assert (said.api_key, said.base_url) == ("said", "http://127.0.0.1:2/queue")


def test_the_catalog_is_read() -> None:
    """`models` gives each id once, `model` a schema; a wrong id is `NotFound`."""

    async def main() -> None:
        async with stage() as (_, session):
            ids = await session.models()
            model = await session.model("Veo3")
            with pytest.raises(errors.NotFound):
                await session.model("veo3")
            for bad in ("..", "", 7):
                with pytest.raises(errors.ConfigurationError):
                    await session.model(bad)  # type: ignore[arg-type]  # the very mistake

        assert len(ids) == len(set(ids)) >= 20
        assert model.id == "Veo3"

    run(main())


def test_a_snapshot_is_asked_for_with_patience() -> None:
    """What breaks on the way is asked again; the last error tells how often."""

    async def main() -> None:
        faults = [Behaviour.edge(502), Behaviour.garbage(), None, *[Behaviour.edge(503)] * 9]
        async with stage(Script(models={"*": SECONDS}, looks=faults)) as (sandbox, session):
            accepted = await session.submit(EAGLE)
            snapshot = await session.snapshot(accepted.request_id)
            view = session.using(patience=Patience(attempts=5, first=1))
            with pytest.raises(errors.ServiceError) as caught:
                await view.snapshot(accepted.request_id)
            with pytest.raises(errors.ConfigurationError):
                await session.snapshot("../models")

            assert snapshot.request_id == accepted.request_id
            assert (caught.value.attempts, sandbox.count_calls("look")) == (5, 8)
            assert caught.value.request_id == accepted.request_id

    run(main())


def test_a_refusal_is_not_asked_again() -> None:
    """What will never succeed is told at once."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            with pytest.raises(errors.NotFound):
                await session.snapshot("00000000-0000-4000-8000-000000000000")

            assert sandbox.count_calls("look") == 1

    run(main())


def test_a_long_wish_to_wait_is_handed_to_the_caller() -> None:
    """A 429 that asks for longer than the patience is told at once; a short one is waited."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        long, short = (
            Script(models={"*": SECONDS}, looks=[Behaviour.rate_limited("Veo3", retry_after=seconds)])
            for seconds in (300, 5)
        )
        async with stage(long) as (_, session):
            accepted = await session.submit(EAGLE)
            with pytest.raises(errors.RateLimited) as caught:
                await session.snapshot(accepted.request_id)
        async with stage(short) as (_, session):
            accepted = await session.submit(EAGLE)
            begun = loop.time()
            await session.snapshot(accepted.request_id)

        assert caught.value.retry_after == 300
        assert 5 <= loop.time() - begun <= 6

    run(main())


def test_concurrency_bounds_free_calls_as_well() -> None:
    """Any number of verbs at once makes no more calls at once than the setting says."""

    async def main() -> None:
        slow = [Behaviour(answers_after=1)] * 50
        async with stage(Script(models={"*": SECONDS}, looks=slow), concurrency=7) as (sandbox, session):
            accepted = await session.submit(EAGLE)
            await asyncio.gather(*(session.snapshot(accepted.request_id) for _ in range(50)))

            assert sandbox.peak_calls("look") == 7

    run(main())


def test_a_view_shares_all_but_its_settings() -> None:
    """`using` changes what may differ, on the same connections and poller; it needs no close and closes nothing."""

    async def main() -> None:
        async with stage() as (_, session):
            accepted = await session.submit(EAGLE)
            view = session.using(pace=Pace(first=1, longest=1, jitter=0)).using(timeout=9)
            async with view as same:
                seen_by_both = await asyncio.gather(
                    told(same.watch([accepted])), told(session.watch([accepted]))
                )
            await view.aclose()
            after = await session.snapshot(accepted.request_id)

        assert (view.settings.timeout, view.settings.pace.first) == (9, 1)
        assert (session.settings.timeout, session.settings.pace.first) == (30, 2)
        assert [words(events)[-1] for events in seen_by_both] == ["Succeeded"] * 2
        assert after.final

    run(main())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"concurrency": 3}, "belongs to the whole session"),
        ({"api_key": "x"}, "belongs to the whole session"),
        ({"colour": 3}, "is not a setting"),
        ({"timeout": -1}, "timeout"),
    ],
)
def test_a_view_cannot_change_what_belongs_to_all(change: dict[str, Any], why: str) -> None:
    """A setting of the whole session is refused by name, a word that is none as well, a wrong value too."""
    session = Session(Settings(api_key="k"))
    with pytest.raises(errors.ConfigurationError, match=why):
        session.using(**change)


def test_a_request_must_be_one() -> None:
    """`submit` and `generate` take a `VideoRequest`, and say so."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            for verb in (session.submit, session.generate):
                with pytest.raises(errors.ConfigurationError, match="VideoRequest"):
                    await verb({"model": "Veo3"})  # type: ignore[arg-type]  # the very mistake

            assert sandbox.calls == []

    run(main())


def test_a_payload_that_cannot_be_sent_is_refused() -> None:
    """What JSON cannot hold costs no call."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            for value in (float("nan"), object(), b"bytes", {1, 2}):
                with pytest.raises(errors.PayloadInvalid):
                    await session.submit(VideoRequest("Veo3", {"prompt": "x", "odd": value}))

            assert sandbox.calls == []

    run(main())


def test_requests_since_a_moment() -> None:
    """With `since` only what was created from then on is listed."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            await session.submit(EAGLE)
            await asyncio.sleep(1000)
            moment = datetime.fromtimestamp(sandbox.now() - 10, UTC)
            late = await session.submit(EAGLE)
            found = [snapshot.request_id async for snapshot in session.requests(since=moment)]
            every = [snapshot async for snapshot in session.requests(since=moment - timedelta(days=1))]

        assert found == [late.request_id]
        assert len(every) == 2

    run(main())
