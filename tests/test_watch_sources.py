"""Where the ids of a watch come from, and what happens where they are none."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from scene import EAGLE, ours, settings_for, stage, told, turns, words
from watched import finals, submitted

from gmi_video import Session, Snapshot, errors
from gmi_video.events import Event, Progressed
from gmi_video.sandbox import Behaviour, Script
from gmi_video.testing import run
from gmi_video.wire import Call, Reply


@pytest.mark.parametrize("given", ["list", "snapshots", "mapping", "generator", "async", "set", "keys"])
def test_ids_come_from_any_iterable(given: str) -> None:
    """Ids, snapshots and mappings of either, sync or async: each id ends once, with its key where it has one."""

    def lazily(ids: list[str]) -> Iterator[str]:
        yield from ids

    async def slowly(ids: list[str]) -> AsyncIterator[str]:
        for request_id in ids:
            await asyncio.sleep(20)
            yield request_id

    async def main() -> None:
        async with stage() as (_, session):
            snapshots = [await session.submit(EAGLE) for _ in range(3)]
            ids = [snapshot.request_id for snapshot in snapshots]
            keys = dict.fromkeys(ids, "mine")
            sources: dict[str, Any] = {
                "list": ids,
                "snapshots": snapshots,
                "mapping": keys,
                "generator": lazily(ids),
                "async": slowly(ids),
                "set": set(ids),
                "keys": keys.keys(),
            }
            seen = await told(session.watch(sources[given]))

        assert finals(seen) == sorted(ids)
        assert {event.key for event in seen} == {"mine" if given == "mapping" else None}

    run(main())


def test_a_mapping_may_name_snapshots() -> None:
    """Snapshots carry their own keys as well."""

    async def main() -> None:
        async with stage() as (_, session):
            keys: dict[str | Snapshot, str] = {
                await session.submit(EAGLE): "a",
                await session.submit(EAGLE): "b",
            }
            seen = await told(session.watch(keys))

        assert sorted(event.key for event in seen if event.final) == ["a", "b"]

    run(main())


def test_thousands_of_ids_are_taken_a_thousand_at_a_time() -> None:
    """A long iterable does not stop the loop: others get turns while it is read, and the watch does not end early."""
    turned: list[int] = []

    async def main() -> None:
        async with stage(Script(models={"*": Behaviour(seconds=1, queued=0.5)})) as (_, session):
            (first,) = await submitted(session, 1)
            taken = 0

            def ids() -> Iterator[str]:
                nonlocal taken
                for _ in range(2500):
                    taken += 1
                    yield first

            async def bystander() -> None:
                while taken < 2500:
                    turned.append(taken)
                    await asyncio.sleep(0)

            async with session.watch(ids()) as events, asyncio.TaskGroup() as group:
                group.create_task(bystander())
                seen = await told(events)

        assert {1000, 2000} <= set(turned)
        assert finals(seen) == [first]

    run(main())


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("bad", ["no such/id", "", 7, "x" * 129])
def test_what_is_no_id_is_named(bad: Any, lazy: bool) -> None:
    """A bad id raises `ConfigurationError` that shows it, ends the watch, and leaves nothing behind."""

    async def main() -> None:
        async with stage() as (_, session):
            ids = [*await submitted(session, 1), bad]
            watch = session.watch(iter(ids) if lazy else ids)
            with pytest.raises(errors.ConfigurationError) as caught:
                await told(watch)
            await turns()

            assert (repr(bad)[:60] if isinstance(bad, str) else "int") in str(caught.value)
            assert await told(watch) == []
            assert ours() == []
            assert watch.statistics().following == 0
            with pytest.raises(errors.ConfigurationError):
                async with session.watch(ids):
                    pass

    run(main())


@pytest.mark.parametrize("wrong", ["an-id", b"an-id"])
def test_one_id_is_not_a_list_of_ids(wrong: Any) -> None:
    """A string is not taken letter by letter, neither by `watch` nor by `add`."""

    async def main() -> None:
        async with stage() as (_, session):
            with pytest.raises(errors.ConfigurationError, match="list"):
                session.watch(wrong)
            async with session.watch(keep_open=True) as events:
                with pytest.raises(errors.ConfigurationError, match="list"):
                    await events.add(wrong)

    run(main())


@pytest.mark.parametrize("asynchronous", [False, True])
def test_what_an_iterable_raises_is_raised_by_the_watch(asynchronous: bool) -> None:
    """The ids before the fault are told of until then; nothing goes on afterwards."""

    def broken(ids: list[str]) -> Iterator[str]:
        yield from ids
        raise LookupError("the table is gone")

    async def slowly_broken(ids: list[str]) -> AsyncIterator[str]:
        for request_id in ids:
            yield request_id
        await asyncio.sleep(10)
        raise LookupError("the table is gone")

    async def main() -> None:
        async with stage() as (_, session):
            ids = await submitted(session)
            source: Any = slowly_broken(ids) if asynchronous else broken(ids)
            seen: list[Event] = []

            async def reading() -> None:
                async for event in session.watch(source):
                    seen.append(event)

            with pytest.raises(LookupError, match="table"):
                await reading()
            await turns()

            assert words(seen)[:3] == ["Progressed"] * 3
            assert ours() == []

    run(main())


class Archive:
    """A service in memory with many requests that run: its list is newest first, and calls are counted."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.calls: list[str] = []

    def record(self, number: int) -> dict[str, Any]:
        at = 1_700_000_000 + number
        return {"request_id": f"r-{number}", "model": "Veo3", "status": "processing", "created_at": at}

    async def send(self, call: Call) -> Reply:
        await asyncio.sleep(0.05)
        self.calls.append(call.operation)
        if call.operation == "snapshot":
            found: dict[str, Any] = self.record(int(call.url.rpartition("-")[2]))
        else:
            asked = {name: int(value) for name, value in parse_qsl(urlsplit(call.url).query)}
            top = self.count - asked["offset"]
            shown = range(top - 1, max(top - 1 - asked["limit"], -1), -1)
            found = {"requests": [self.record(number) for number in shown], "total": self.count}
        return Reply(status=200, body=json.dumps(found).encode())

    def stream(self, call: Call) -> Any:
        raise AssertionError

    async def aclose(self) -> None:
        raise AssertionError


