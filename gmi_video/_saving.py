"""Where the files of an outcome go: proven writable before money is spent, and never in the way afterwards."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Self

from attrs import evolve, frozen

from gmi_video import _files
from gmi_video._links import file_name
from gmi_video._offload import off_loop
from gmi_video._part import found
from gmi_video.errors import ConfigurationError, TargetUnusable
from gmi_video.records import Media, Saved, Snapshot, first_media

_LONGEST = 255
"""Bytes of a name, as file systems have them."""


@frozen(kw_only=True)
class Target:
    """Where one file goes; whether one that is there is replaced, and whether the name is of our making.

    `beside` is where it goes instead where the name is taken by then; None where that is an error.
    """

    path: Path
    overwrite: bool = False
    named: bool = False
    beside: Path | None = None


Save = Callable[[Media, Target], Awaitable[Saved]]


def _path(name: str, given: object) -> Path | None:
    """A path as it was given; raises `ConfigurationError` for what is none."""
    if given is None or isinstance(given, str | Path):
        return None if given is None else Path(given)
    text = os.fspath(given) if isinstance(given, os.PathLike) else given
    if isinstance(text, str):
        return Path(text)
    message = f"{name}=… takes a path, as text or a pathlib.Path, not {type(given).__name__}"
    raise ConfigurationError(message)


def _beside(path: Path, request_id: str) -> Path:
    """Another name for a file, by its request's id; no longer than names may be where the first was not."""
    end = f"-{request_id}{path.suffix}"
    stem = path.stem
    while stem and len(os.fsencode(stem + end)) > _LONGEST:
        stem = stem[:-1]
    return path.with_name(stem + end)


@frozen(kw_only=True)
class Place:
    """A file (`to`), a folder (`into`), or nowhere. `paid` says that a taken name is no reason to fail."""

    to: Path | None = None
    into: Path | None = None
    overwrite: bool = False
    paid: bool = False

    @classmethod
    async def checked(
        cls,
        to: str | os.PathLike[str] | None,
        into: str | os.PathLike[str] | None,
        *,
        overwrite: bool = False,
    ) -> Self:
        """The place, once it is proven writable; raises `TargetUnusable`, and `ConfigurationError` for both."""
        if to is not None and into is not None:
            message = "give to=… (a file) or into=… (a folder), not both"
            raise ConfigurationError(message)
        place = cls(to=_path("to", to), into=_path("into", into), overwrite=overwrite)
        if to is not None and os.fspath(to).endswith(("/", os.sep)):
            message = f"to={os.fspath(to)!r} names a folder; to save into it say into=…"
            raise ConfigurationError(message)
        if place.to is not None:
            await off_loop(partial(_files.check_file, place.to, overwrite=overwrite))
        if place.into is not None:
            await off_loop(_files.check_folder, place.into)
        return place

    def after_payment(self) -> "Place":
        """The same place, where from now on another name is better than an error."""
        return evolve(self, paid=True)

    async def save(self, snapshot: Snapshot, save: Save) -> tuple[Saved, ...]:
        """Saves what was asked for: the first media to a file, or all into a folder."""
        if self.to is not None:
            media = first_media(snapshot)
            assert media is not None
            return (await self.save_one(media, snapshot.request_id, save),)
        if self.into is None or snapshot.outcome is None:
            return ()
        files = enumerate(snapshot.outcome.media)
        return await _all([self.save_one(media, snapshot.request_id, save, index) for index, media in files])

    async def save_one(self, media: Media, request_id: str | None, save: Save, index: int = 0) -> Saved:
        """Saves one file. A file that is there under the very name of this request is that file."""
        if self.to is None:
            return await self._save_named(
                media, (self.into or Path()) / file_name(media, request_id, index), save
            )
        beside = _beside(self.to, request_id) if self.paid and request_id else None
        return await save(media, Target(path=self.to, overwrite=self.overwrite, beside=beside))

    async def _save_named(self, media: Media, target: Path, save: Save) -> Saved:
        """The file of that name: another process may have been the first. One that is torn is told, not believed."""
        if self.overwrite or not await off_loop(target.is_file):
            await off_loop(_files.check_replaced, target)
            try:
                return await save(media, Target(path=target, overwrite=self.overwrite, named=True))
            except TargetUnusable:
                if self.overwrite or not await off_loop(target.is_file):
                    raise
        size, sha256 = await off_loop(found, target, media.kind)
        return Saved(path=target, size=size, sha256=sha256, media=media)


async def _all(work: list[Awaitable[Saved]]) -> tuple[Saved, ...]:
    """All of them side by side; where one fails the others are still brought home, then the first error is raised."""
    ended = await asyncio.gather(*work, return_exceptions=True)
    for result in ended:
        if isinstance(result, BaseException):
            raise result
    return tuple(result for result in ended if isinstance(result, Saved))
