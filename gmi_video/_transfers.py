"""The verbs that carry files."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from gmi_video import errors
from gmi_video._carrying import Wish
from gmi_video._link import NOWHERE, YOUNG, Origin
from gmi_video._outcome import stated_size
from gmi_video._saving import Place, Target
from gmi_video._stream import MediaStream
from gmi_video._view import View
from gmi_video.records import Media, Outcome, Saved, Snapshot, first_media
from gmi_video.transfer import Transfer

Saving = Callable[[Snapshot], Awaitable[tuple[Saved, ...]]]
"""Saves what was asked for of a request that is done."""


class FileVerbs(View):
    """`download` and `stream`."""

    @asynccontextmanager
    async def stream(
        self, what: object, *, start: int = 0, stop: int | None = None
    ) -> AsyncIterator[MediaStream]:
        """The bytes of the first media of `what`, without a disk: for an HTTP response, or an object store.

            async with session.stream(video) as stream:
                async for piece in stream: ...

        Args:
            what: media, or anything that stands for one: an outcome, a snapshot, an event, a video.
            start: the first byte that is wanted.
            stop: the byte before which it ends; the file's end where it is None.

        The storage host sends no CORS headers, so browsers cannot ask it themselves. Nothing is tried again once
        bytes came: a short body, a broken connection and a stall (less than 1 KiB a second for 30 s, the reader's
        own time not counted) raise `Incomplete`; the stream's `position` says where to go on. `Limits.downloads`
        does not count streams, which go as fast as their readers.

        Raises `TransferError` leaves, `TransportError`, and `GenerationEmpty` where there is no media.
        """
        if not _is_span(start, stop):
            message = f"stream(start={start!r}, stop={stop!r}): whole numbers are wanted, 0 <= start < stop"
            raise errors.ConfigurationError(message)
        media, snapshot = _named(what)
        state = await self._core.open()
        origin = self._origin(snapshot, media)
        downloads, patience = state.downloads, self._settings.patience
        async with downloads.stream(
            media, start=start, stop=stop, patience=patience, origin=origin
        ) as stream:
            yield stream

    async def download(
        self,
        what: object,
        *,
        to: str | os.PathLike[str] | None = None,
        into: str | os.PathLike[str] | None = None,
        progress: Callable[[Transfer], object] | None = None,
        overwrite: bool = False,
        keep: bool = True,
    ) -> Saved:
        """The first media of `what` as a file: whole at its place, or not there at all.

        Args:
            what: media, or anything that stands for one: an outcome, a snapshot, an event, a video.
            to: the file; `into`: the folder (the current one where neither is given).
            into: see above; the name is made from the request's id, or from a digest of the link, with the extension
                of what the bytes are. A name given by `to` is kept, and a warning logged where it says otherwise.
            progress: is called with a `Transfer` now and then; what it raises is logged.
            overwrite: replace a file that is there, at the very end and atomically.
            keep: what came is kept, hidden beside the file, where this is cancelled or fails; else it is removed.

        A broken transfer goes on where it was, in this process and in a later one, as long as the host has the same
        file. What arrived is held against its length, its checksum and its own container before it is at its place.

        Raises `TransferError` leaves, `TransportError`, and `GenerationEmpty` where there is no media.
        """
        media, snapshot = _named(what)
        place = await Place.checked(
            to, into if to is not None or into is not None else ".", overwrite=overwrite
        )
        request_id = snapshot.request_id if snapshot is not None else None
        try:
            return await place.save_one(media, request_id, partial(self._save, snapshot, progress, keep=keep))
        except errors.GmiVideoError as error:
            error.request_id = error.request_id or request_id
            raise

    def _saving(self, place: Place, progress: Callable[[Transfer], object] | None) -> Saving:
        return lambda snapshot: place.save(snapshot, partial(self._save, snapshot, progress))

    async def _save(
        self,
        snapshot: Snapshot | None,
        progress: Callable[[Transfer], object] | None,
        media: Media,
        target: Target,
        *,
        keep: bool = True,
    ) -> Saved:
        state = await self._core.open()
        wish = Wish(
            overwrite=target.overwrite,
            named=target.named,
            beside=target.beside,
            keep=keep,
            stated=stated_size(snapshot.outcome if snapshot is not None else None, media),
            largest=self._settings.limits.file_size,
            tell=progress,
        )
        origin, patience = self._origin(snapshot, media), self._settings.patience
        return await state.downloads.save(media, target.path, wish=wish, patience=patience, origin=origin)

    def _origin(self, snapshot: Snapshot | None, media: Media) -> Origin:
        """Whom to ask about a link that is dead."""
        if snapshot is None:
            return NOWHERE
        ended, when = snapshot.updated_at, self._core.when
        return Origin(
            request_id=snapshot.request_id,
            again=partial(self._once_more, snapshot, media),
            young_until=when(ended.timestamp()) + YOUNG if ended is not None else 0.0,
        )

    async def _once_more(self, snapshot: Snapshot, media: Media) -> Media | None:
        """The link that the record has now for this media: the one in its place."""
        fresh = await self._core.confirm(snapshot.request_id, self._settings)
        before = snapshot.outcome.media if snapshot.outcome is not None else ()
        after = fresh.outcome.media if fresh.outcome is not None else ()
        place = before.index(media) if media in before else 0
        return after[place] if place < len(after) else None


def _is_span(start: object, stop: object) -> bool:
    """Whether these are two places of a file in their order; a query's own text or a fraction is none."""
    if type(start) is not int or start < 0:
        return False
    return stop is None or (type(stop) is int and stop > start)


def _named(what: object) -> tuple[Media, Snapshot | None]:
    """The media that is meant, and the record that it is of, where there is one."""
    media = first_media(what)
    if media is None and not (isinstance(what, Outcome | Snapshot) or hasattr(what, "snapshot")):
        message = f"{type(what).__name__} stands for no file: media, an outcome, a snapshot, an event or a video does"
        raise errors.ConfigurationError(message)
    if media is None:
        message = f"{type(what).__name__} names no file to download"
        raise errors.GenerationEmpty(message, charged="no")
    snapshot = what if isinstance(what, Snapshot) else getattr(what, "snapshot", None)
    return media, snapshot if isinstance(snapshot, Snapshot) else None
