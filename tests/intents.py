"""Lost submissions and the records that they may be, by short names; and stores that misbehave."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import evolve

from gmi_video import Intent, MemoryStore, Snapshot, State, Status
from gmi_video._likeness import digest

BEGIN = 1_700_000_000.0
"""The Unix time to which `at`, `sent` and `failed` are added here."""


def intent(
    name: str,
    payload: Mapping[str, Any] | None = None,
    *,
    sent: float | None = 100.0,
    failed: float | None = 101.0,
    model: str = "Veo3",
    **more: Any,
) -> Intent:
    """A submission that was sent and lost at these seconds; its prompt is its name unless a payload is given."""
    payload = {"prompt": name} if payload is None else payload
    more.setdefault("state", State.AMBIGUOUS)
    return Intent(
        id=name,
        model=model,
        payload=payload,
        digest=digest(payload),
        sent_at=None if sent is None else BEGIN + sent,
        failed_at=None if failed is None else BEGIN + failed,
        **more,
    )


def record(
    name: str,
    payload: Mapping[str, Any] | None = None,
    *,
    at: float | None = 100.0,
    status: str = "queued",
    model: str = "Veo3",
) -> Snapshot:
    """A record of the list that was created at this second; without a payload it echoes nothing."""
    created = None if at is None else datetime.fromtimestamp(BEGIN + at, UTC)
    return Snapshot(
        request_id=name, model=model, status=Status(status), created_at=created, payload=payload or {}
    )


class Ledger(MemoryStore):
    """A store that remembers all it was told, and may be shared by several sessions."""

    def __init__(self, *, shared: bool = False) -> None:
        super().__init__()
        self.shared = shared
        self.puts: list[tuple[Intent, bytes]] = []
        self.latest: dict[str, Intent] = {}

    @property
    def states(self) -> list[str]:
        """The states that were put, in order."""
        return [put.state.value for put, _ in self.puts]

    async def put(self, intent: Intent, reply: bytes = b"") -> None:
        """Remembers, after a turn of the loop, as a real database would."""
        await asyncio.sleep(0)
        self.puts.append((intent, reply))
        self.latest[intent.id] = intent
        await super().put(intent, reply)

    async def claim(self, request_id: str, intent_id: str) -> bool:
        """As every store, after a turn of the loop."""
        await asyncio.sleep(0)
        return await super().claim(request_id, intent_id)


class Failing(Ledger):
    """A store whose verbs fail: those named, or `put` of the states named."""

    def __init__(self, *failing: str) -> None:
        super().__init__()
        self.failing = set(failing)

    def _check(self, name: str) -> None:
        if name in self.failing:
            message = f"the disk is full, said {name}"
            raise OSError(message)

    async def put(self, intent: Intent, reply: bytes = b"") -> None:
        self._check(intent.state.value)
        await super().put(intent, reply)

    async def claim(self, request_id: str, intent_id: str) -> bool:
        self._check("claim")
        return await super().claim(request_id, intent_id)

    async def claims(self, request_ids: Collection[str]) -> Mapping[str, str]:
        self._check("claims")
        return await super().claims(request_ids)

    async def undecided(self) -> tuple[Intent, ...]:
        self._check("undecided")
        return await super().undecided()


class Blocking(Ledger):
    """A store that never comes back from keeping one state, until `go` is set."""

    def __init__(self, state: str) -> None:
        super().__init__()
        self.state = state
        self.go = asyncio.Event()
        self.reached = asyncio.Event()

    async def put(self, intent: Intent, reply: bytes = b"") -> None:
        if intent.state.value == self.state:
            self.reached.set()
            await self.go.wait()
        await super().put(intent, reply)


def revived(store: Ledger, state: State) -> Intent:
    """The newest intent that was put in a state, as a process that was killed then left it."""
    return [put for put, _ in store.puts if put.state is state][-1]


def aged(intent: Intent, seconds: float) -> Intent:
    """The same intent, sent and lost so many seconds earlier."""
    sent, failed = intent.sent_at, intent.failed_at
    return evolve(
        intent,
        sent_at=None if sent is None else sent - seconds,
        failed_at=None if failed is None else failed - seconds,
    )
