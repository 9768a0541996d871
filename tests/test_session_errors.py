"""How a wait ends badly, and what its error carries."""

import asyncio
import copy
import pickle
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from scene import EAGLE, SECONDS, left_in, stage, words

from gmi_video import (
    Event,
    Progressed,
    Session,
    errors,
)
from gmi_video.sandbox import Behaviour, Script
from gmi_video.sandbox.faults import Edge
from gmi_video.testing import run


def test_an_error_after_the_payment_carries_the_id(tmp_path: Path) -> None:
    """Whatever goes wrong once a request is accepted, its id and its key are on the error: `resume` goes on."""
    ends: list[tuple[dict[str, Any], type[errors.GmiVideoError]]] = [
        ({"submissions": [Behaviour(seconds=5, fails="no")]}, errors.GenerationFailed),
        ({"submissions": [Behaviour(seconds=5, cancelled=True)]}, errors.GenerationCancelled),
        ({"submissions": [Behaviour(seconds=5, outcome="empty")]}, errors.GenerationEmpty),
        ({"submissions": [Behaviour(dead=True)]}, errors.GenerationOverdue),
        ({"unauthorized_from": 3}, errors.Unauthorized),  # the schema, the submission
        ({"media": [Behaviour.edge(404)] * 99}, errors.LinkExpired),
        ({"media": [Behaviour.edge(503)] * 9}, errors.TransferError),
        ({"submissions": [Behaviour(seconds=5, unknown_for=1e9)]}, errors.NotFound),
    ]

    async def main() -> None:
        for script, leaf in ends:
            async with stage(Script(models={"*": SECONDS}, **script)) as (sandbox, session):
                with pytest.raises(leaf) as caught:
                    await session.generate(EAGLE, into=tmp_path)
                error = caught.value

                assert (error.request_id, error.key) == (sandbox.charges[0].request_id, "eagle"), leaf
                assert error.request_id is not None
                assert error.request_id in str(error), leaf
                if isinstance(error, errors.GenerationError):
                    assert error.snapshot is not None
                    assert error.snapshot.request_id == error.request_id
                assert str(pickle.loads(pickle.dumps(error))) == str(copy.copy(error)) == str(error)

    run(main())
    assert left_in(tmp_path) == []


def test_the_errors_of_requests_side_by_side_are_their_own() -> None:
    """When a key dies under many waits, each error names its own request."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            works = [asyncio.create_task(session.generate(evolve(EAGLE, key=number))) for number in range(5)]
            await asyncio.sleep(10)
            sandbox.api_key = "another"
            found = await asyncio.gather(*works, return_exceptions=True)
            charged = {charge.request_id for charge in sandbox.charges}

        assert [type(error) for error in found] == [errors.Unauthorized] * 5
        unauthorized = [error for error in found if isinstance(error, errors.Unauthorized)]
        assert {error.request_id for error in unauthorized} == charged
        assert [error.key for error in unauthorized] == [0, 1, 2, 3, 4]

    run(main())


def test_a_failure_says_whether_it_is_worth_trying_again() -> None:
    """The service's words become a kind: a rate is worth another request, a picture it refuses is not."""

    async def main() -> None:
        lives = [
            Behaviour(seconds=1, fails="Video generation failed: rate limit exceeded(RPM)"),
            Behaviour(seconds=1, fails="content policy violation"),
            Behaviour(seconds=1, fails="x", failure="nowhere"),
        ]
        async with stage(Script(submissions=lives)) as (_, session):
            found = []
            for _ in lives:
                with pytest.raises(errors.GenerationFailed) as caught:
                    await session.generate(EAGLE)
                found.append(caught.value)

        assert [(error.kind, error.retryable) for error in found] == [
            ("rate", True),
            ("content", False),
            ("unknown", False),
        ]
        assert "no reason" in str(found[2])

    run(main())


def test_a_wait_that_is_overdue_can_be_resumed(tmp_path: Path) -> None:
    """A deadline ends the wait, not the request: `resume` from the id alone finishes it at no cost."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            with pytest.raises(errors.GenerationOverdue, match="resume") as caught:
                await session.generate(EAGLE, into=tmp_path, deadline=20)
            assert isinstance(caught.value, TimeoutError)
            assert caught.value.request_id is not None
        async with Session(sandbox.settings) as never:
            assert never.settings.api_key

        async with stage() as (sandbox, session):
            accepted = await session.submit(EAGLE)
            async with Session(sandbox.settings) as another:
                video = await another.resume(accepted.request_id, into=tmp_path)
            from_snapshot = await session.resume(accepted, to=tmp_path / "again.mp4")

            assert len(sandbox.charges) == 1
            assert video.path == tmp_path / f"{accepted.request_id}.mp4"
            assert from_snapshot.files[0].sha256 == video.files[0].sha256

    run(main())


@pytest.mark.parametrize(
    ("script", "words", "charged"),
    [
        (
            Script(models={"*": Behaviour(dead=True)}),
            "is still running after 20 s, last seen dispatched",
            "yes",
        ),
        (
            Script(models={"*": Behaviour(seconds=5, outcome_after=500)}),
            "is done, and names no file yet",
            "yes",
        ),
        (Script(looks=[Behaviour(fault=Edge(status=502))] * 99), "was not seen within 20 s", "maybe"),
    ],
)
def test_a_wait_that_is_overdue_says_what_was_seen(script: Script, words: str, charged: str) -> None:
    """Running, done without a file yet, or never seen: each is said as it is, with the id to resume."""

    async def main() -> None:
        async with stage(script) as (sandbox, session):
            request_id = (await session.submit(EAGLE)).request_id
            async with Session(sandbox.settings) as another:
                with pytest.raises(errors.GenerationOverdue, match=words) as caught:
                    await another.resume(request_id, deadline=20)
            assert (caught.value.charged, caught.value.request_id) == (charged, request_id)

    run(main())


@pytest.mark.parametrize("bad", ["../models", "", 7, ["an-id"]])
def test_what_is_no_id_is_not_resumed(bad: Any) -> None:
    """A thing that is not an id never reaches a path."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            with pytest.raises(errors.ConfigurationError, match="not a request id"):
                await session.resume(bad)

            assert sandbox.calls == []

    run(main())


def test_closing_under_a_wait_says_that_the_request_goes_on() -> None:
    """A session that is closed by somebody else ends `generate` with the id, not with a false end."""

    async def main() -> None:
        async with stage() as (sandbox, session):
            early, late = (asyncio.create_task(session.generate(EAGLE)) for _ in range(2))
            await asyncio.sleep(10)
            await session.aclose()
            found = await asyncio.gather(early, late, return_exceptions=True)

        for error in found:
            assert type(error) is errors.GenerationOverdue
            assert "closed" in str(error)
            assert error.snapshot is not None
        assert {error.request_id for error in found if isinstance(error, errors.GmiVideoError)} == {
            charge.request_id for charge in sandbox.charges
        }

    run(main())


def test_the_first_event_of_a_resumed_request_says_where_it_stands() -> None:
    """`on_event` hears of a request that is under way already, with what is known."""

    async def main() -> None:
        async with stage() as (_, session):
            accepted = await session.submit(EAGLE)
            await asyncio.sleep(30)
            heard: list[Event] = []
            await session.resume(accepted.request_id, on_event=heard.append)

        assert isinstance(heard[0], Progressed)
        assert words(heard)[-1] == "Succeeded"

    run(main())
