"""The figures of the promise "money is sent once": a hundred and fifty submissions by default, ten thousand with `-m soak`.

The sandbox's charges are the oracle: one row per accepted submission, whatever the client was told.
"""

import asyncio
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import define, evolve
from scene import ours

from gmi_video import (
    Abandoned,
    Exchange,
    Notice,
    Patience,
    Session,
    Snapshot,
    Submitted,
    VideoRequest,
    errors,
)
from gmi_video.sandbox import Behaviour, Charge, Sandbox, Script
from gmi_video.sandbox.chances import Faults
from gmi_video.testing import run

HEALTHY = Behaviour(seconds=600, queued=5)
SILENT = evolve(HEALTHY, echo="empty")
SIZES = [150, pytest.param(10_000, marks=pytest.mark.soak)]


@define(eq=False)
class Figures:
    """How many submissions ended how, and what the sandbox knows of them."""

    requests: list[VideoRequest]
    results: list[Snapshot | errors.GmiVideoError]
    charges: list[Charge]
    posts: int
    lists: int
    undecided: int
    unreached: int
    left: list[str]

    @property
    def accepted(self) -> list[tuple[VideoRequest, str]]:
        """What was asked for, and the id that was given for it."""
        pairs = zip(self.requests, self.results, strict=True)
        return [(request, result.request_id) for request, result in pairs if isinstance(result, Snapshot)]

    @property
    def uncertain(self) -> list[errors.SubmissionUncertain]:
        return [result for result in self.results if isinstance(result, errors.SubmissionUncertain)]

    def check(self) -> None:
        """No extra charge, no id given twice, each id that of an equal payload, nothing left over."""
        payloads = {charge.request_id: dict(charge.payload) for charge in self.charges}
        ids = [request_id for _, request_id in self.accepted]

        assert self.left == []
        assert len(self.charges) <= len(self.requests)
        assert len(set(ids)) == len(ids)
        for request, request_id in self.accepted:
            assert payloads[request_id].items() >= dict(request.payload).items()

    def check_all_accepted(self) -> None:
        """And none was lost, none undecided."""
        self.check()

        assert Counter(type(result).__name__ for result in self.results) == {"Snapshot": len(self.requests)}
        assert len(self.charges) == len(self.requests)
        assert self.undecided == 0


async def figures(script: Script, requests: list[VideoRequest], **changes: Any) -> Figures:
    """Submits all of them at once."""
    told: list[Notice] = []
    async with Sandbox(script, seed=1, render=False, keep_calls=False) as sandbox:
        settings = evolve(sandbox.settings, **{"check": "off", **changes})
        async with Session(settings, rng=Random(0), observers=[told.append]) as session:

            async def one(request: VideoRequest) -> Snapshot | errors.GmiVideoError:
                try:
                    return await session.submit(request)
                except errors.GmiVideoError as error:
                    return error

            results = await asyncio.gather(*(one(request) for request in requests))
            undecided = len(await session.uncertain())
        return Figures(
            requests=requests,
            results=list(results),
            charges=sandbox.charges,
            posts=sandbox.count_calls("submit"),
            lists=sandbox.count_calls("list"),
            undecided=undecided,
            unreached=sum(isinstance(notice, Exchange) and notice.error == "Unreachable" for notice in told),
            left=ours(),
        )


