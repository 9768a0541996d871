"""Links in the place of the files of a payload: each content is uploaded once per session, however often it is named."""

import asyncio
import base64
import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping
from copy import copy
from typing import Any

import anyio
from attrs import define

from gmi_video._contents import BLOCK, changed, of_local
from gmi_video._file_type import NAMED
from gmi_video._local import LocalFile
from gmi_video._offload import off_loop
from gmi_video._opening import OpenFile
from gmi_video._uploads import Uploads
from gmi_video.errors import GmiVideoError, Interrupted
from gmi_video.inputs import files_in
from gmi_video.settings import Settings

REMEMBERED = 10_000
"""Contents whose links are kept, those used last."""
SETTLED = 2.0
"""Seconds after which a file's time of writing tells it from what is written next: some disks keep whole seconds."""


@define(eq=False)
class _Flight:
    """One upload under way, and how many wait for it."""

    task: asyncio.Task[str]
    waiting: int = 0


class Supply:
    """What this session has uploaded for its payloads, by SHA-256 and type."""

    def __init__(self, uploads: Uploads) -> None:
        self.uploads = uploads
        self._links: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._digests: OrderedDict[tuple[int, ...], str] = OrderedDict()
        self._flights: dict[tuple[str, str], _Flight] = {}

    async def linked(self, payload: Any, settings: Settings) -> Any:
        """The payload with a link, or a `data:` URI, for each file in it.

        They are carried together; where one cannot be, the others are broken off and its error is raised.
        """
        files = {file for _, file in files_in(payload) if isinstance(file, LocalFile)}
        links: dict[LocalFile, str] = {}
        failed: list[GmiVideoError] = []

        async def carry(file: LocalFile) -> None:
            try:
                links[file] = await (_inline(file) if file.inline else self._link(file, settings))
            except GmiVideoError as error:
                failed.append(error)
                group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            for file in files:
                group.start_soon(carry, file)
        if failed:
            raise failed[0]
        return _put_in(payload, links)

    async def _link(self, file: LocalFile, settings: Settings) -> str:
        name = (await self._digest(file), file.type)
        if name in self._links:
            self._links.move_to_end(name)
            return self._links[name]
        flight = self._flights.get(name)
        if flight is None:
            upload = asyncio.get_running_loop().create_task(
                self._upload(name, file, settings), name="gmi_video upload"
            )
            flight = self._flights[name] = _Flight(upload)
            upload.add_done_callback(lambda done: self._ended(name, done))
        return await self._landed(flight)

    async def _landed(self, flight: _Flight) -> str:
        """The link that a flight brings; where nobody waits for it any more, it is broken off."""
        flight.waiting += 1
        try:
            await asyncio.wait((flight.task,))
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                flight.task.cancel()
        if flight.task.cancelled():
            message = "the session was closed before a file was uploaded; nothing was submitted"
            raise Interrupted(message)
        error = flight.task.exception()
        if error is None:
            return flight.task.result()
        raise copy(error) if isinstance(error, GmiVideoError) else error

    async def _upload(self, name: tuple[str, str], file: LocalFile, settings: Settings) -> str:
        link = await self.uploads.send(of_local(file), settings)
        self._links[name] = link
        while len(self._links) > REMEMBERED:
            self._links.popitem(last=False)
        return link

    def _ended(self, name: tuple[str, str], upload: asyncio.Task[str]) -> None:
        del self._flights[name]
        if not upload.cancelled():
            upload.exception()  # it is for those who wait, and no noise where nobody does

    async def _digest(self, file: LocalFile) -> str:
        """The SHA-256 of a file. It is remembered where the file's stamp is sure to tell a later content from this."""
        known = self._digests.get(file.stamp)
        if known is None:
            known = await off_loop(_sha256, file)
            if time.time() - file.stamp[-1] / 1e9 > SETTLED:
                self._digests[file.stamp] = known
            while len(self._digests) > REMEMBERED:
                self._digests.popitem(last=False)
        return known

    async def aclose(self) -> None:
        """Breaks off the uploads under way; what was uploaded stays known."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


def _put_in(value: Any, links: Mapping[LocalFile, str]) -> Any:
    if isinstance(value, LocalFile):
        return links[value]
    if isinstance(value, Mapping):
        return {name: _put_in(item, links) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_put_in(item, links) for item in value]
    return value


def _sha256(file: LocalFile) -> str:
    """The SHA-256 of a file as it was looked at; raises `TransferError` where it changed."""
    found, at = hashlib.sha256(), 0
    with OpenFile(file.path) as opened:
        while block := opened.read(at, BLOCK):
            found.update(block)
            at += len(block)
        _unchanged(file, opened)
    return found.hexdigest()


async def _inline(file: LocalFile) -> str:
    return await off_loop(_data_uri, file)


def _data_uri(file: LocalFile) -> str:
    with OpenFile(file.path) as opened:
        body = opened.read(0, file.size)
        _unchanged(file, opened)
    return f"data:{NAMED[file.type].content_type};base64,{base64.b64encode(body).decode()}"


def _unchanged(file: LocalFile, opened: OpenFile) -> None:
    if opened.stamp_now() != file.stamp:
        raise changed(of_local(file), "it was written to, or replaced")
