"""What the tests of the drivers begin with: requests, snapshots, sessions over a sandbox, and what is left over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from attrs import evolve

from gmi_video import Media, Outcome, Session, Snapshot, Status, VideoRequest
from gmi_video._watch import Watch
from gmi_video.events import Event
from gmi_video.sandbox import Behaviour, Sandbox, Script
from gmi_video.settings import Settings

EAGLE = VideoRequest("Veo3", {"prompt": "a majestic eagle"}, key="eagle")
SECONDS = Behaviour(seconds=60, queued=5)
"""A life that does not depend on a seed: five seconds in the queue, done after a minute."""


def seen(request_id: str = "a", word: str = "processing", at: int = 0, *, links: bool = True) -> Snapshot:
    """A snapshot that moved last at `at`; a success has its link unless told otherwise."""
    try:
        status = Status(word)
    except ValueError:
        status = Status.UNKNOWN
    media = (Media("https://storage.example/a.mp4"),) if status is Status.SUCCESS and links else ()
    moved = datetime.fromtimestamp(1_700_000_000 + at, UTC)
    outcome = Outcome(media=media) if media else None
    return Snapshot(
        request_id=request_id, model="Veo3", status=status, word=word, updated_at=moved, outcome=outcome
    )


@asynccontextmanager
async def stage(
    script: Script | None = None, *, observers: Any = (), seed: int = 0, **changes: Any
) -> AsyncIterator[tuple[Sandbox, Session]]:
    """A sandbox and a session on it, some of whose settings are changed."""
    async with Sandbox(script or Script(models={"*": SECONDS}), seed=seed, render=False) as sandbox:
        settings = evolve(sandbox.settings, **changes)
        async with Session(settings, rng=Random(0), observers=observers) as session:
            yield sandbox, session


def ours() -> list[str]:
    """The names of this package's tasks that are running now."""
    named = (task.get_name() for task in asyncio.all_tasks())
    return sorted(name for name in named if name.startswith("gmi_video"))


async def turns(count: int = 12) -> None:
    """Lets the loop turn a few times, without time passing."""
    for _ in range(count):
        await asyncio.sleep(0)


async def told(watch: Watch) -> list[Event]:
    """Every event of a watch, to its end."""
    return [event async for event in watch]


def words(events: list[Event]) -> list[str]:
    """What events are, in short."""
    return [type(event).__name__ for event in events]


def left_in(folder: Path) -> list[str]:
    """The names of all files below a folder, hidden ones included."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def settings_for(url: str, **changes: Any) -> Settings:
    """Settings for a peer that listens at `url`, and knows of no catalog."""
    return Settings(**{"api_key": "a-key", "base_url": url, "check": "off", **changes})
