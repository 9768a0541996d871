"""Which line is which: a line is known by its key, or by its payload and how many equal ones came before it.

So the same file added again adds nothing, and lines that are inserted, deleted or moved leave the others alone.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from gmi_video.errors import PayloadInvalid
from gmi_video.inputs import Inline, LocalFile
from gmi_video.records import Media, Outcome, Saved, Snapshot, Video, VideoRequest, first_media

FILE = "$file"
"""The name under which a payload in the journal has a local file: `{"$file": path, "sha256": digest}`.

`inline` is among them where the file itself is sent: the most bytes that it may have.
"""

FileDigest = Callable[[str], str]

Refusal = Exception | None
"""Why a request is not added, nor those after it, where that is so."""


@frozen(kw_only=True)
class NewLine:
    """A request as the journal takes it. `key` is JSON; `digest` is of model and payload, files by content."""

    request: VideoRequest
    key: str | None
    digest: bytes
    payload: str


def line_of(request: VideoRequest, file_digest: FileDigest) -> NewLine:
    """What the journal keeps of a request.

    Raises `PayloadInvalid` for what JSON cannot hold, and what `file_digest` raises for a file that is not there.
    """
    kept = plain(request.payload, "payload", file_digest)
    counted = replaced(kept, _content)
    return NewLine(
        request=request,
        key=None if request.key is None else key_text(request.key),
        digest=payload_digest(request.model, counted),
        payload=json.dumps(kept, separators=(",", ":"), allow_nan=False),
    )


def key_text(key: Any) -> str:
    """A caller's key as JSON; what JSON does not know is taken by its `str`."""
    return json.dumps(key, sort_keys=True, separators=(",", ":"), default=str)


def payload_digest(model: str, payload: Mapping[str, Any]) -> bytes:
    """SHA-256 of a model and of a payload however it is spelt: the order of its names does not count."""
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{model}\0{text}".encode()).digest()


def identity(line: NewLine, before: int) -> bytes:
    """What tells a line from all others; `before` equal ones came before it, which counts only without a key."""
    if line.key is not None:
        return hashlib.sha256(b"key\0" + line.key.encode()).digest()
    return hashlib.sha256(b"payload\0" + line.digest + before.to_bytes(8)).digest()


def plain(value: Any, path: str, file_digest: FileDigest) -> Any:
    """A payload's value as JSON holds it: remote files as their link, local ones as `{"$file": …}`."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if value - value == 0:  # neither infinite nor "not a number"
            return value
        raise PayloadInvalid(f"{path}: {value!r} is not a number that JSON knows")
    if isinstance(value, Mapping):
        return {str(name): plain(item, f"{path}.{name}", file_digest) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, f"{path}[{index}]", file_digest) for index, item in enumerate(value)]
    if (media := first_media(value)) is not None:
        return media.url
    if (kept := _file(value, file_digest)) is not None:
        return kept
    what = f"a {type(value).__name__} cannot be sent"
    if isinstance(value, Outcome | Snapshot | Media | Video):
        what = "it names no file yet, so it stands for no link"
    raise PayloadInvalid(f"{path}: {what}; give text, a number, a list, an object, a link or a path")


def _file(value: Any, file_digest: FileDigest) -> dict[str, Any] | None:
    """A local file as it is kept; None for anything else."""
    inline: dict[str, int] = {}
    if isinstance(value, LocalFile):
        value = Inline(value.path) if value.inline else value.path
    if isinstance(value, Inline):
        value, inline = value.path, {"inline": value.limit}
    if not isinstance(value, os.PathLike) or isinstance(value, Saved):
        return None
    place = os.path.abspath(os.fspath(value))  # noqa: PTH100  # links stay as they were given
    return {FILE: place, "sha256": file_digest(place), **inline}


def is_file(value: object) -> bool:
    """Whether a value of a kept payload stands for a local file, which is sent as a link or as itself."""
    return isinstance(value, dict) and set(value) in ({FILE, "sha256"}, {FILE, "sha256", "inline"})


def replaced(value: Any, file: Callable[[dict[str, Any]], Any]) -> Any:
    """A kept payload's value with something else in the place of each local file."""
    if is_file(value):
        return file(value)
    if isinstance(value, dict):
        return {name: replaced(item, file) for name, item in value.items()}
    if isinstance(value, list):
        return [replaced(item, file) for item in value]
    return value


def given(value: Any) -> Any:
    """A kept payload's value as a caller gives it: local files as their paths, which are whole ones by now."""
    return replaced(value, _path)


def _path(file: dict[str, Any]) -> Path | Inline:
    path = Path(file[FILE])
    return Inline(path, limit=file["inline"]) if "inline" in file else path


def _content(file: dict[str, Any]) -> dict[str, Any]:
    return {FILE: file["sha256"], **({"inline": True} if "inline" in file else {})}


def local_files(value: Any, *, inline: bool = False) -> set[tuple[str, str]]:
    """The local files of a kept payload, as (path, digest): those to be uploaded, or those sent as themselves."""
    if is_file(value):
        return {(value[FILE], value["sha256"])} if ("inline" in value) is inline else set()
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {found for item in items for found in local_files(item, inline=inline)}


def linked(value: Any, links: Mapping[str, str]) -> Any:
    """A kept payload with its local files replaced by their public links, named by digest, or by themselves."""
    return replaced(value, lambda file: _path(file) if "inline" in file else links[file["sha256"]])
