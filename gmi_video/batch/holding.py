"""Opens a batch's journal; a batch of this process that was left lets go of it."""

import asyncio
import os
import weakref
from typing import Protocol

from gmi_video.batch.errors import JournalFailed, JournalLocked
from gmi_video.batch.journal import Journal
from gmi_video.batch.owner import real


class Holder(Protocol):
    """What holds a journal open."""

    @property
    def runs(self) -> bool:
        """Whether it needs it at this moment."""
        ...

    async def aclose(self) -> None:
        """Lets go of it."""
        ...


_holders: "weakref.WeakValueDictionary[str, Holder]" = weakref.WeakValueDictionary()


async def hold(journal: Journal, holder: Holder, *, again: bool) -> None:
    """Opens it, off the loop; `again` where this holder had it open before, so that it must be there.

    Raises `JournalLocked`, `JournalFailed` for one that is gone, and what opening raises.
    """
    path = None if journal.path is None else str(real(journal.path))
    loop = asyncio.get_running_loop()
    if again and path is not None and not await loop.run_in_executor(None, os.path.lexists, path):
        message = f"the journal {str(journal.path)!r} was removed or moved while it was in use"
        raise JournalFailed(message, path=str(journal.path))
    try:
        await loop.run_in_executor(None, journal.open)
    except JournalLocked as error:
        other = _holders.get(path or "")
        if error.pid != os.getpid() or other is None or other is holder or other.runs:
            raise
        await other.aclose()  # its run is over
        await loop.run_in_executor(None, journal.open)
    if path is not None:
        _holders[path] = holder
