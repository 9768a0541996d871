"""Seeds of ours, and several processes that submit one template."""

import asyncio
from random import Random
from typing import Any

from attrs import evolve
from intents import Ledger
from lostfound import ended, ids, kinds, opened
from reconciling import uncertain
from scene import turns
from smallservice import SmallService, fates

from gmi_video import (
    Patience,
    Session,
    Snapshot,
    State,
    VideoRequest,
)
from gmi_video.sandbox import Behaviour, Sandbox, Script
from gmi_video.testing import run


def seeds(sandbox: Sandbox) -> list[object]:
    return [charge.payload.get("seed") for charge in sandbox.charges]


def test_a_seed_of_ours_makes_equal_payloads_unique() -> None:
    """Inside the schema's range, where the model has a seed and the caller gave none."""

    async def main() -> tuple[list[object], int]:
        async with Sandbox(Script(models={"*": Behaviour(seconds=9)}), render=False) as sandbox:
            settings = evolve(sandbox.settings, disambiguate="seed")
            async with Session(settings, rng=Random(0)) as session:
                request = VideoRequest("wan2.6-t2v", {"prompt": "eagle"})
                await asyncio.gather(*(session.submit(request) for _ in range(30)))
                await session.submit(evolve(request, payload={"prompt": "eagle", "seed": 7}))
                await session.submit(evolve(request, payload={"prompt": "eagle", "seed": None}))
                return seeds(sandbox), sandbox.count_calls("model")

    drawn, schemas = run(main())

    assert drawn[30] == 7
    assert len({*drawn}) == 32
    assert all(isinstance(seed, int) and 0 <= seed <= 2_147_483_647 for seed in drawn)
    assert schemas == 1


def test_a_model_without_a_seed_gets_none() -> None:
    """Unknown keys may be refused, or stripped."""

    async def main() -> list[object]:
        async with Sandbox(Script(models={"*": Behaviour(seconds=9)}), render=False) as sandbox:
            settings = evolve(sandbox.settings, disambiguate="seed", check="off")
            async with Session(settings, rng=Random(0)) as session:
                await session.submit(VideoRequest("Luma-Ray2", {"prompt": "eagle"}))
            return seeds(sandbox)

    assert run(main()) == [None]


def test_a_catalog_in_trouble_is_waited_for_with_patience() -> None:
    """Without a seed of its own a payload could not be told apart; a catalog that stays away stops nothing."""

    async def main(behaviours: list[Behaviour]) -> list[object]:
        script = Script(models={"*": Behaviour(seconds=9)}, catalog=behaviours)
        async with Sandbox(script, render=False) as sandbox:
            patience = Patience(attempts=3, first=5, jitter=0)
            settings = evolve(sandbox.settings, disambiguate="seed", patience=patience)
            async with Session(settings, rng=Random(0)) as session:
                await session.submit(VideoRequest("wan2.6-t2v", {"prompt": "eagle"}))
                await session.submit(VideoRequest("wan2.6-t2v", {"prompt": "eagle"}))
            return seeds(sandbox)

    down = Behaviour.refused(503, "maintenance")

    assert None not in run(main([down, down]))
    assert run(main([down] * 50)) == [None, None]


def template(session: Session) -> Any:
    return ended(session, VideoRequest("Veo3", {"prompt": "the template"}))


def test_replicas_that_send_one_template_do_not_adopt_each_others_requests() -> None:
    """Two sessions on one key: where one's answer is lost the candidates are named, and a person decides."""

    async def main() -> tuple[object, list[str], SmallService]:
        service = SmallService(fates=fates("accepted", "never", "accepted"), takes=1)
        async with (
            opened(service, writers="shared") as (_, one),
            opened(service, writers="shared") as (_, two),
        ):
            first = asyncio.create_task(template(one))
            await turns()
            lost = asyncio.create_task(template(two))
            await turns()
            third = asyncio.create_task(template(one))
            return await lost, ids([await first, await third]), service

    lost, theirs, service = run(main())
    error = uncertain(lost)

    assert set(error.candidates) == set(theirs)
    assert (error.request_id, error.intent.state) == (None, State.NEEDS_DECISION)
    assert service.calls["submit"] == 3


def test_replicas_with_one_store_find_their_own() -> None:
    """What the other owns is known; and what the other is still being answered is not taken from it."""

    async def main() -> tuple[list[object], SmallService, set[str]]:
        store = Ledger(shared=True)
        service = SmallService(fates=fates("dropped", "accepted", "dropped"), takes=2)
        changes: dict[str, Any] = {"writers": "shared", "store": store}
        async with opened(service, **changes) as (_, one), opened(service, **changes) as (_, two):
            tasks = []
            for session in (one, two, one):
                tasks.append(asyncio.create_task(template(session)))
                await turns()
            return list(await asyncio.gather(*tasks)), service, set(store._owners)

    results, service, owners = run(main())

    assert kinds(results) == ["Snapshot"] * 3  # type: ignore[arg-type]  # ends of submissions
    assert len(set(ids(results))) == 3  # type: ignore[arg-type]  # as above
    assert owners == {made.request_id for made in service.made}


def test_replicas_with_one_store_wait_for_each_others_answers() -> None:
    """A lost one does not take the record of an equal one that another process is being answered."""

    async def main() -> tuple[object, object]:
        store = Ledger(shared=True)
        service = SmallService(fates=fates("accepted", "never"), takes=60)
        changes: dict[str, Any] = {"writers": "shared", "store": store}
        async with opened(service, **changes) as (_, one), opened(service, **changes) as (_, two):
            slow = asyncio.create_task(template(one))
            await asyncio.sleep(1)
            service.takes = 0
            lost = asyncio.create_task(template(two))
            return await slow, await lost

    slow, lost = run(main())

    assert isinstance(slow, Snapshot)
    assert uncertain(lost).candidates == ()


def test_replicas_that_draw_seeds_find_their_own() -> None:
    """A payload that nobody else sends proves whose it is, without a common store."""

    async def main() -> tuple[list[str], int, int]:
        lost = [Behaviour.edge(502, accepted=True), None] * 4
        script = Script(models={"*": Behaviour(seconds=9)}, submissions=lost)
        async with Sandbox(script, render=False) as sandbox:
            settings = evolve(sandbox.settings, disambiguate="seed", writers="shared")
            request = VideoRequest("wan2.6-t2v", {"prompt": "the template"})
            async with Session(settings) as one, Session(settings) as two:
                results = await asyncio.gather(*(ended(each, request) for each in [one, two] * 4))
            return ids(results), len(sandbox.charges), sandbox.count_calls("submit")

    accepted, charges, posts = run(main())

    assert len(set(accepted)) == charges == posts == 8
