"""Links in the place of the files of a payload: each content is uploaded once per session, however often it is named."""

import asyncio
import base64
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping
from copy import copy
from pathlib import Path
from typing import Any, Generic, TypeVar

import anyio
from attrs import define

from gmi_video._contents import BLOCK, changed, of_local
from gmi_video._file_type import NAMED
from gmi_video._local import LocalFile
from gmi_video._offload import GivenUp, breakable, off_loop
from gmi_video._opening import OpenFile
from gmi_video._uploads import Uploads
from gmi_video.errors import ConfigurationError, GmiVideoError, Interrupted, TransferError
from gmi_video.inputs import files_in
from gmi_video.settings import Settings

REMEMBERED = 10_000
"""Contents whose links are kept, those used last."""
SETTLED = 2.0
"""Seconds after which a file's time of writing tells it from what is written next: some disks keep whole seconds."""


K = TypeVar("K")


@define(eq=False)
class _Flight:
    """Something under way for a file, and how many wait for it."""

    file: LocalFile
    task: asyncio.Task[str]
    waiting: int = 0


class _Flights(Generic[K]):
    """What is under way, once for all who ask for the same; where nobody waits for it any more, it is broken off."""

    def __init__(self) -> None:
        self._flights: dict[K, _Flight] = {}
        self._tasks: set[asyncio.Task[str]] = set()

    def of(self, name: K, file: LocalFile, begin: Callable[[], Coroutine[Any, Any, str]]) -> _Flight:
        """The one of that name, which is begun where there is none."""
        flight = self._flights.get(name)
        if flight is None:
            task = asyncio.get_running_loop().create_task(begin(), name="gmi_video upload")
            flight = self._flights[name] = _Flight(file, task)
            self._tasks.add(task)
            task.add_done_callback(lambda _: self._over(name, flight))
        return flight

    async def landed(self, name: K, flight: _Flight) -> str:
        """What a flight brings; raises what it raised."""
        flight.waiting += 1
        try:
            await asyncio.wait((flight.task,))
        finally:
            flight.waiting -= 1
            if not flight.waiting:
                flight.task.cancel()
                self._forget(name, flight)  # whoever comes now begins anew
        if flight.task.cancelled():
            message = "the session was closed before a file was uploaded; nothing was submitted"
            raise Interrupted(message)
        error = flight.task.exception()
        if error is None:
            return flight.task.result()
        raise copy(error) if isinstance(error, GmiVideoError) else error

    def _forget(self, name: K, flight: _Flight) -> None:
        if self._flights.get(name) is flight:
            del self._flights[name]

    def _over(self, name: K, flight: _Flight) -> None:
        self._forget(name, flight)
        self._tasks.discard(flight.task)
        if not flight.task.cancelled():
            flight.task.exception()  # it is for those who wait, and no noise where nobody does

    async def aclose(self) -> None:
        """Breaks them all off."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


class Supply:
    """What this session has uploaded for its payloads, by SHA-256 and type. `wall` tells the time of its disks."""

    def __init__(self, uploads: Uploads, *, wall: Callable[[], float] = time.time) -> None:
        self.uploads = uploads
        self._wall = wall
        self._links: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._digests: OrderedDict[tuple[int, ...], str] = OrderedDict()
        self._uploading: _Flights[tuple[str, str]] = _Flights()
        self._reading: _Flights[tuple[Path, tuple[int, ...]]] = _Flights()

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
        while name not in self._links:
            flight = self._uploading.of(name, file, lambda: self._upload(name, file, settings))
            try:
                return await self._uploading.landed(name, flight)
            except (ConfigurationError, TransferError) as error:
                if flight.file == file or error.retryable:
                    raise
                stamp = await off_loop(_stamp_of, flight.file)
                if stamp is not None and OpenFile.same(stamp, flight.file.stamp):
                    raise  # else it was that other file's own affair
        self._links.move_to_end(name)
        return self._links[name]

    async def _upload(self, name: tuple[str, str], file: LocalFile, settings: Settings) -> str:
        link = await self.uploads.send(of_local(file), settings)
        touched = await off_loop(_stamp_of, file) not in {None, file.stamp}
        if touched and await breakable(_sha256, file) != name[0]:
            raise changed(of_local(file), "it was written to, and its time was set back")
        self._links[name] = link
        while len(self._links) > REMEMBERED:
            self._links.popitem(last=False)
        return link

    async def _digest(self, file: LocalFile) -> str:
        """The SHA-256 of a file. It is remembered where the file's stamp is sure to tell a later content from this."""
        known = self._digests.get(file.stamp)
        if known is None:
            name = (file.path, file.stamp)
            flight = self._reading.of(name, file, lambda: breakable(_sha256, file))
            known = await self._reading.landed(name, flight)
            if self._wall() - max(file.stamp[-2:]) / 1e9 > SETTLED:
                self._digests[file.stamp] = known
            while len(self._digests) > REMEMBERED:
                self._digests.popitem(last=False)
        return known

    async def aclose(self) -> None:
        """Breaks off what is under way; what was uploaded stays known."""
        await self._reading.aclose()
        await self._uploading.aclose()


def _put_in(value: Any, links: Mapping[LocalFile, str]) -> Any:
    if isinstance(value, LocalFile):
        return links[value]
    if isinstance(value, Mapping):
        return {name: _put_in(item, links) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_put_in(item, links) for item in value]
    return value


def _sha256(given_up: GivenUp, file: LocalFile) -> str:
    """The SHA-256 of a file as it was looked at; raises `TransferError` where it changed."""
    found, at = hashlib.sha256(), 0
    with OpenFile(file.path, given_up) as opened:
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


def _stamp_of(file: LocalFile) -> tuple[int, ...] | None:
    """The stamp that a file has by now; None where it cannot be read any more."""
    try:
        with OpenFile(file.path) as opened:
            return opened.stamp
    except ConfigurationError:
        return None


def _unchanged(file: LocalFile, opened: OpenFile) -> None:
    if not OpenFile.same(opened.stamp_now(), file.stamp):
        raise changed(of_local(file), "it was written to, or replaced")
