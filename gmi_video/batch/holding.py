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
    def in_use(self) -> bool:
        """Whether it needs it at this moment."""
        ...

    async def aclose(self) -> None:
        """Lets go of it."""
        ...


_holders: "weakref.WeakValueDictionary[str, Holder]" = weakref.WeakValueDictionary()


def claim(journal: Journal, holder: Holder) -> None:
    """Makes an open one this holder's; raises `JournalLocked` where another uses it at this moment."""
    name = _name(journal)
    other = _holders.get(name)
    if other is not None and other is not holder and other.in_use:
        message = (
            f"{str(journal.path)!r} is in use by another batch of this process; one journal has one at a time"
        )
        raise JournalLocked(message, pid=os.getpid(), path=str(journal.path))
    _holders[name] = holder


def _name(journal: Journal) -> str:
    return f"in memory, {id(journal)}" if journal.path is None else str(real(journal.path))


async def hold(journal: Journal, holder: Holder, *, again: bool) -> None:
    """Opens it, off the loop; `again` where this holder had it open before, so that it must be there.

    Raises `JournalLocked`, `JournalFailed` for one that is gone, and what opening raises.
    """
    name, loop = _name(journal), asyncio.get_running_loop()
    if again and journal.path is not None and not await loop.run_in_executor(None, os.path.lexists, name):
        message = f"the journal {str(journal.path)!r} was removed or moved while it was in use"
        raise JournalFailed(message, path=str(journal.path))
    try:
        await loop.run_in_executor(None, journal.open)
    except JournalLocked as error:
        other = _holders.get(name)
        if error.pid != os.getpid() or other is None or other is holder or other.in_use:
            raise
        await other.aclose()  # its run is over
        await loop.run_in_executor(None, journal.open)
    claim(journal, holder)