def open_files() -> int:
    """How many sockets and files this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def distinct(count: int, model: str = "Veo3") -> list[VideoRequest]:
    return [VideoRequest(model, {"prompt": f"film {number}"}, key=number) for number in range(count)]


def mixed(count: int) -> list[VideoRequest]:
    """Half of them of three payloads."""
    rng = Random(7)
    prompts = [f"film {rng.randrange(3) if rng.random() < 0.5 else number}" for number in range(count)]
    return [VideoRequest("Veo3", {"prompt": prompt}, key=number) for number, prompt in enumerate(prompts)]


LOSSES: dict[str, dict[str, float]] = {
    "a tenth dropped": {"drop_after_accept": 0.10},
    "a tenth answered by a gateway": {"502_after_accept": 0.10},
    "a twentieth truncated": {"truncate": 0.05},
    "all of it": {
        "drop_after_accept": 0.05,
        "502_after_accept": 0.05,
        "truncate": 0.05,
        "reset_after_accept": 0.03,
        "garbage": 0.02,
        "header_flood": 0.01,
        "half_close_in_reply": 0.02,
    },
}


@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("loss", LOSSES)
def test_every_lost_answer_is_found(loss: str, count: int) -> None:
    """One POST each, one charge each, every id returned; the list is asked a few times a second at most."""
    script = Script(models={"*": HEALTHY}, faults=Faults(submit=LOSSES[loss]))
    found = run(figures(script, distinct(count)))

    found.check_all_accepted()
    assert found.posts == count
    assert found.lists <= 12 + count / 20


@pytest.mark.parametrize("count", SIZES)
def test_equal_payloads_share_their_losses(count: int) -> None:
    """Where half of all payloads are the same three, each submission still has a request of its own."""
    script = Script(models={"*": HEALTHY}, faults=Faults(submit={"drop_after_accept": 0.1}))
    found = run(figures(script, mixed(count)))

    found.check_all_accepted()
    assert found.posts == count


@pytest.mark.parametrize("count", SIZES)
def test_connects_that_fail_cost_nothing(count: int) -> None:
    """For a third of the time nobody listens: nothing is uncertain, and the server counts each POST once."""
    slow = evolve(HEALTHY, answers_after=1.0)
    outages = [(10.0 * number, 3.0) for number in range(count)]
    script = Script(models={"*": slow}, outages=outages)
    patience = Patience(attempts=40, first=0.5, longest=4)
    found = run(figures(script, distinct(count), patience=patience))

    found.check_all_accepted()
    assert found.posts == count
    assert found.lists == 0
    assert found.unreached > count / 50


@pytest.mark.parametrize("count", SIZES)
def test_a_list_that_lags_is_waited_for(count: int) -> None:
    """Ninety seconds behind, it still shows every one of them in the end."""
    lagging = evolve(HEALTHY, unlisted_for=90.0)
    script = Script(models={"*": lagging}, faults=Faults(submit={"drop_after_accept": 0.1}))
    found = run(figures(script, distinct(count)))

    found.check_all_accepted()
    assert found.posts == count


@pytest.mark.parametrize("count", SIZES)
def test_what_never_arrived_is_said_to_be_undecided(count: int) -> None:
    """A gateway that did not pass a tenth of them on: no second POST, no charge, and each is told so."""
    script = Script(models={"*": HEALTHY}, faults=Faults(submit={"502": 0.1}))
    found = run(figures(script, distinct(count)))

    found.check()
    assert found.posts == count
    assert len(found.charges) == len(found.accepted) == count - len(found.uncertain)
    assert {error.candidates for error in found.uncertain} == {()}
    assert found.undecided == len(found.uncertain) > count / 20


@pytest.mark.parametrize("count", SIZES)
def test_without_an_echo_nobody_is_guessed_and_no_id_is_lost(count: int) -> None:
    """Whoever is undecided could be any of as many requests as there are of them, and all of those are named."""
    script = Script(models={"*": SILENT}, faults=Faults(submit={"drop_after_accept": 0.1}))
    found = run(figures(script, distinct(count)))
    owned = {request_id for _, request_id in found.accepted}
    groups = Counter(frozenset(error.candidates) for error in found.uncertain)
    named = set().union(*groups)

    found.check()
    assert (found.posts, len(found.charges)) == (count, count)
    assert len(found.accepted) + len(found.uncertain) == count
    assert named == {charge.request_id for charge in found.charges} - owned
    assert sum(len(group) for group in groups) == len(named)
    assert all(len(group) == members > 1 for group, members in groups.items())
    assert found.undecided == len(found.uncertain) > 0


@pytest.mark.parametrize("count", SIZES)
def test_without_an_echo_equal_payloads_are_all_found(count: int) -> None:
    """Only their number counts, and that is known."""
    script = Script(models={"*": SILENT}, faults=Faults(submit={"drop_after_accept": 0.1}))
    requests = [VideoRequest("Veo3", {"prompt": "one film"}, key=number) for number in range(count)]

    run(figures(script, requests)).check_all_accepted()


@pytest.mark.parametrize("count", SIZES)
def test_a_seed_of_ours_tells_equal_payloads_from_strangers(count: int) -> None:
    """On an account on which others send the same template, nothing is undecided where a seed can be drawn."""
    script = Script(models={"*": HEALTHY}, faults=Faults(submit={"drop_after_accept": 0.1}))
    requests = [VideoRequest("wan2.6-t2v", {"prompt": "template"}, key=number) for number in range(count)]
    found = run(figures(script, requests, writers="shared", disambiguate="seed"))

    found.check_all_accepted()
    assert len({charge.payload["seed"] for charge in found.charges}) == count


@pytest.mark.parametrize("count", SIZES)
def test_callers_that_leave_lose_no_id(count: int) -> None:
    """Each is cancelled at a moment of its own: every id that was charged was returned or told; nothing leaks."""
    slow = evolve(HEALTHY, answers_after=1.0)
    script = Script(models={"*": slow}, faults=Faults(submit={"drop_after_accept": 0.1, "502": 0.02}))
    told: list[Notice] = []
    returned: set[str] = set()
    rng = Random(3)

    async def main() -> tuple[list[Charge], int, list[str], int, int]:
        files = open_files()
        async with Sandbox(script, seed=1, render=False, keep_calls=False) as sandbox:
            settings = evolve(sandbox.settings, check="off", settle=20)
            async with Session(settings, rng=Random(0), observers=[told.append]) as session:

                async def one(request: VideoRequest) -> None:
                    returned.add((await session.submit(request)).request_id)

                loop = asyncio.get_running_loop()
                tasks = []
                for number, request in enumerate(distinct(count)):
                    task = asyncio.create_task(one(request))
                    loop.call_later(number / 32 + rng.uniform(0, 3), task.cancel)
                    tasks.append(task)
                await asyncio.wait(tasks)
                cancelled = sum(task.cancelled() for task in tasks)
                for task in tasks:
                    if not task.cancelled():
                        task.exception()
                await asyncio.sleep(300)
            left = ours()
            charges = sandbox.charges
        await asyncio.sleep(1)
        return (
            charges,
            cancelled,
            left,
            open_files() - files,
            len(asyncio.all_tasks()) - 1,
        )

    charges, cancelled, left, files, tasks = run(main())
    heard = {notice.request_id for notice in told if isinstance(notice, Submitted | Abandoned)}
    abandoned = [notice for notice in told if isinstance(notice, Abandoned)]

    assert {charge.request_id for charge in charges} == {name for name in heard | returned if name}
    assert len(charges) == len({charge.payload["prompt"] for charge in charges})
    assert cancelled > count / 4
    assert len(abandoned) > count / 20
    assert (left, files, tasks) == ([], 0, 0)


def test_the_same_seed_is_the_same_run() -> None:
    """Two runs tell the same of every submission, losses and guesses not made included."""
    script = Script(models={"*": SILENT}, faults=Faults(submit={"drop_after_accept": 0.1}))

    def told() -> list[str]:
        found = run(figures(script, distinct(150)))
        return [
            result.request_id if isinstance(result, Snapshot) else f"{type(result).__name__} {result.args[0]}"
            for result in found.results
        ]

    assert told() == told()
