"""Processes that can be killed while their store lives on, and the callers in them."""

import asyncio
from collections.abc import Collection, Coroutine, Mapping
from typing import Any

from attrs import define, field
from intents import Ledger

from gmi_video import Intent, Snapshot


class Process(Ledger):
    """One process's way to a store that outlives it: once killed, nothing of it reaches the store any more."""

    def __init__(self, kept: Ledger) -> None:
        super().__init__()
        self.kept = kept
        self.killed = False

    async def _live(self) -> None:
        if self.killed:
            await asyncio.Event().wait()

    async def put(self, intent: Intent, reply: bytes = b"") -> None:
        await self._live()
        await self.kept.put(intent, reply)

    async def claim(self, request_id: str, intent_id: str) -> bool:
        await self._live()
        return await self.kept.claim(request_id, intent_id)

    async def claims(self, request_ids: Collection[str]) -> Mapping[str, str]:
        await self._live()
        return await self.kept.claims(request_ids)

    async def undecided(self) -> tuple[Intent, ...]:
        await self._live()
        return await self.kept.undecided()


@define(eq=False)
class Wanted:
    """One call of `submit`: what it asked for and how it ended, if anybody waited for that."""

    number: int
    payload: dict[str, Any]
    task: "asyncio.Task[Snapshot]"
    ends: list[object] = field(factory=list)


def waited(work: Coroutine[Any, Any, Snapshot]) -> "asyncio.Task[Snapshot]":
    """A caller, whose error is heard although the caller may be killed before that."""
    task = asyncio.create_task(work, name="caller")
    task.add_done_callback(lambda done: None if done.cancelled() else done.exception())
    return task
