"""A batch of any length needs the memory of what is in flight."""

import asyncio
import gc
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from gmi_video import Session, Settings, VideoRequest
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


def held_by_the_batch() -> int:
    """Bytes that were asked for in the batch's own rooms."""
    gc.collect()
    found = tracemalloc.take_snapshot().filter_traces((tracemalloc.Filter(True, "*/gmi_video/batch/*"),))
    return sum(item.size for item in found.statistics("filename"))


@pytest.mark.parametrize(
    "lines", [pytest.param(400, id="few"), pytest.param(100_000, id="all", marks=pytest.mark.soak)]
)
def test_nothing_is_kept_of_what_has_ended(lines: int, tmp_path: Path) -> None:
    """From its first tenth to its last a batch holds the same, whatever its length; requests are read as needed."""
    requests = (
        VideoRequest("Veo3", {"prompt": f"river {number} " + "x" * 300}, key=number)
        for number in range(lines)
    )

    async def main() -> tuple[int, list[int]]:
        settings = Settings(api_key="k", check="off")
        count, held = 0, []
        async with (
            Session(settings, transport=Instant()) as session,
            Batch(session, journal=tmp_path / "run.db", max_in_flight=50) as batch,
        ):
            await batch.add(requests)
            async for _ in batch.run():
                count += 1
                if count in {lines // 5, lines * 9 // 10}:
                    held.append(held_by_the_batch())
        return count, held

    tracemalloc.start()
    try:
        count, (early, late) = run(main())
    finally:
        tracemalloc.stop()

    assert count == lines
    assert late - early < 32 * 1024
