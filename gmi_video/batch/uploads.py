"""Local files of payloads: public before their request is sent, once each, remembered by content in the journal."""

import asyncio
import warnings
from collections import OrderedDict
from functools import partial
from pathlib import Path
from typing import Any

from attrs import evolve

from gmi_video.batch import facts
from gmi_video.batch.journal import Journal
from gmi_video.batch.lines import FILE, given, linked, local_files, replaced
from gmi_video.batch.places import digest
from gmi_video.catalog import Model, PayloadWarning
from gmi_video.errors import ConfigurationError, GmiVideoError, PayloadInvalid
from gmi_video.inputs import LocalFile, examined
from gmi_video.records import VideoRequest
from gmi_video.session import Session

_ANYWHERE = "https://storage.example.com/a"
"""In the place of a link that is not known yet."""
REMEMBERED = 1000
"""Files of which is remembered what their headers say, those met last."""
QUIET = 60.0
"""Seconds for which the catalog is not asked again for a model that it did not tell."""
_TOLD = 3
"""Problems that one sentence tells."""


class Uploads:
    """The uploads of one run."""

    def __init__(self, session: Session, journal: Journal) -> None:
        self._session = session
        self._journal = journal
        self._locks: dict[str, asyncio.Lock] = {}
        self._quiet_until: dict[str, float] = {}
        self._looks: OrderedDict[tuple[str, str, bool], asyncio.Future[LocalFile | None]] = OrderedDict()

    async def whole(self, kept: VideoRequest, held: VideoRequest | None) -> VideoRequest:
        """A request as it is sent: the caller's own without local files, else with their links or themselves.

        Before a byte moves the files are held against what their model takes, as `submit` does.
        """
        files, inline = local_files(kept.payload), local_files(kept.payload, inline=True)
        if not files and not inline:
            return held or kept
        for path, sha256 in sorted(inline):
            await _unchanged(Path(path), sha256)
        await self._fit(kept)
        links = {sha256: await self._link(path, sha256) for path, sha256 in sorted(files)}
        return evolve(kept, payload=linked(kept.payload, links))

    async def _fit(self, kept: VideoRequest) -> None:
        """Raises `PayloadInvalid` for files that their model does not take, and warns of what is doubtful of them.

        Of all else in the payload `submit` tells what is wrong.
        """
        how = self._session.settings.check
        model = await self._model(kept.model) if how != "off" else None
        if model is None:
            return
        files: list[dict[str, Any]] = []
        replaced(kept.payload, files.append)
        looks = {_name(file): await self._looked_at(file) for file in files}
        seen = replaced(kept.payload, lambda file: looks[_name(file)] or _ANYWHERE)
        problems = model.check(seen)
        if any(problem.certain or how == "strict" for problem in problems):
            told = "; ".join(str(problem) for problem in problems[:_TOLD])
            message = f"payload for {model.id}: {told}; nothing was sent"
            raise PayloadInvalid(message, problems=problems, key=kept.key)
        others = {problem.sentence for problem in model.check(replaced(kept.payload, lambda _: _ANYWHERE))}
        for problem in problems:
            if problem.sentence not in others:
                _warn(PayloadWarning(f"{model.id}: {problem}"), kept)

    async def _looked_at(self, file: dict[str, Any]) -> LocalFile | None:
        """A file by its own header, once for each content; None where another one lies there by now."""
        name = _name(file)
        look = self._looks.get(name)
        if look is None:
            look = asyncio.get_running_loop().run_in_executor(None, _looked_at, file)
            self._looks[name] = look
            if len(self._looks) > REMEMBERED:
                self._looks.popitem(last=False)
        try:
            found = await asyncio.shield(look)
        finally:
            if not look.done() or look.cancelled() or look.exception() or look.result() is None:
                self._looks.pop(name, None)  # it may be there by the time of the next line
        return found

    async def _model(self, model_id: str) -> Model | None:
        """What is known of a model; None where the catalog cannot tell: that is no reason not to send."""
        now = asyncio.get_running_loop().time()
        if now < self._quiet_until.get(model_id, now):
            return None
        try:
            return await self._session.model(model_id)
        except GmiVideoError:
            self._quiet_until[model_id] = asyncio.get_running_loop().time() + QUIET
            return None

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
        before = await _unchanged(path, sha256)
        try:
            link = await self._session.upload(path)
        except ConfigurationError as error:  # what is wrong with one file is one line's affair
            sentence = str(error)
        else:
            after = await _unchanged(path, sha256, before)
            if (
                after[:-1] == before[:-1]
            ):  # a link, a rename, a mode: those change no content, which was read again
                return link
            sentence = _changed(path)
        raise PayloadInvalid(sentence)


def _warn(warning: PayloadWarning, kept: VideoRequest) -> None:
    """Warns; raises `PayloadInvalid` where warnings are errors: one line's doubt does not end a run."""
    try:
        warnings.warn(warning, stacklevel=3)
    except PayloadWarning as raised:
        sentence = str(raised)
    else:
        return
    raise PayloadInvalid(sentence, key=kept.key)


def _name(file: dict[str, Any]) -> tuple[str, str, bool]:
    """Where a file lies, its content, and whether it is sent itself."""
    return file[FILE], file["sha256"], "inline" in file


def _looked_at(file: dict[str, Any]) -> LocalFile | None:
    path = Path(file[FILE])
    try:
        stamp, sha256 = _seen(path)
        found: LocalFile = examined(given(file))
    except (OSError, PayloadInvalid):  # told where it is to be sent, if it is: its link may be known
        return None
    return found if sha256 == file["sha256"] and stamp == _stamp(path) else None


Stamp = tuple[int, ...]


async def _unchanged(path: Path, sha256: str, before: Stamp | None = None) -> Stamp:
    """What tells a file from what is written there later.

    Raises `PayloadInvalid` where it is not the one that its line was added with; it is not read again where it
    still has the stamp that it had `before`.
    """
    try:
        stamp, now = await asyncio.get_running_loop().run_in_executor(None, _seen, path, before)
    except OSError as error:
        message = f"{str(path)!r} cannot be read any more: {error.strerror}; nothing was sent"
        raise PayloadInvalid(message) from None
    if now not in {None, sha256}:
        raise PayloadInvalid(_changed(path))
    return stamp


def _changed(path: Path) -> str:
    return f"{str(path)!r} has changed since its line was added: add the line again; nothing was sent"


def _seen(path: Path, before: Stamp | None = None) -> tuple[Stamp, str | None]:
    """A file's stamp, and its SHA-256 unless it is that of before; it blocks."""
    stamp = _stamp(path)
    return stamp, None if stamp == before else digest(path)[1]


def _stamp(path: Path) -> Stamp:
    told = path.stat()
    return told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns
