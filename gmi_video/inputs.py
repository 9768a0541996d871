"""Files of this machine as inputs of a model: how they stand in a payload, and what is known of them beforehand.

A `pathlib.Path` in a payload is uploaded by `submit` and `generate`; `Inline(path)` and `data_uri(path)` put the
file into the payload itself. All of this blocks on the disk, so async programs call it in a thread, or leave it
to the session.
"""

import base64
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gmi_video import _picture
from gmi_video._duration import seconds_of
from gmi_video._entire import missing
from gmi_video._file_type import UPLOADED, WEBP, FileType, objection, seen_as, telling
from gmi_video._local import DATA_URI_LIMIT, Chunks, Inline, LocalFile, is_local, megabytes
from gmi_video._opening import OpenFile
from gmi_video._torn import At
from gmi_video.errors import ConfigurationError, PayloadInvalid

__all__ = ["DATA_URI_LIMIT", "Chunks", "Inline", "LocalFile", "data_uri", "examined", "files_in", "is_media"]

_INLINE = (*UPLOADED, WEBP)


def data_uri(path: str | os.PathLike[str], *, limit: int = DATA_URI_LIMIT) -> str:
    """The file as a `data:` URI, which models that take base64 accept where a link is wanted.

    Raises `ConfigurationError` where it cannot be read, has more than `limit` bytes, ends too early, or is no picture, clip or
    sound of a type that models take (JPEG, PNG, WebP, MP4, MP3, WAV).
    """
    with OpenFile(Path(path)) as file:
        kind = _inlined(file.path, telling(file.read), file.size, limit)
        entire(file.path.name, kind, file.read, file.size)
        return f"data:{kind.content_type};base64,{base64.b64encode(file.read(0, file.size)).decode()}"


def examined(payload: Any, given_up: Callable[[], bool] | None = None) -> Any:
    """A payload with a `LocalFile` for each path in it, at any depth; nothing is uploaded.

    Raises `PayloadInvalid` that names the place of a file that cannot be sent, or that was not read to its end
    because whoever asked has `given_up`.
    """
    return _examined(payload, "payload", given_up)


def files_in(payload: Any) -> Iterator[tuple[str, Path | Inline | LocalFile]]:
    """The files of this machine in a payload, each with its place."""
    yield from _files_in(payload, "payload")


def is_media(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a picture, a clip or a sound by its first bytes; False where it cannot be read."""
    try:
        with OpenFile(Path(path)) as file:
            kind = seen_as(telling(file.read))
    except ConfigurationError:
        return False
    return kind is not None and kind.kind is not None


def _files_in(value: Any, place: str) -> Iterator[tuple[str, Path | Inline | LocalFile]]:
    if is_local(value):
        yield place, value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _files_in(item, f"{place}.{name}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _files_in(item, f"{place}[{index}]")


def _examined(value: Any, place: str, given_up: Callable[[], bool] | None) -> Any:
    if isinstance(value, Mapping):
        return {name: _examined(item, f"{place}.{name}", given_up) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_examined(item, f"{place}[{index}]", given_up) for index, item in enumerate(value)]
    if not isinstance(value, Path | Inline):
        return value
    try:
        return _local(value, given_up)
    except ConfigurationError as error:
        sentence = str(error)
    raise PayloadInvalid(f"{place}: {sentence}; nothing was sent")


def _local(value: Path | Inline, given_up: Callable[[], bool] | None) -> LocalFile:
    path = value.path if isinstance(value, Inline) else value
    with OpenFile(path, given_up) as file:
        head = telling(file.read)
        if isinstance(value, Inline):
            kind = _inlined(path, head, file.size, value.limit)
        else:
            kind = uploadable(path.name, head)
        entire(path.name, kind, file.read, file.size)
        sides = _picture.sides(file.read) if kind.kind == "image" else None
        assert kind.kind is not None
        return LocalFile(
            path=path,
            size=file.size,
            type=kind.name,
            words=kind.words,
            kind=kind.kind,
            width=sides[0] if sides else None,
            height=sides[1] if sides else None,
            seconds=seconds_of(kind, file.read, file.size),
            inline=isinstance(value, Inline),
            stamp=file.stamp,
        )


def uploadable(name: str, head: bytes, told: FileType | None = None, *, hint: str = "") -> FileType:
    """The type of a file that may be uploaded; raises `ConfigurationError` for any other."""
    why = objection(name, head, told=told, hint=hint)
    found = seen_as(head)
    if why is not None or found is None:
        message = f"{name or 'what is to be uploaded'!r} is not uploaded: {why}"
        raise ConfigurationError(message)
    return found


def entire(name: str, kind: FileType, at: At, size: int) -> None:
    """Raises `ConfigurationError` for a file whose own container shows that its end is missing."""
    why = missing(kind, at, size)
    if why is not None:
        message = f"{name!r} is not sent: it is {kind.words} that is not complete ({why})"
        raise ConfigurationError(message)


def _inlined(path: Path, head: bytes, size: int, limit: int) -> FileType:
    """The type of a file that may stand in a payload; raises `ConfigurationError`."""
    kind = seen_as(head)
    if kind not in _INLINE or kind is None:
        what = kind.words if kind else "of no type that models take" if head else "empty"
        message = (
            f"{path.name!r} is {what}; a data URI is made of JPEG, PNG, WebP, MP4, MP3 and WAV files only"
        )
    elif size > limit:
        message = (
            f"{path.name!r} has {megabytes(size)}; a data URI may have {megabytes(limit)} of it: upload it"
        )
    else:
        return kind
    raise ConfigurationError(message)
