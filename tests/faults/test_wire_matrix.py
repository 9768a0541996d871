"""Each operation against each fault of the wire: what is raised, how often it is tried, and what the server counted."""

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import pytest
from attrs import evolve
from scene import EAGLE, SECONDS, ours

from gmi_video import Exchange, Notice, Patience, Session, Snapshot, errors
from gmi_video.sandbox import Sandbox, Script
from gmi_video.sandbox.chances import Faults
from gmi_video.sandbox.faults import NAMED
from gmi_video.testing import run

SEEDS = [range(2), pytest.param(range(2, 5), marks=pytest.mark.soak)]
PATIENT = Patience(attempts=3, first=6, jitter=0)

Verb = Callable[[Session, str], Coroutine[Any, Any, object]]


async def look(session: Session, request_id: str) -> object:
    return await session.snapshot(request_id)


async def models(session: Session, request_id: str) -> object:
    return await session.models()


async def model(session: Session, request_id: str) -> object:
    return await session.model("Veo3")


async def requests(session: Session, request_id: str) -> object:
    return [snapshot async for snapshot in session.requests("Veo3")]


VERBS: dict[str, Verb] = {"look": look, "models": models, "model": model, "list": requests}

WHOLE = {"unmeasured"}
"""A reply that is read to its end, however it is framed."""
FINAL = {
    "redirect_302": errors.ServiceError,
    "redirect_307": errors.ServiceError,
    "redirect_308": errors.ServiceError,
    "early": errors.Rejected,
    "early_reset": errors.Rejected,
}
"""Answers that trying again would not change, and what they are."""
SEEN = {
    "502": "502",
    "502_after_accept": "502",
    "504_after_accept": "504",
    "gzip_bomb": "MalformedResponse",
    "endless": "MalformedResponse",
    "long_length": "TimedOut",
    "blackhole": "TimedOut",
    "blackhole_after_accept": "TimedOut",
    "drip": "TimedOut",
    "late": "TimedOut",
}
"""What an observer is told of the faulty exchange; of any other fault, that it was interrupted."""

HEAVY = {"gzip_bomb", "endless"}
"""Megabytes each: one seed will do."""


async def tried(verb: Verb, operation: str, fault: str, seed: int) -> tuple[object, list[str], int, int]:
    """How a verb ends whose first call meets a fault, what observers saw of each call, and the server's counts."""
    told: list[Notice] = []
    script = Script(models={"*": SECONDS}, faults=Faults(nth={operation: {1: fault}}, seed=seed))
    async with Sandbox(script, seed=seed, render=False) as sandbox:
        settings = evolve(sandbox.settings, patience=PATIENT, check="off", submit_timeout=700)
        async with Session(settings, rng=Random(seed), observers=[told.append]) as session:
            request_id = sandbox.intrude("Veo3", {"prompt": "known"})
            try:
                result = await verb(session, request_id)
            except errors.GmiVideoError as error:
                result = error
        assert ours() == []
        exchanges = [notice for notice in told if isinstance(notice, Exchange)]
        seen = [notice.error or str(notice.status) for notice in exchanges]
        away = sum(call.origin == "elsewhere" for call in sandbox.calls)
        return result, seen, sandbox.count_calls(operation), away  # type: ignore[arg-type]  # its own words


@pytest.mark.parametrize("seeds", SEEDS, ids=["some", "rest"])
@pytest.mark.parametrize("operation", VERBS)
@pytest.mark.parametrize("fault", NAMED)
def test_a_free_call_is_repeated_where_that_may_help(fault: str, operation: str, seeds: range) -> None:
    """One faulty reply costs one more call and no error; what stays so is raised after one. The counts agree."""
    for seed in seeds if fault not in HEAVY else seeds[:1]:
        result, seen, calls, away = run(tried(VERBS[operation], operation, fault, seed))

        assert away == 0
        assert len(seen) == calls
        if fault in FINAL:
            assert type(result) is FINAL[fault]
            assert (result.attempts, calls) == (1, 1)
        elif fault in WHOLE:
            assert not isinstance(result, Exception)
            assert calls == 1
        else:
            assert not isinstance(result, Exception), result
            longer = (
                operation == "list" and fault == "endless"
            )  # a page may be long, and is timed out before that
            assert (seen[0], calls) == ("TimedOut" if longer else SEEN.get(fault, "Interrupted"), 2)


async def submitted(fault: str, seed: int) -> tuple[object, int, int, list[str], int, list[str]]:
    script = Script(models={"*": SECONDS}, faults=Faults(nth={"submit": {1: fault}}, seed=seed))
    told: list[Notice] = []
    async with Sandbox(script, seed=seed, render=False) as sandbox:
        settings = evolve(sandbox.settings, patience=PATIENT, check="off", submit_timeout=700)
        async with Session(settings, rng=Random(seed), observers=[told.append]) as session:
            try:
                result: object = await session.submit(EAGLE)
            except errors.GmiVideoError as error:
                result = error
            await asyncio.sleep(1000)
        away = sum(call.origin == "elsewhere" for call in sandbox.calls)
        posts = [notice for notice in told if isinstance(notice, Exchange) and notice.operation == "submit"]
        charged = [charge.request_id for charge in sandbox.charges]
        return result, sandbox.count_calls("submit"), len(posts), charged, away, ours()


@pytest.mark.parametrize("seeds", SEEDS, ids=["some", "rest"])
@pytest.mark.parametrize("fault", NAMED)
def test_a_paid_call_is_made_once(fault: str, seeds: range) -> None:
    """Where it was accepted its request is found; where it was not, that is said, and nothing was charged."""
    for seed in seeds if fault not in HEAVY else seeds[:1]:
        result, calls, posts, charged, away, tasks = run(submitted(fault, seed))

        assert (calls, posts, away, tasks) == (1, 1, 0, [])
        if NAMED[fault].accepts:
            assert isinstance(result, Snapshot), result
            assert charged == [result.request_id]
        else:
            leaf = (
                errors.Rejected
                if fault in FINAL and fault.startswith("early")
                else errors.SubmissionUncertain
            )
            assert type(result) is leaf, result
            assert charged == []
