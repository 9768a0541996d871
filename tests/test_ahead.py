"""Reading ahead: every block once and in order, never more than were asked for, and an end that is an end."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gmi_video import _stint
from gmi_video._ahead import Ahead
from gmi_video.testing import run


def blocks(count: int) -> Iterator[memoryview]:
    """So many blocks of a byte each, and empty ones behind them."""
    for number in range(count):
        yield memoryview(bytes([number]))
    while True:
        yield memoryview(b"")


class Slow:
    """A source that reads once its gate is open; `inside` says that it was asked."""

    def __init__(self) -> None:
        self.gate, self.inside = threading.Event(), threading.Event()

    def read(self, order: list[str]) -> memoryview:
        """One block, and that it was read."""
        self.inside.set()
        self.gate.wait(10)
        order.append("read")
        return memoryview(b"x")


async def settled() -> None:
    """Every thread of the loop's only executor has done what it was asked for."""
    for _ in range(3):
        await asyncio.get_running_loop().run_in_executor(None, lambda: None)


def test_blocks_come_in_order_and_the_end_stays_the_end() -> None:
    """Whether the reader is quicker or the thread."""

    async def main() -> list[int]:
        source = blocks(50)
        ahead = Ahead(lambda: next(source), 3)
        got: list[int] = []
        while one := await ahead.take():
            got.append(one[0])
            if len(got) % 5 == 0:
                await asyncio.sleep(0.01)
        assert not await ahead.take()
        await ahead.close()
        assert not next(source)
        return got

    assert run(main()) == list(range(50))


def test_no_more_is_read_than_may_wait() -> None:
    """Three blocks wait, and one more is read for each that is taken."""

    async def main() -> tuple[int, int]:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        read: list[memoryview] = []
        source = blocks(50)

        def step() -> memoryview:
            read.append(next(source))
            return read[-1]

        ahead = Ahead(step, 3)
        await ahead.take()
        await settled()
        first = len(read)
        await ahead.take()
        await settled()
        await ahead.close()
        return first, len(read)

    assert run(main()) == (4, 5)


def test_what_was_read_before_a_failure_comes_before_it() -> None:
    """And it comes again for whoever asks again."""

    async def main() -> list[str]:
        source = blocks(2)

        def step() -> memoryview:
            one = next(source)
            if not one:
                raise OSError("the disk is gone")
            return one

        ahead = Ahead(step, 3)
        said: list[str] = []
        for _ in range(4):
            try:
                said.append(str((await ahead.take())[0]))
            except OSError as error:
                said.append(str(error))
        await ahead.close()
        return said

    assert run(main()) == ["0", "1", "the disk is gone", "the disk is gone"]


def test_closing_waits_for_the_thread_and_ends_whoever_waits() -> None:
    """Nothing reads the source once `close` has returned; a reader that waits is told that there is no more."""

    async def main() -> tuple[bytes, list[str]]:
        slow, order = Slow(), list[str]()
        ahead = Ahead(lambda: slow.read(order), 3)
        waiting = asyncio.ensure_future(ahead.take())
        await asyncio.sleep(0)
        slow.inside.wait(10)
        closing = asyncio.ensure_future(ahead.close())
        for _ in range(5):
            await asyncio.sleep(0)
        assert (waiting.done(), closing.done()) == (True, False)
        slow.gate.set()
        await closing
        order.append("closed")
        return bytes(await waiting), order

    assert run(main()) == (b"", ["read", "closed"])


def test_a_closing_that_is_cancelled_waits_for_the_thread_as_well() -> None:
    """A loop that ends cancels every task: the source is not closed under the thread's hands."""

    async def main() -> tuple[bool, bool, list[str]]:
        slow, order = Slow(), list[str]()
        ahead = Ahead(lambda: slow.read(order), 3)
        taking = asyncio.ensure_future(ahead.take())
        await asyncio.sleep(0)
        slow.inside.wait(10)
        closing = asyncio.ensure_future(ahead.close())
        await asyncio.sleep(0)
        closing.cancel()
        for _ in range(5):
            await asyncio.sleep(0)
        early = closing.done()
        slow.gate.set()
        await asyncio.wait((closing, taking))
        return early, closing.cancelled(), order

    assert run(main()) == (False, True, ["read"])


def test_the_thread_is_given_back_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where reading takes its time, another job of the loop's gets the only thread between two blocks."""
    monkeypatch.setattr(_stint, "TURN", 0.0)

    async def main() -> list[str]:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        order: list[str] = []
        source, gate = blocks(3), threading.Event()

        def step() -> memoryview:
            gate.wait(10)
            order.append("block")
            return next(source)

        ahead = Ahead(step, 9)
        taking = asyncio.ensure_future(ahead.take())
        await asyncio.sleep(0)
        another = loop.run_in_executor(None, order.append, "another")
        gate.set()
        await another
        await taking
        while await ahead.take():
            continue
        await ahead.close()
        return order

    assert run(main()) == ["block", "another", "block", "block", "block"]


def test_a_reader_that_gets_no_thread_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system may have no thread left: what was read comes, and then the failure, whoever waits."""
    monkeypatch.setattr(_stint, "TURN", 0.0)

    async def main() -> list[str]:
        executor = ThreadPoolExecutor(1)
        asyncio.get_running_loop().set_default_executor(executor)

        def step() -> memoryview:
            executor.shutdown(wait=False)
            return memoryview(b"x")

        ahead = Ahead(step, 1)
        said = [bytes(await ahead.take()).decode()]
        with pytest.raises(RuntimeError):
            await ahead.take()
        await ahead.close()
        return said

    assert run(main()) == ["x"]
