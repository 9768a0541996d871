"""What all of them do: take an order from stdin, look so often with so many at once, tell the seconds."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

Course = Callable[[int, int], object]
"""Makes so many looks, so many at once."""


def serve(course: Course) -> None:
    """Answers each line "looks at_once" with the seconds, of the clock and of the CPU, that they took."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:-1] or os.sched_getaffinity(0))
    for line in sys.stdin:
        looks, at_once = map(int, line.split())
        clock, cpu = time.perf_counter(), time.process_time()
        try:
            course(looks, at_once)
        except Exception as error:  # noqa: BLE001  # a client that breaks at a setting has others
            print(json.dumps({"error": f"{type(error).__name__}: {error}"[:200]}), flush=True)
            continue
        told = {"seconds": time.perf_counter() - clock, "cpu": time.process_time() - cpu}
        print(json.dumps(told), flush=True)


def threads(made: Callable[[], Callable[[], object]]) -> Course:
    """A course of a client that blocks: as many threads as looks at once, each with a client of its own, kept."""
    looks_of: list[Callable[[], object]] = []

    def course(looks: int, at_once: int) -> None:
        looks_of.extend(made() for _ in range(at_once - len(looks_of)))

        def some(look: Callable[[], object]) -> None:
            for _ in range(looks // at_once):
                look()

        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(some, looks_of[:at_once]))

    return course


async def tasks(look: Callable[[], Awaitable[object]], looks: int, at_once: int) -> None:
    """A course of a client that awaits: as many tasks as looks at once."""
    left = iter(range(looks // at_once * at_once))

    async def some() -> None:
        for _ in left:
            await look()

    await asyncio.gather(*(some() for _ in range(at_once)))
