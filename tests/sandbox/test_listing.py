import asyncio
from itertools import repeat
from typing import Any

import pytest

from gmi_video.sandbox import Behaviour, Foreign, Listing, Sandbox, Script, Spread
from gmi_video.testing import run

from .caller import EAGLE, Caller, calling


def sandbox_of(listing: Listing, **more: Any) -> Sandbox:
    """A sandbox whose lists are odd."""
    return Sandbox(Script(listing=listing, **more), render=False)


async def fill(caller: Caller, count: int) -> list[str]:
    """The ids of so many requests, newest first, a second between them."""
    ids = []
    for _ in range(count):
        ids.append((await caller.submit()).json["request_id"])
        await asyncio.sleep(1)
    return ids[::-1]


async def listed(caller: Caller, query: str = "") -> Any:
    """A page of the list."""
    return (await caller.get(f"/requests{query}")).json


def ids_of(page: Any) -> list[str]:
    """The ids on a page."""
    return [record["request_id"] for record in page["requests"]]


def test_a_list_may_show_less_than_it_counts() -> None:
    """Only the newest can be paged to, while `total` counts all: the list ends too early, by its own words."""

    async def main() -> None:
        async with calling(sandbox_of(Listing(most=3))) as caller:
            ids = await fill(caller, 5)
            whole = await listed(caller)
            rest = await listed(caller, "?offset=3")

            assert (ids_of(whole), whole["total"], whole["has_more"]) == (ids[:3], 5, False)
            assert (rest["requests"], rest["has_more"]) == ([], False)

    run(main())


def test_a_page_may_be_short_and_not_say_so() -> None:
    """A page of at most fifty, whatever is asked for, without `has_more` and without `total`."""

    async def main() -> None:
        quiet = Listing(longest=50, has_more="missing", total="missing")
        async with calling(sandbox_of(quiet)) as caller:
            ids = await fill(caller, 60)
            page = await listed(caller, "?limit=100")

            assert list(page) == ["requests"]
            assert ids_of(page) == ids[:50]
            assert ids_of(await listed(caller, "?limit=100&offset=50")) == ids[50:]

    run(main())


@pytest.mark.parametrize(("has_more", "said"), [("always", [True] * 3), ("never", [False] * 3)])
def test_has_more_may_lie(has_more: Any, said: list[bool]) -> None:
    """`has_more` says the same on every page, behind the last one too."""

    async def main() -> None:
        async with calling(sandbox_of(Listing(has_more=has_more))) as caller:
            await fill(caller, 4)

            assert [(await listed(caller, f"?limit=2&offset={n}"))["has_more"] for n in (0, 2, 9)] == said

    run(main())


def test_a_list_may_begin_with_the_oldest() -> None:
    """Oldest first, page by page; with a limit on what is shown, the oldest of the newest."""

    async def main() -> None:
        async with calling(sandbox_of(Listing(order="oldest", most=4))) as caller:
            ids = await fill(caller, 5)

            assert ids_of(await listed(caller, "?limit=3")) == ids[:4][::-1][:3]
            assert ids_of(await listed(caller, "?limit=3&offset=3")) == ids[:1]

    run(main())


def test_a_list_may_be_in_no_order() -> None:
    """One order that has nothing to do with time: every id once over the pages, the same at each reading."""

    async def main() -> None:
        async with calling(sandbox_of(Listing(order="shuffled"))) as caller:
            ids = await fill(caller, 20)
            seen = [name for n in (0, 8, 16) for name in ids_of(await listed(caller, f"?limit=8&offset={n}"))]

            assert seen not in (ids, ids[::-1])
            assert sorted(seen) == sorted(ids)
            assert ids_of(await listed(caller)) == seen

    run(main())


def test_pages_may_repeat_what_the_page_before_ended_with() -> None:
    """Every page but the first begins with the last records of the one before, and none is left out."""

    async def main() -> None:
        async with calling(sandbox_of(Listing(repeats=2))) as caller:
            ids = await fill(caller, 9)
            pages = [ids_of(await listed(caller, f"?limit=3&offset={n}")) for n in (0, 3, 6)]

            assert pages == [ids[:3], ids[1:6], ids[4:9]]

    run(main())


def test_a_list_may_be_behind_the_looks() -> None:
    """The list shows how things stood so long ago, while a look shows them now."""

    async def main() -> None:
        script = {"models": {"*": Behaviour(seconds=60, queued=10)}}
        async with calling(sandbox_of(Listing(lags=30), **script)) as caller:
            (name,) = await fill(caller, 1)
            early = await listed(caller)
            await asyncio.sleep(60)
            late = await listed(caller)

            assert (early["requests"], early["total"]) == ([], 0)
            assert late["requests"][0]["status"] == "processing"
            assert (await caller.record(name))["status"] == "success"
            await asyncio.sleep(30)
            assert (await listed(caller))["requests"][0]["outcome"]

    run(main())


def test_a_list_may_hide_payloads_that_the_record_shows() -> None:
    """The echo is empty in the list only, and keys can be missing there."""

    async def main() -> None:
        async with calling(sandbox_of(Listing(echo="empty", without=("org_id", "outcome")))) as caller:
            (name,) = await fill(caller, 1)
            (record,) = (await listed(caller))["requests"]
            whole = await caller.record(name)

            assert (record["payload"], whole["payload"]) == ({}, EAGLE)
            assert set(whole) - set(record) == {"org_id", "outcome"}

    run(main())


