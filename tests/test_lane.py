"""A lane: every block once and in order, one thread for many, and nothing behind a block that failed."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from gmi_video import _stint
from gmi_video._lane import Lane
from gmi_video._offload import ended
from gmi_video.testing import run


def block(number: int) -> memoryview:
    """A block that tells its number."""
    return memoryview(bytes([number]))


def test_blocks_are_taken_in_order_and_told_of_one_by_one() -> None:
    """What is put while the thread runs, and after it has gone to rest, follows what was put before."""

    async def main() -> tuple[list[int], list[int]]:
        took: list[int] = []
        told: list[int] = []
        lane = Lane(lambda one: took.append(one[0]), lambda: told.append(lane.done))
        for number in range(100):
            lane.put(block(number))
            if number % 7 == 0:
                await asyncio.sleep(0)
            if number % 30 == 0:
                await ended(lane.resting)
        await ended(lane.resting)
        return took, told

    assert run(main()) == (list(range(100)), list(range(1, 101)))


def test_one_thread_is_woken_for_blocks_that_follow_each_other() -> None:
    """The second block waits in the lane while the first is being written; nobody is asked for a thread again."""

    async def main() -> int:
        gate = threading.Event()
        loop = asyncio.get_running_loop()
        woken: list[object] = []
        asked = loop.run_in_executor

        def counting(executor: object, step: object, *args: object) -> object:
            woken.append(step)
            return asked(executor, step, *args)  # type: ignore[arg-type]

        loop.run_in_executor = counting  # type: ignore[method-assign, assignment]

        def step(_: memoryview) -> None:
            gate.wait(10)

        lane = Lane(step, lambda: None)
        for number in range(20):
            lane.put(block(number))
        gate.set()
        await ended(lane.resting)
        assert lane.done == 20
        return len(woken)

    assert run(main()) == 1


def test_a_lane_gives_its_thread_back_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where each block takes its time, another job of the loop's gets the only thread between two of them."""
    monkeypatch.setattr(_stint, "TURN", 0.0)

    async def main() -> list[str]:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        gate = threading.Event()
        order: list[str] = []

        def step(one: memoryview) -> None:
            gate.wait(10)
            order.append(f"block {one[0]}")

        lane = Lane(step, lambda: None)
        for number in range(3):
            lane.put(block(number))
        another = loop.run_in_executor(None, order.append, "another")
        gate.set()
        await another
        await ended(lane.resting)
        return order

    assert run(main()) == ["block 0", "another", "block 1", "block 2"]


def test_nothing_follows_a_block_that_failed() -> None:
    """What waits behind it is dropped, and so is what is put later; the failure is there to be asked for."""

    async def main() -> tuple[list[int], int, str, int]:
        took: list[int] = []
        calls: list[None] = []

        def step(one: memoryview) -> None:
            if one[0] == 2:
                raise OSError("full")
            took.append(one[0])

        lane = Lane(step, partial(calls.append, None))
        for number in range(5):
            lane.put(block(number))
        await ended(lane.resting)
        lane.put(block(9))
        await ended(lane.resting)
        return took, lane.done, str(lane.failure), len(calls)

    assert run(main()) == ([0, 1], 2, "full", 3)


def test_a_lane_that_gets_no_thread_is_broken_and_rests() -> None:
    """The system may have no thread left: that is a failure like the step's own, and nobody waits for ever."""

    async def main() -> tuple[bool, str, int]:
        executor = ThreadPoolExecutor(1)
        asyncio.get_running_loop().set_default_executor(executor)
        calls: list[None] = []
        lane = Lane(lambda _: executor.shutdown(wait=False), partial(calls.append, None))
        lane.put(block(0))
        await ended(lane.resting)
        lane.put(block(1))
        await ended(lane.resting)
        return lane.broken, type(lane.failure).__name__, len(calls)

    assert run(main()) == (True, "RuntimeError", 2)
