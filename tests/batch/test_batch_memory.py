"""A batch of any length needs the memory of what is in flight."""

import asyncio
import gc
import itertools
import json
import sqlite3
import sys
import threading
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gmi_video import Pace, Session, Settings, VideoRequest
from gmi_video.batch import Batch
from gmi_video.errors import Unreachable
from gmi_video.testing import run
from gmi_video.wire import Call, Reply


class Instant:
    """A transport whose queue remembers nothing: an id says when it was made, and is done a minute later."""

    made = 0

    async def send(self, call: Call) -> Reply:
        """What the queue would say now."""
        now = asyncio.get_running_loop().time()
        if call.operation == "submit":
            self.made += 1
            return self._record(f"r-{int(now)}-{self.made}", now)
        if call.operation == "snapshot":
            return self._record(call.subject, now)
        message = "there is no such call here"
        raise Unreachable(message, retryable=False)

    def _record(self, request_id: str, now: float) -> Reply:
        born = int(request_id.split("-")[1])
        ended = now - born > 60
        record = {
            "request_id": request_id,
            "model": "Veo3",
            "status": "success" if ended else "processing",
            "created_at": born,
            "updated_at": born + 60 * ended,
            "payload": {},
            "outcome": {"video_url": f"https://storage.example/{request_id}.mp4"} if ended else None,
        }
        return Reply(status=200, body=json.dumps(record).encode())

    def stream(self, call: Call) -> Any:
        """There are no files."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Holds nothing."""


def is_of_others(value: object) -> bool:
    """Whether an object is code, or a loop, or of another room than the batch: what it keeps inside is not counted.

    A connection keeps weak references to its last 200 cursors, ended ones among them.
    """
    room = type(value).__module__
    return is_strange(value) or (room.startswith("gmi_video.") and ".batch." not in room)


def is_strange(value: object) -> bool:
    """Whether an object is code, a loop, a thread or a connection."""
    strangers = type | types.ModuleType | asyncio.AbstractEventLoop | threading.Thread | sqlite3.Connection
    return isinstance(value, strangers)


def weight(*roots: object, without: Callable[[object], bool] = is_of_others) -> int:
    """Bytes of everything that these refer to; what is `without` counts without what is in it."""
    seen = {id(vars(module)) for module in list(sys.modules.values())} | {id(asyncio.current_task())}
    left = list(roots)
    total = 0
    while left:
        value = left.pop()
        if id(value) not in seen:
            seen.add(id(value))
            total += sys.getsizeof(value)
            left += () if without(value) else gc.get_referents(value)
    return total


@pytest.mark.parametrize(
    ("waves", "lines"),
    [pytest.param(8, 70, id="few"), pytest.param(100, 1000, id="all", marks=pytest.mark.soak)],
)
def test_nothing_is_kept_of_what_has_ended(waves: int, lines: int, tmp_path: Path) -> None:
    """Wave after wave a batch holds the same, at most 1 KiB for each request in flight, and nothing of ended ones."""
    numbers = itertools.count()
    flying, quiet = [], []

    def rivers(count: int) -> Iterator[VideoRequest]:
        for number in itertools.islice(numbers, count):
            yield VideoRequest("Veo3", {"prompt": f"river {number} " + "x" * 300}, key=number)

    async def produce(batch: Batch) -> None:
        for _ in range(waves):
            await asyncio.sleep(1)
            await batch.add(rivers(lines))
            await asyncio.sleep(30)
            flying.append(weight(batch))
            await asyncio.sleep(300)
            quiet.append(weight(batch))

    async def main() -> int:
        settings = Settings(api_key="k", check="off", pace=Pace(first=70, longest=70))
        async with (
            Session(settings, transport=Instant()) as session,
            Batch(session, journal=tmp_path / "run.db") as batch,
        ):
            await batch.add(rivers(1))
            producing = asyncio.create_task(produce(batch))
            count = 0
            async for _ in batch.run():
                count += 1
            await producing
        return count

    count = run(main())

    assert count == waves * lines + 1
    assert quiet[-1] - quiet[2] < 4 * (waves - 3) * lines
    assert max(flying) - quiet[2] < 1024 * lines


@pytest.mark.soak
@pytest.mark.parametrize("journaled", [True, False])
def test_the_session_below_keeps_nothing_of_what_has_ended_either(journaled: bool, tmp_path: Path) -> None:
    """Once an hour's requests are behind it, a hundred thousand of them weigh what ten thousand weighed.

    Whose a request is must be known for as long as a lost submission could be taken for it, and no longer.
    """
    lines, waves, warm = 1000, 100, 20
    numbers = itertools.count()
    weights: list[int] = []

    def rivers(count: int) -> Iterator[VideoRequest]:
        for number in itertools.islice(numbers, count):
            yield VideoRequest("Veo3", {"prompt": f"river {number}"}, key=number)

    async def produce(batch: Batch, session: Session) -> None:
        for _ in range(waves):
            await batch.add(rivers(lines))
            await asyncio.sleep(330)
            weights.append(weight(session, batch, without=is_strange))

    async def main() -> None:
        settings = Settings(api_key="k", check="off", pace=Pace(first=70, longest=70))
        journal = tmp_path / "run.db" if journaled else None
        async with (
            Session(settings, transport=Instant()) as session,
            Batch(session, journal=journal) as batch,
        ):
            await batch.add(rivers(1))
            producing = asyncio.create_task(produce(batch, session))
            async for _ in batch.run():
                pass
            await producing

    run(main())

    middle = (warm + waves) // 2
    assert max(weights[middle:]) - max(weights[warm:middle]) < 2 * (waves - middle) * lines
