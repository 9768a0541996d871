"""The third stage: what was made is brought to its place. A full disk parks files, and nothing before them.

What was paid for is never given up: where a link leads nowhere today, the next run tries again. A file's name is in the
journal before its first byte, chosen so that nothing was there, and goes from it where nothing was written; a file that is
there all the same, after a crash, is held against what the storage tells of the line's own.
"""

import asyncio
import errno
import json
import os
from functools import partial
from typing import Any

from attrs import evolve

from gmi_video.batch import names, steps
from gmi_video.batch.errors import JournalError
from gmi_video.batch.places import NameTaken, Place
from gmi_video.batch.records import Stored
from gmi_video.batch.work import Line, Work
from gmi_video.errors import (
    ConfigurationError,
    GmiVideoError,
    LinkExpired,
    TargetUnusable,
)
from gmi_video.records import Saved, Snapshot

ROOM_AGAIN = 60.0
"""Seconds after which a disk that was full is tried with one file."""

_FULL = frozenset({os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT)})


class Saving:
    """Brings files to their place, a few at a time."""

    def __init__(self, work: Work, most: int) -> None:
        self._work = work
        self._most = asyncio.Semaphore(most)
        self._full_until = 0.0

    async def save(self, line: Line, snapshot: Snapshot) -> None:
        """Saves a line's media, and ends it; what cannot be saved now is set aside, links and all."""
        place = self._work.options.place
        if place is None:
            await self._done(line, snapshot, (), ())
            return
        async with self._most:
            loop = asyncio.get_running_loop()
            if loop.time() < self._full_until:
                await self._park(line, TargetUnusable(f"{place.words} had no room a moment ago"))
                return
            begun = loop.time()
            try:
                stored, files = await self._saved(place, line, snapshot)
            except (Exception, asyncio.CancelledError) as error:  # the border to the caller's sink
                task = asyncio.current_task()
                if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                    raise
                await self._not_now(line, error)
                return
            line.downloading = loop.time() - begun
        await self._done(line, snapshot, stored, files)

    async def _saved(
        self, place: Place, line: Line, snapshot: Snapshot
    ) -> tuple[tuple[Stored, ...], tuple[Saved, ...]]:
        name = line.target or await self._named(place, line, snapshot)
        try:
            return await self._fetched(place, snapshot, name)
        except NameTaken:  # meanwhile, by somebody else: another name is better than an error
            name = await self._named(place, line, snapshot, taken=name)
            return await self._fetched(place, snapshot, name)

    async def _fetched(
        self, place: Place, snapshot: Snapshot, name: str
    ) -> tuple[tuple[Stored, ...], tuple[Saved, ...]]:
        session = self._work.session
        try:
            return await place.save(session, snapshot, name)
        except LinkExpired:
            fresh = await session.snapshot(snapshot.request_id)
            if fresh.outcome is None or fresh.outcome.media == (snapshot.outcome and snapshot.outcome.media):
                raise
            return await place.save(session, evolve(fresh, model=snapshot.model), name)

    async def _named(self, place: Place, line: Line, snapshot: Snapshot, *, taken: str = "") -> str:
        """A free name, kept in the journal before anything is written under it; `taken` is a stranger's."""
        assert snapshot.outcome is not None
        request = await self._work.request_of(line)
        told: dict[str, Any] = {
            **request.payload,
            "model": line.model,
            "number": line.number,
            "request_id": snapshot.request_id,
            "key": line.number if request.key is None else str(request.key),
        }
        stem = names.file_stem(self._work.options.name, told, snapshot.request_id)
        stem, extension = names.split(stem, snapshot.outcome.media[0])
        own = f"{stem}-{snapshot.request_id}{extension}"
        saved = taken != own and not await place.free(
            own
        )  # without a word in the journal, which had no room for one
        for name in (own,) if saved else (f"{stem}{extension}", own):
            if (saved or await place.free(name)) and (aimed := await self._aimed(line, name, own)):
                line.target = aimed
                return aimed
        message = f"cannot write {stem + extension!r}: files of that name are there already"
        raise TargetUnusable(message)

    async def _aimed(self, line: Line, name: str, own: str) -> str | None:
        """The name that a line has from now on; None where another line has it.

        Where the journal cannot keep it, that is one which a later run knows for this request's again.
        """
        try:
            taken = await self._work.journal.do(partial(steps.aim, number=line.number, target=name))
        except JournalError as error:
            self._work.stop(error)
            return own
        return name if taken else None

    async def _done(
        self, line: Line, snapshot: Snapshot, stored: tuple[Stored, ...], files: tuple[Saved, ...]
    ) -> None:
        kept = json.dumps([file.as_dict() for file in stored])
        told = {"files": kept, "downloading": line.downloading, "kind": None, "reason": ""}
        await self._work.end(line, "done", told, snapshot=snapshot, stored=stored, files=files)

    async def _not_now(self, line: Line, error: BaseException) -> None:
        if is_full(error):
            self._full_until = asyncio.get_running_loop().time() + ROOM_AGAIN
        if isinstance(error, ConfigurationError):
            self._work.stop(error)
        place = self._work.options.place
        if line.target and place is not None and await place.free(line.target):
            line.target = (
                ""  # nothing of ours is there: what the next run finds under that name is a stranger's
            )
        await self._park(line, _as_ours(error), target=line.target)

    async def _park(self, line: Line, error: GmiVideoError, **told: str) -> None:
        """The line waits for another run: it is made, its links are kept, and fetching it costs nothing."""
        await self._work.move(line, "parked", reason=str(error), error=steps.error_text(error), **told)
        self._work.let_go(line)


def is_full(error: BaseException) -> bool:
    """Whether the disk takes no more, as the system says it."""
    if isinstance(error, TargetUnusable):
        return any(words in str(error) for words in _FULL)
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}


def _as_ours(error: BaseException) -> GmiVideoError:
    if isinstance(error, GmiVideoError):
        return error
    if isinstance(error, OSError):
        return TargetUnusable(f"the file cannot be kept: {error.strerror or type(error).__name__}")
    return TargetUnusable(f"the sink failed ({type(error).__name__})")
