"""Where videos go: a folder, a sink, or nowhere. A file is whole at its place, or not there at all."""

import asyncio
import base64
import contextlib
import errno
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from attrs import evolve

from gmi_video.batch.names import split
from gmi_video.batch.records import Sink, Stored
from gmi_video.errors import ConfigurationError, LinkExpired, TargetUnusable
from gmi_video.records import Media, Saved, Snapshot
from gmi_video.session import Session


class Place(Protocol):
    """What the third stage saves to. `words` name it for people, at the head of a sentence."""

    @property
    def words(self) -> str:
        """Such as "the disk of 'videos'"."""
        ...

    async def check(self) -> None:
        """Raises `TargetUnusable` where nothing can be kept there."""
        ...

    async def free(self, name: str) -> bool:
        """Whether nothing is there under a name yet."""
        ...

    async def save(
        self, session: Session, snapshot: Snapshot, name: str
    ) -> tuple[tuple[Stored, ...], tuple[Saved, ...]]:
        """All media of a request, the first one under `name`."""
        ...


def numbered(name: str, media: Media, index: int) -> str:
    """The name of a request's further files: its first one's, with a number."""
    if index == 0:
        return name
    return f"{name.removesuffix(Path(name).suffix)}-{index + 1}{split('', media)[1]}"


def _unlike(name: str, media: Media, index: int, request_id: str) -> str:
    """As `numbered`, unlike any other line's name: a sink may replace what is there, and nobody would be told."""
    if index and request_id not in name:
        stem, suffix = name.removesuffix(Path(name).suffix), Path(name).suffix
        name = f"{stem}-{request_id}{suffix}"
    return numbered(name, media, index)


def named(snapshot: Snapshot, index: int) -> object:
    """What stands for a request's file so that a dead link can be asked for once more, which the first one's can."""
    media = snapshot.outcome.media if snapshot.outcome else ()
    return media[index] if index else snapshot


class NameTaken(TargetUnusable):
    """A file of that name is there, and it is not this request's."""


class Folder:
    """A folder, made where it is missing."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    @property
    def words(self) -> str:
        """As the protocol says."""
        return f"the disk of {str(self.path)!r}"

    async def check(self) -> None:
        """As the protocol says. A full disk is none of that: it may have room once there is a file to save."""
        await asyncio.get_running_loop().run_in_executor(None, _writable, self.path)

    async def free(self, name: str) -> bool:
        """As the protocol says."""
        target = self.path / name
        return not await asyncio.get_running_loop().run_in_executor(None, os.path.lexists, target)

    async def save(
        self, session: Session, snapshot: Snapshot, name: str
    ) -> tuple[tuple[Stored, ...], tuple[Saved, ...]]:
        """As the protocol says; raises `NameTaken` where a file is there that is not this request's."""
        media = snapshot.outcome.media if snapshot.outcome else ()
        files = [
            await self._one(session, named(snapshot, index), item, self.path / numbered(name, item, index))
            for index, item in enumerate(media)
        ]
        stored = [
            Stored(location=str(file.path.absolute()), size=file.size, sha256=file.sha256) for file in files
        ]
        return tuple(stored), tuple(files)

    async def _one(self, session: Session, what: object, media: Media, target: Path) -> Saved:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, _make, target.parent)
        if await loop.run_in_executor(None, target.is_file):
            return await self._own(session, what, media, target)
        try:
            return await session.download(what, to=target)
        except TargetUnusable as error:
            if not await loop.run_in_executor(None, target.is_file):
                raise
            taken = NameTaken(str(error))
        raise taken

    async def _own(self, session: Session, what: object, media: Media, target: Path) -> Saved:
        """The file that is there, if it is what would be fetched: its writer may have been killed behind its last step.

        Where the link is dead by now it is believed: its name was free when it was chosen.
        """
        loop = asyncio.get_running_loop()
        size, sha256 = await loop.run_in_executor(None, digest, target)
        try:
            async with session.stream(what) as stream:
                same, md5 = stream.size in {None, size}, stream.edition.md5
        except LinkExpired:
            same, md5 = True, None
        if same and md5 is not None:
            same = md5 == await loop.run_in_executor(None, _md5, target)
        if not same:
            message = f"a file named {target.name!r} is there already, and it is another one"
            raise NameTaken(message)
        await loop.run_in_executor(None, _tidied, target)
        return Saved(path=target, size=size, sha256=sha256, media=media)


