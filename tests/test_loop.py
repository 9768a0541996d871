"""The loop on which waiting is free."""

import asyncio
import hashlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gmi_video.testing import VirtualLoop, run


def test_an_hour_of_sleep_takes_no_time() -> None:
    """The clock jumps to the next timer when everybody waits."""

    async def main() -> tuple[float, list[str]]:
        loop = asyncio.get_running_loop()
        order: list[str] = []

        async def sleeper(name: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            order.append(name)

        begun = loop.time()
        await asyncio.gather(sleeper("late", 3600), sleeper("early", 1), sleeper("middle", 60))
        return loop.time() - begun, order

    begun = time.monotonic()
    took, order = run(main())

    assert took == pytest.approx(3600)
    assert order == ["early", "middle", "late"]
    assert time.monotonic() - begun < 60


def test_every_run_sees_the_same_clock() -> None:
    """Two runs begin at the same second and take the same steps."""

    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        times = [loop.time()]
        for seconds in (0.25, 17.0, 1e6):
            await asyncio.sleep(seconds)
            times.append(loop.time())
        return times

    assert run(main()) == run(main()) == [1000.0, 1000.25, 1017.25, 1001017.25]


def test_time_stands_still_while_a_job_is_under_way() -> None:
    """A deadline around work in a thread does not fire falsely, however long the work takes."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        release = threading.Event()
        seen: list[str] = []
        timer = loop.call_later(0.001, seen.append, "timer")
        job = loop.run_in_executor(None, release.wait, 30)
        for _ in range(50):
            await asyncio.sleep(0)
        before = list(seen)
        release.set()
        async with asyncio.timeout(1.0):
            assert await job
        await asyncio.sleep(1)

        assert before == []
        assert seen == ["timer"]
        assert timer.when() <= loop.time()

    run(main())


def test_a_deadline_does_not_fire_while_the_work_under_it_is_done_elsewhere() -> None:
    """A millisecond of virtual time is enough for any amount of work in a thread."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(0.001):
            await loop.run_in_executor(None, hashlib.pbkdf2_hmac, "sha256", b"word", b"salt", 50_000)

    run(main())


def test_sockets_are_served_before_time_moves() -> None:
    """A real loopback exchange finishes within a deadline of a millisecond."""

    async def main() -> None:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while line := await reader.readline():
                writer.write(line)
                await writer.drain()
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in range(200):
            writer.write(b"%d\n" % number)
            async with asyncio.timeout(0.001):
                assert await reader.readline() == b"%d\n" % number
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()

    run(main())


def test_a_callback_from_a_thread_wakes_the_loop() -> None:
    """What another thread calls into the loop is run, also while no timer is set."""

    async def main() -> str:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[str] = loop.create_future()
        thread = threading.Thread(target=lambda: loop.call_soon_threadsafe(future.set_result, "here"))
        thread.start()
        found = await future
        thread.join()
        return found

    assert run(main()) == "here"


def test_an_executor_of_ones_own_counts_as_well() -> None:
    """Any executor holds the clock."""

    async def main() -> float:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        with ThreadPoolExecutor(1) as pool:
            assert await loop.run_in_executor(pool, pow, 2, 10) == 1024
        return loop.time() - begun

    assert run(main()) == 0.0


def test_a_loop_that_nothing_can_wake_says_so() -> None:
    """A program that waits for nothing is told after a while, not left hanging."""
    loop = VirtualLoop(deadlock=0.01)
    try:
        with pytest.raises(RuntimeError, match="nothing is left"):
            loop.run_until_complete(asyncio.Event().wait())
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
    finally:
        loop.close()


def test_what_main_raises_is_raised() -> None:
    """`run` is `asyncio.run` in this as well."""

    async def main() -> None:
        raise LookupError("here")

    with pytest.raises(LookupError, match="here"):
        run(main(), debug=True)
