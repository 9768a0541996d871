"""One file on its way to disk: fetched, gone on with, proven, and put at its place."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

from attrs import frozen

from gmi_video._blocks import Blocks
from gmi_video._file_type import NAMED
from gmi_video._observe import logger, shielded
from gmi_video._offload import off_loop
from gmi_video._part import Part
from gmi_video._range import Edition, link_digest
from gmi_video._storage import ChangedError, Storage
from gmi_video._stream import MediaStream
from gmi_video.errors import IntegrityError, TransferError
from gmi_video.records import Media, Saved, quoted, without_query
from gmi_video.transfer import Transfer

TELL_EVERY = 0.1
"""Seconds between two words about progress; the first and the last are always said."""

Tell = Callable[[Transfer], object]


@frozen(kw_only=True)
class Wish:
    """What a file has to be: `stated` is its picture's size where somebody said it, `largest` the most bytes.

    `named` says that its name is of our making, so that its extension may become what its bytes are. `beside` is its
    place where the name is taken by then; `keep` says that what came is kept where it cannot be made whole now.
    """

    overwrite: bool = False
    named: bool = False
    beside: Path | None = None
    keep: bool = True
    stated: tuple[int, int] | None = None
    largest: int
    tell: Tell | None = None


class Carrying:
    """One download. It goes on where the last attempt broke off, where the host still has the same file."""

    def __init__(self, storage: Storage, part: Part, wish: Wish) -> None:
        self.part = part
        self._storage = storage
        self._wish = wish
        self._told = float("-inf")

    async def attempt(self, media: Media) -> None:
        """Brings what is missing; raises what `Storage.open` and a stream raise, `IntegrityError` for a wrong file."""
        part = self.part
        edition = part.held(without_query(media.url))
        if edition is None or edition.size != part.size:
            await self._fetch(media, edition)
        elif await self._is_there_still(media, edition):
            await off_loop(part.go_on)  # all of it came, and the end came before it was at its place
        else:
            await self._fetch(media, None)
        why = await off_loop(part.objection, media.kind, self._wish.stated)
        if why is not None:
            part.edition = None  # whatever is wrong with these bytes, nothing is to be built on them
            raise IntegrityError(f"what came of {quoted(media)} is not the file: {why}")

    async def _is_there_still(self, media: Media, edition: Edition) -> bool:
        """Whether what came by another link is what lies behind this one: its last byte is asked for."""
        if edition.link == link_digest(media.url):
            return True
        last = self.part.size - 1
        try:
            async with self._storage.open(media, start=last, stop=last + 1, edition=edition) as stream:
                return stream.start == last
        except ChangedError:
            return False

    async def _fetch(self, media: Media, edition: Edition | None) -> None:
        start = self.part.size if edition is not None else 0
        try:
            async with self._storage.open(media, start=start, edition=edition) as stream:
                await self._take(stream)
        except ChangedError:
            self.part.edition = None
            await self._fetch(media, None)

    async def finish(self, media: Media) -> Saved:
        """Puts the file at its place."""
        part, overwrite = self.part, self._wish.overwrite
        sha256: str | None = None
        extension = await off_loop(lambda: part.misnamed)
        if extension is not None and self._wish.named:
            sha256 = await off_loop(partial(part.fit, overwrite=overwrite))
        elif extension is not None:
            what = NAMED[extension].words
            logger.warning(
                "%r is saved under the name that was given for it, and it is %s", part.target.name, what
            )
        if sha256 is None:
            sha256 = await off_loop(partial(part.finish, overwrite=overwrite, beside=self._wish.beside))
        self._tell(media, part.size, part.size)
        return Saved(path=part.target, size=part.size, sha256=sha256, media=media)

    async def _take(self, stream: MediaStream) -> None:
        """A stream to disk. Nothing that is there is given up before the first bytes show that they are no page."""
        part, size, blocks = self.part, stream.size, Blocks(self.part, stream.length)
        came = await stream.readinto(blocks.room)
        if stream.start and stream.start == part.size:
            await off_loop(part.go_on)
        else:
            await off_loop(part.begin, stream.edition)
        if size is not None:
            self._allow(stream.media, size)
            await off_loop(part.ask_room, size - part.size)
        self._tell(stream.media, part.size, size)
        async with blocks:
            while came:
                self._allow(stream.media, stream.position)
                await blocks.took(came)
                self._tell(stream.media, stream.position, size, seldom=True)
                came = await stream.readinto(blocks.room)

    def _allow(self, media: Media, size: int) -> None:
        if size > self._wish.largest:
            self.part.edition = None
            message = f"{quoted(media)} has more than {self._wish.largest:,} bytes, the most that Limits.file_size allows"
            raise TransferError(message)

    def _tell(self, media: Media, done: int, total: int | None, *, seldom: bool = False) -> None:
        if self._wish.tell is None:
            return
        now = asyncio.get_running_loop().time()
        if not seldom or now - self._told >= TELL_EVERY:
            self._told = now
            name = self.part.target.name
            shielded(self._wish.tell, Transfer(name=name, done=done, total=total, media=media))
