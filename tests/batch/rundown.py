"""What the tests of a batch begin with: prompts, a sandbox with a session, and a run read to its end."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from gmi_video import Session, VideoRequest
from gmi_video.batch import Batch, BatchStatistics, Finished, Journal, Row
from gmi_video.sandbox import Behaviour, Sandbox, Script
from gmi_video.testing import run

MINUTE = Behaviour(seconds=60, queued=10)
"""A life that does not depend on a seed: ten seconds in the queue, done after a minute."""
WELL = Script(models={"*": MINUTE})


def rivers(count: int, model: str = "Veo3", first: int = 0) -> list[VideoRequest]:
    """Requests with a key and a prompt of their own."""
    return [
        VideoRequest(model, {"prompt": f"river {number}"}, key=f"{model}-{number}")
        for number in range(first, first + count)
    ]


@frozen(kw_only=True)
class Told:
    """A run read to its end: what it handed out, what it raised, and what it came to."""

    ends: list[Finished]
    error: Exception | None
    statistics: BatchStatistics

    @property
    def states(self) -> Counter[str]:
        """How many ended how."""
        return Counter(done.state for done in self.ends)

    @property
    def errors(self) -> Counter[str]:
        """How many ended by which error."""
        return Counter(type(done.error).__name__ for done in self.ends if done.error is not None)


async def told(batch: Batch) -> Told:
    """Reads a run to its end."""
    ends: list[Finished] = []
    error = None
    try:
        async for done in batch.run():
            ends.append(done)
    except Exception as raised:  # noqa: BLE001  # whatever it is, the test looks at it
        error = raised
    return Told(ends=ends, error=error, statistics=batch.statistics())


@asynccontextmanager
async def stage(script: Script = WELL, **settings: Any) -> AsyncIterator[tuple[Sandbox, Session]]:
    """A sandbox, and a session over it."""
    async with (
        Sandbox(script, render=False) as sandbox,
        Session(evolve(sandbox.settings, **settings)) as session,
    ):
        yield sandbox, session


def played(
    requests: Iterable[VideoRequest],
    script: Script = WELL,
    *,
    settings: dict[str, Any] | None = None,
    then: Callable[[Sandbox], None] = lambda _: None,
    **options: Any,
) -> tuple[Told, Counter[str]]:
    """One batch from its beginning to its end in virtual time, and how often each prompt was charged."""

    async def main() -> tuple[Told, Counter[str]]:
        async with (
            stage(script, **(settings or {})) as (sandbox, session),
            Batch(session, **options) as batch,
        ):
            await batch.add(requests)
            end = await told(batch)
            then(sandbox)
            return end, charged(sandbox)

    return run(main())


def charged(sandbox: Sandbox) -> Counter[str]:
    """How often each prompt was charged."""
    return Counter(str(charge.payload["prompt"]) for charge in sandbox.charges)


def rows_of(path: Path) -> list[Row]:
    """All lines of a journal."""
    with Journal(path, readonly=True) as journal:
        return list(journal.rows())