class Streaming(Protocol):
    """The part of a session that gives a file's bytes without a disk."""

    def stream(self, what: object) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The bytes behind a link."""
        ...


class Elsewhere:
    """A sink of the caller's."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    @property
    def words(self) -> str:
        """As the protocol says."""
        return f"the sink ({type(self._sink).__name__})"

    async def check(self) -> None:
        """As the protocol says: only the sink knows, and it is asked by its first file."""

    async def free(self, name: str) -> bool:  # noqa: ARG002  # names of one batch differ, and a sink may replace
        """As the protocol says."""
        return True

    async def save(
        self, session: Session, snapshot: Snapshot, name: str
    ) -> tuple[tuple[Stored, ...], tuple[Saved, ...]]:
        """As the protocol says."""
        media = snapshot.outcome.media if snapshot.outcome else ()
        return tuple(
            [
                await self._one(
                    session, named(snapshot, index), _unlike(name, item, index, snapshot.request_id)
                )
                for index, item in enumerate(media)
            ]
        ), ()

    async def _one(self, session: object, what: object, name: str) -> Stored:
        streaming: Streaming = session  # type: ignore[assignment]  # a session, by what is asked of it here
        async with streaming.stream(what) as body:
            stored = await self._sink.put(name, body)
        return checked(stored)


def place_of(out: str | os.PathLike[str] | Sink | None) -> Place | None:
    """The place that a caller means; raises `ConfigurationError` for what is none."""
    if out is None:
        return None
    if isinstance(out, str | os.PathLike):
        return Folder(out)
    if callable(getattr(out, "put", None)):
        return Elsewhere(out)
    message = f"out is a folder or a Sink with an async put(name, stream), not {type(out).__name__}"
    raise ConfigurationError(message)


def checked(stored: object) -> Stored:
    """What a sink returned; raises `ConfigurationError` for anything but a `Stored` of text, a number and text."""
    if not isinstance(stored, Stored):
        message = f"the sink's put must return a Stored(…), not {type(stored).__name__}"
        raise ConfigurationError(message)
    given: object = stored.location
    if isinstance(given, os.PathLike):
        stored = evolve(stored, location=os.fspath(given))
    for name, kind in (("location", str), ("size", int), ("sha256", str)):
        found: object = getattr(stored, name)
        if not isinstance(found, kind) or isinstance(found, bool):
            message = (
                f"the sink's Stored(…) has a {name} of {type(found).__name__}; {kind.__name__} is wanted"
            )
            raise ConfigurationError(message)
    return stored


def digest(path: Path) -> tuple[int, str]:
    """Size and SHA-256 of a file; it blocks."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), sha256


def _md5(path: Path) -> str:
    """The MD5 of a file as the storage tells it; it blocks."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).digest()
    return base64.b64encode(found).decode()


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot write into {str(folder)!r}: {error.strerror or 'the folder cannot be made'}"
        raise TargetUnusable(message) from None


def _writable(folder: Path) -> None:
    _make(folder)
    try:
        with tempfile.TemporaryFile(dir=folder):
            return
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            return
        message = f"cannot write into {str(folder)!r}: {error.strerror or 'no file can be made there'}"
    raise TargetUnusable(message)


def _tidied(target: Path) -> None:
    """Removes the other name of a file whose writer was killed between giving it its own and taking that away."""
    with contextlib.suppress(OSError):
        if target.stat().st_nlink > 1:
            for part in target.parent.glob(".gmi_video-*.part"):
                if part.samefile(target):
                    part.unlink()
