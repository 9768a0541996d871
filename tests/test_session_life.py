"""Opening and closing a session, in one event loop or several, or forgetting to."""

import asyncio
import gc
import logging
import warnings
from random import Random
from typing import Any

import pytest
from attrs import evolve
from peers import http, peer, saying
from scene import EAGLE, SECONDS, ours, settings_for, told, words

from gmi_video import (
    MemoryStore,
    Pace,
    Session,
    errors,
)
from gmi_video.sandbox import Sandbox, Script
from gmi_video.testing import run
from gmi_video.wire import Call, Reply


def test_the_first_verb_opens_and_closing_may_come_twice() -> None:
    """A session needs no `async with`; an idle one holds no task; closing twice, or before the first verb, is fine."""

    async def main() -> None:
        async with Sandbox(Script(models={"*": SECONDS}), render=False) as sandbox:
            session = Session(sandbox.settings)
            await session.aclose()
            await asyncio.gather(*(session.models() for _ in range(5)))
            idle = ours()
            await session.aclose()
            await session.aclose()
            again = await session.models()
            await session.aclose()

        assert idle == []
        assert again

    run(main(), debug=True)
    gc.collect()


def test_one_session_serves_one_loop_after_the_other() -> None:
    """Closed in between, a session works in a second event loop, a key that is asked for included."""
    done = b'{"request_id": "r-1", "model": "Veo3", "status": "success", "outcome": {"video_url": "https://a.example/v"}}'
    sessions: list[Session] = []
    ports: list[int] = []

    async def vault() -> str:
        await asyncio.sleep(1)
        return "k-1"

    async def once(port: int) -> list[str]:
        async with peer(saying(http(done)), port=port, keeps=True) as it:
            ports.append(it.port)
            if not sessions:
                settings = evolve(settings_for(it.url), api_key=vault)
                sessions.append(Session(settings, rng=Random(0)))
            async with sessions[0] as session:
                await asyncio.gather(*(session.snapshot("r-1") for _ in range(5)))
                return words(await told(session.watch(["r-1"], pace=Pace(remember=0))))

    assert run(once(0)) == run(once(ports[0])) == ["Succeeded"]


def test_a_session_that_is_open_elsewhere_says_so() -> None:
    """Used in a second loop without `aclose`, it says what is wrong instead of hanging, in any verb."""
    held: list[Session] = []

    async def first() -> None:
        async with Sandbox(render=False) as sandbox:
            held.append(Session(sandbox.settings))
            await held[0].models()

    async def second() -> None:
        (session,) = held
        for work in (session.models(), session.submit(EAGLE), told(session.watch(["a"])), session.aclose()):
            with pytest.raises(errors.ConfigurationError, match="another event loop, which has ended"):
                await work

    async def in_between() -> None:
        async with Sandbox(render=False) as sandbox, Session(sandbox.settings) as session:
            with pytest.raises(errors.ConfigurationError, match="close it there first"):
                await asyncio.to_thread(lambda: run(session_models(session)))
            await session.models()

    async def session_models(session: Session) -> None:
        await session.models()

    run(first())
    run(second())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        held.clear()
        gc.collect()
    run(in_between())

    assert [warning.category for warning in caught] == [ResourceWarning]


@pytest.mark.parametrize("when", ["idle", "looking", "watch dropped"])
def test_an_unclosed_session_warns_once_and_names_the_place(
    when: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One `ResourceWarning` with file and line, and not a word from the libraries below."""
    caplog.set_level(logging.DEBUG)

    async def forget(sandbox: Sandbox) -> None:
        session = Session(sandbox.settings, rng=Random(0))
        accepted = await session.submit(EAGLE)
        if when == "watch dropped":
            async for _ in session.watch([accepted.request_id, "another-id"]):
                break
        if when == "looking":
            watch = session.watch([accepted.request_id, "another-id"])
            await anext(watch)
            await asyncio.sleep(2)

    async def main() -> None:
        async with Sandbox(Script(models={"*": SECONDS}), render=False) as sandbox:
            await forget(sandbox)
            for _ in range(3):
                gc.collect()
                await asyncio.sleep(5)

            assert ours() == []

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(main(), debug=True)
        gc.collect()
    (warning,) = caught

    assert warning.category is ResourceWarning
    assert str(warning.message).startswith(f"a Session made at {__file__}:")
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_borrowed_transport_is_not_closed() -> None:
    """Another transport carries the calls; the session gives it back as it was."""

    class Carrier:
        def __init__(self) -> None:
            self.calls: list[Call] = []
            self.closed = False

        async def send(self, call: Call) -> Reply:
            await asyncio.sleep(0)
            self.calls.append(call)
            return Reply(status=200, body=b'{"model_ids": ["a", "b", "a"]}')

        def stream(self, call: Call) -> Any:
            raise AssertionError

        async def aclose(self) -> None:
            self.closed = True

    async def main() -> None:
        carrier = Carrier()
        async with Session(settings_for("http://127.0.0.1:9/queue"), transport=carrier) as session:
            assert await session.models() == ("a", "b")

        assert not carrier.closed
        assert carrier.calls[0].url == "http://127.0.0.1:9/queue/models"

    run(main())


def test_a_store_that_is_empty_is_still_the_callers() -> None:
    """A store whose length is nothing is not replaced by one in memory."""

    class Sized(MemoryStore):
        def __len__(self) -> int:
            return 0

    async def main() -> None:
        async with Sandbox(Script(models={"*": SECONDS}), render=False) as sandbox:
            store = Sized()
            async with Session(sandbox.settings, store=store) as session:
                assert session._store is store

    run(main())


def test_closing_while_it_is_being_opened_leaves_nothing_open() -> None:
    """Who was opening the session is told so, nothing stays open behind `aclose`, and it can be opened again."""

    async def main() -> None:
        async with Sandbox(Script(models={"*": SECONDS}), render=False) as sandbox:
            session = Session(sandbox.settings)
            opening = [asyncio.create_task(session.models()) for _ in range(2)]
            await asyncio.sleep(0)
            await session.aclose()
            ends = await asyncio.gather(*opening, return_exceptions=True)

            assert [type(end) for end in ends] == [errors.ConfigurationError] * 2
            assert "closed while it was being opened" in str(ends[0])
            assert session._engine is not None
            assert not session._engine.is_open
            assert sandbox.calls == []

            assert await session.models()
            await session.aclose()

    run(main(), debug=True)
    gc.collect()