def test_ids_that_come_in_thousands_wait_for_each_other() -> None:
    """Given oldest first, the newest page shows none of the first thousand: all of them are found on pages even so."""

    async def main() -> None:
        archive = Archive(4000)
        settings, ids = settings_for("http://127.0.0.1:9/queue"), (f"r-{number}" for number in range(4000))
        async with Session(settings, transport=archive) as session, session.watch(ids) as events:
            seen = {(await anext(events)).request_id for _ in range(4000)}
            followed = events.statistics()

        assert len(seen) == 4000
        assert set(archive.calls) == {"requests"}
        assert len(archive.calls) < 10
        assert followed.statuses == {"processing": 4000}
        assert followed.session.following == 4000

    run(main())


def test_an_async_source_that_never_waits_gives_the_loop_its_turns() -> None:
    """Five hundred ids from a source that is always ready hold nobody else up."""
    turns = 0

    async def ready() -> AsyncIterator[str]:
        for number in range(500):
            yield f"r-{number}"

    async def main() -> None:
        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        session = Session(settings_for("http://127.0.0.1:9/queue"), transport=Archive(500))
        async with session, session.watch(keep_open=True) as events:
            counting = asyncio.create_task(count())
            await events.add(ready())
            counting.cancel()

    run(main())

    assert turns >= 4


def test_adding_that_is_broken_off_leaves_nobody_waiting() -> None:
    """What was taken before the cancellation is looked at now, though more was announced."""

    def endless() -> Iterator[str]:
        while True:
            for number in range(4000):
                yield f"r-{number}"

    async def main() -> None:
        session = Session(settings_for("http://127.0.0.1:9/queue"), transport=Archive(4000))
        async with session, session.watch(keep_open=True) as events:
            adding = asyncio.create_task(events.add(endless()))
            for _ in range(4):
                await asyncio.sleep(0)
            adding.cancel()
            first = await asyncio.wait_for(anext(events), 5)
            await asyncio.gather(adding, return_exceptions=True)

        assert isinstance(first, Progressed)

    run(main())
