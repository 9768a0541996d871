"""Local files of payloads: public before their request is sent, once each, remembered by content in the journal."""

import asyncio
from functools import partial
from pathlib import Path

from attrs import evolve

from gmi_video.batch import facts
from gmi_video.batch.journal import Journal
from gmi_video.batch.lines import linked, local_files
from gmi_video.batch.places import digest
from gmi_video.errors import ConfigurationError, PayloadInvalid
from gmi_video.records import VideoRequest
from gmi_video.session import Session


class Uploads:
    """The uploads of one run."""

    def __init__(self, session: Session, journal: Journal) -> None:
        self._session = session
        self._journal = journal
        self._locks: dict[str, asyncio.Lock] = {}

    async def whole(self, kept: VideoRequest, held: VideoRequest | None) -> VideoRequest:
        """A request as it is sent: the caller's own without local files, else with their links or themselves."""
        files, inline = local_files(kept.payload), local_files(kept.payload, inline=True)
        if not files and not inline:
            return held or kept
        for path, sha256 in sorted(inline):
            await _unchanged(Path(path), sha256)
        links = {sha256: await self._link(path, sha256) for path, sha256 in sorted(files)}
        return evolve(kept, payload=linked(kept.payload, links))

    async def _link(self, path: str, sha256: str) -> str:
        """The public link of a local file, which is uploaded once however many lines use it."""
        async with self._locks.setdefault(sha256, asyncio.Lock()):
            known = await self._journal.do(partial(facts.upload_of, sha256=sha256))
            if known is not None:
                return known
            link = await self._sent(Path(path), sha256)
            await self._journal.do(partial(facts.uploaded, sha256=sha256, url=link))
            return link

    async def _sent(self, path: Path, sha256: str) -> str:
        """Uploads a file as it was when its line was added; raises `PayloadInvalid`."""
        await _unchanged(path, sha256)
        try:
            return await self._session.upload(path)
        except ConfigurationError as error:  # what is wrong with one file is one line's affair
            sentence = str(error)
        raise PayloadInvalid(sentence)


async def _unchanged(path: Path, sha256: str) -> None:
    """Raises `PayloadInvalid` where a file is not the one that its line was added with."""
    try:
        _, now = await asyncio.get_running_loop().run_in_executor(None, digest, path)
    except OSError as error:
        message = f"{str(path)!r} cannot be read any more: {error.strerror}; nothing was sent"
        raise PayloadInvalid(message) from None
    if now != sha256:
        message = f"{str(path)!r} has changed since its line was added: add the line again; nothing was sent"
        raise PayloadInvalid(message)
