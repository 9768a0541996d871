"""Cancelled at each suspension: no task and no socket stays, no file is torn, and no accepted id is lost."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from pathlib import Path
from random import Random
from typing import Any

import pytest
from films import sample
from scene import EAGLE, SECONDS, left_in, ours, stage, told

from gmi_video import Abandoned, Notice, Session, Submitted
from gmi_video.sandbox import Sandbox, Script
from gmi_video.testing import run

Verb = Callable[[Session, Path], Coroutine[Any, Any, object]]
MANY = 400
"""More suspensions than any verb has here; a verb that was not cancelled by then is a mistake of the test."""


class Stepped(Coroutine[Any, Any, object]):
    """A coroutine whose task is cancelled at its k-th suspension."""

    def __init__(self, work: Coroutine[Any, Any, object], k: int) -> None:
        self.work = work
        self.left = k

    def send(self, value: Any) -> Any:
        waited = self.work.send(value)
        self.left -= 1
        if self.left == 0:
            task = asyncio.current_task()
            assert task is not None
            asyncio.get_running_loop().call_soon(task.cancel)
        return waited

    def throw(self, *error: Any) -> Any:
        return self.work.throw(*error)

    def close(self) -> None:
        self.work.close()

    def __await__(self) -> Any:
        raise AssertionError


async def cancelled_at(k: int, work: Coroutine[Any, Any, object]) -> bool:
    """Whether the work was still under way at its k-th suspension, and was cancelled there."""
    stepped = Stepped(work, k)
    task: asyncio.Task[object] = asyncio.get_running_loop().create_task(stepped)
    await asyncio.wait((task,))
    if not task.cancelled():
        task.result()
    return stepped.left <= 0


async def submit(session: Session, folder: Path) -> object:
    return await session.submit(EAGLE)


async def snapshot(session: Session, folder: Path) -> object:
    return await session.snapshot((await session.submit(EAGLE)).request_id)


async def generate(session: Session, folder: Path) -> object:
    return await session.generate(EAGLE, into=folder)


async def generate_to(session: Session, folder: Path) -> object:
    return await session.generate(EAGLE, to=folder / "film.mp4")


async def iterate(session: Session, folder: Path) -> object:
    accepted = await session.submit(EAGLE)
    async for _ in session.watch([accepted.request_id]):
        pass
    return None


async def list_all(session: Session, folder: Path) -> object:
    return [found async for found in session.requests()]


def whole(folder: Path) -> bool:
    """Whether each file at a final path is a whole film; beside it there may be what can be completed."""
    final = [path for path in folder.iterdir() if not path.name.startswith(".")]
    beside = {path.suffix for path in folder.iterdir() if path.name.startswith(".")}
    sized = (path.stat().st_size == len(sample()) for path in final)
    return beside in (set(), {".part", ".json"}) and all(sized)


@pytest.mark.parametrize("verb", [submit, snapshot, generate, generate_to, iterate, list_all])
def test_cancelling_a_verb_anywhere_leaves_nothing(verb: Verb, tmp_path: Path) -> None:
    """Whichever suspension is cancelled: the session closes clean, every charge was told, files are whole or absent."""
    reached = 0

    async def once(k: int, folder: Path) -> bool:
        notices: list[Notice] = []
        async with Sandbox(Script(models={"*": SECONDS}), render=False) as sandbox:
            session = Session(sandbox.settings, rng=Random(0), observers=[notices.append])
            cancelled = await cancelled_at(k, verb(session, folder))
            await session.aclose()
            charged = {charge.request_id for charge in sandbox.charges}
            heard = {notice.request_id for notice in notices if isinstance(notice, Submitted | Abandoned)}

            assert charged <= heard, f"a charge that nobody heard of, at suspension {k}"
            assert ours() == [], f"tasks at suspension {k}"
            assert whole(folder), f"{left_in(folder)} at suspension {k}"
        return cancelled

    for k in range(1, MANY):
        folder = tmp_path / str(k)
        folder.mkdir()
        if not run(once(k, folder)):
            break
        reached = k
    gc.collect()

    assert 3 <= reached < MANY - 1


def test_cancelling_a_download_anywhere_leaves_what_the_next_one_completes(tmp_path: Path) -> None:
    """At each suspension: the file is whole or not there, and after another try it is there and nothing beside it."""
    reached = 0

    async def once(k: int, folder: Path) -> bool:
        async with stage() as (_, session):
            video = await session.generate(EAGLE)
            cancelled = await cancelled_at(k, session.download(video, to=folder / "film.mp4"))
            assert whole(folder), f"{left_in(folder)} at suspension {k}"
            assert left_in(folder) == ["film.mp4"] or cancelled
            saved = await session.download(video, to=folder / "film.mp4", overwrite=True)

            assert left_in(folder) == ["film.mp4"], f"at suspension {k}"
            assert saved.path.read_bytes() == sample()
        return cancelled

    for k in range(1, MANY):
        folder = tmp_path / str(k)
        folder.mkdir()
        if not run(once(k, folder), debug=k % 3 == 0):
            break
        reached = k
    gc.collect()

    assert 3 <= reached < MANY - 1


def test_cancelling_the_wait_for_an_event_loses_none() -> None:
    """An `anext` that is cancelled at any moment leaves its event for the next."""

    async def once(every: float) -> list[str]:
        async with stage() as (_, session):
            ids = [(await session.submit(EAGLE)).request_id for _ in range(3)]
            seen: list[str] = []
            async with session.watch(ids) as events:
                while True:
                    waiting = asyncio.ensure_future(anext(events))
                    await asyncio.wait((waiting,), timeout=every)
                    waiting.cancel()
                    try:
                        seen.append(type(await waiting).__name__)
                    except asyncio.CancelledError:
                        continue
                    except StopAsyncIteration:
                        return seen

    for every in (0.05, 0.3, 1.0, 7.0):
        assert sorted(run(once(every))) == ["Progressed"] * 6 + ["Succeeded"] * 3


def test_cancelling_one_of_many_callers_disturbs_no_other() -> None:
    """Fifty callers of which every second one is cancelled: the others get their videos, all ids are known."""

    async def main() -> None:
        notices: list[Notice] = []
        async with stage(observers=[notices.append]) as (sandbox, session):
            tasks = [asyncio.create_task(session.generate(EAGLE)) for _ in range(50)]
            await asyncio.sleep(5)
            for task in tasks[::2]:
                task.cancel()
            done = await asyncio.gather(*tasks, return_exceptions=True)
            heard = {notice.request_id for notice in notices if isinstance(notice, Submitted)}

            assert [isinstance(found, asyncio.CancelledError) for found in done] == [True, False] * 25
            assert heard == {charge.request_id for charge in sandbox.charges}
            assert ours() == []

    run(main())


def test_an_id_whose_caller_was_cancelled_is_told() -> None:
    """Cancelled while its POST is under way, a submission is finished and its id handed to the observers."""

    async def main() -> None:
        notices: list[Notice] = []
        slow = Script(models={"*": SECONDS}, submissions=[_answered_late()])
        async with stage(slow, observers=[notices.append]) as (sandbox, session):
            task = asyncio.create_task(session.submit(EAGLE))
            await asyncio.sleep(1)
            task.cancel()
            await asyncio.wait((task,))
            at_once = task.cancelled()
            await asyncio.sleep(20)
            (charge,) = sandbox.charges
            (abandoned,) = [notice for notice in notices if isinstance(notice, Abandoned)]

            assert at_once
            assert abandoned.request_id == charge.request_id
            assert abandoned.key == EAGLE.key

    run(main())


def _answered_late() -> Any:
    from gmi_video.sandbox import Behaviour  # noqa: PLC0415  # only here

    return Behaviour(answers_after=10)


def test_closing_while_everything_is_under_way_leaves_nothing(tmp_path: Path) -> None:
    """A session that closes at any moment of its work leaves no task, no socket and no half file."""

    async def once(seconds: float, folder: Path) -> None:
        async with Sandbox(Script(models={"*": SECONDS}), render=False) as sandbox:
            session = Session(sandbox.settings)
            works = [
                asyncio.create_task(session.generate(EAGLE, into=folder)),
                asyncio.create_task(told(session.watch(keep_open=True))),
                asyncio.create_task(submit(session, folder)),
            ]
            await asyncio.sleep(seconds)
            await session.aclose()
            await asyncio.wait(works, timeout=1000)  # where closing came before the first verb had opened
            await session.aclose()
            await asyncio.gather(*works, return_exceptions=True)

            assert ours() == []
            assert whole(folder)

    for number, seconds in enumerate((0.0, 0.001, 5.0, 59.0, 61.0, 300.0)):
        folder = tmp_path / str(number)
        folder.mkdir()
        run(once(seconds, folder), debug=True)
    gc.collect()
