"""One look at a request through a door: a call, and at some doors a second one for what it left behind."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from gmi_video._door import Door
from gmi_video.records import Snapshot
from gmi_video.wire import Call, Reply


class Ask(Protocol):
    """Makes a call, and gives what `read` makes of its reply."""

    def __call__(self, call: Call, read: Callable[[Call, Reply], Snapshot]) -> Awaitable[Snapshot]:
        """Raises what the call and the reader raise."""
        ...


async def look(door: Door, request_id: str, ask: Ask) -> Snapshot:
    """What the queue says of a request, its result included; raises what `ask` raises."""
    return await whole(door, await ask(door.snapshot_call(request_id), door.read_snapshot), ask)


async def whole(door: Door, snapshot: Snapshot, ask: Ask) -> Snapshot:
    """A snapshot with its result, where a door tells that elsewhere; raises what `ask` raises."""
    call = door.result_call(snapshot)
    return snapshot if call is None else await ask(call, partial(door.read_result, snapshot))