def test_a_page_may_hold_what_is_no_record() -> None:
    """Malformed items stand in the middle of the page, the good ones around them."""

    async def main() -> None:
        odd: tuple[object, ...] = (None, 7, {"request_id": 5})
        async with calling(sandbox_of(Listing(adds=odd))) as caller:
            ids = await fill(caller, 2)
            items = (await listed(caller))["requests"]

            assert items[1:4] == list(odd)
            assert [items[0]["request_id"], items[4]["request_id"]] == ids

    run(main())


@pytest.mark.parametrize("status", [403, 404, 500])
def test_the_list_may_be_refused(status: Any) -> None:
    """Every list is refused while looks go on."""

    async def main() -> None:
        async with calling(sandbox_of(Listing(refused=status))) as caller:
            (name,) = await fill(caller, 1)

            assert [(await caller.get("/requests")).status for _ in range(2)] == [status] * 2
            assert (await caller.get(f"/requests/{name}")).status == 200

    run(main())


def test_one_list_may_be_odd() -> None:
    """A row of `lists` speaks of its one call, and the script's listing of all others."""

    async def main() -> None:
        rows = (Behaviour(listing=Listing(most=0)), None)
        async with calling(sandbox_of(Listing(total="missing"), lists=rows)) as caller:
            await fill(caller, 2)
            first, second = await listed(caller), await listed(caller)

            assert (first["requests"], first["total"]) == ([], 2)
            assert (len(second["requests"]), "total" in second) == (2, False)

    run(main())


def test_lags_spread_by_seed() -> None:
    """Each request is listed after a lag of its own, drawn by seed, no two alike, none above the longest."""

    async def lags(seed: int) -> list[int]:
        lag = Spread(median=20, sigma=1.0, longest=60)
        script = Script(submissions=repeat(Behaviour(unlisted_for=lag)))
        async with calling(Sandbox(script, seed=seed, render=False)) as caller:
            ids = [(await caller.submit()).json["request_id"] for _ in range(40)]
            seen: dict[str, int] = {}
            for second in range(62):
                for name in ids_of(await listed(caller)):
                    seen.setdefault(name, second)
                await asyncio.sleep(1)
            return [seen[name] for name in ids]

    first, same, other = run(lags(1)), run(lags(1)), run(lags(2))
    assert first == same != other
    assert len(set(first)) > 15
    assert 5 < sorted(first)[20] < 45
    assert max(first) <= 61


def test_twins_of_others_are_listed_and_not_ours() -> None:
    """Equal payloads of another process stand in the list at their seconds, and in no charge of ours."""

    async def main() -> None:
        twins = Behaviour(foreign=Foreign(after=(0.0, 5.0)))
        async with calling(Sandbox(Script(submissions=(twins,)), render=False)) as caller:
            mine = (await caller.submit()).json["request_id"]
            at_once = await listed(caller)
            await asyncio.sleep(6)
            records = (await listed(caller))["requests"]

            assert len(at_once["requests"]) == 2
            assert len(records) == 3
            assert all(record["payload"] == EAGLE for record in records)
            assert [charge.request_id for charge in caller.sandbox.charges] == [mine]
            others = [charge.request_id for charge in caller.sandbox.foreign_charges]
            assert {mine, *others} == {record["request_id"] for record in records}
            assert [record["created_at"] - records[2]["created_at"] for record in records] == [5, 0, 0]

    run(main())


def test_a_share_of_submissions_has_twins() -> None:
    """By seed, about so many submissions are met by a twin."""

    async def main() -> None:
        script = Script(models={"*": Behaviour(foreign=Foreign(share=0.3))})
        async with calling(Sandbox(script, render=False)) as caller:
            for _ in range(100):
                await caller.submit()

            assert 15 < len(caller.sandbox.foreign_charges) < 45
            assert len(caller.sandbox.charges) == 100

    run(main())


def test_what_the_console_made_is_listed_and_not_found() -> None:
    """A request made by hand is in the list, 404 by id, and costs the account."""

    async def main() -> None:
        async with calling(Sandbox(Script(balance=10_000_000), render=False)) as caller:
            name = caller.sandbox.intrude("Veo3", EAGLE, console=True)
            other = caller.sandbox.intrude("Veo3", EAGLE)

            assert ids_of(await listed(caller)) == [other, name]
            assert (await caller.get(f"/requests/{name}")).status == 404
            assert (await caller.get(f"/requests/{other}")).status == 200
            assert caller.sandbox.charges == []
            assert caller.sandbox.balance() == 10_000_000 - 2 * 3_200_000

    run(main())


def test_a_twin_from_the_console_is_not_found_by_id() -> None:
    """Twins too may have been made by hand."""

    async def main() -> None:
        twins = Behaviour(foreign=Foreign(console=True))
        async with calling(Sandbox(Script(submissions=(twins,)), render=False)) as caller:
            await caller.submit()
            (theirs,) = caller.sandbox.foreign_charges

            assert theirs.request_id in ids_of(await listed(caller))
            assert (await caller.get(f"/requests/{theirs.request_id}")).status == 404

    run(main())
