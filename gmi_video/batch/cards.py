"""A row of the journal as a card of the contact sheet: only data, and only what may be shown."""

import os
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from attrs import evolve

from gmi_video.batch.records import Row, Stored
from gmi_video.batch.words import readable

_PROMPT = 1500
_REASON = 600
_PROMPTS = ("prompt", "text", "lyrics")
"""Parameters that hold words for people. The others may hold links whose query is a secret."""
_FILMS = (".mp4", ".webm", ".mov", ".m4v", ".mkv")
_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".avif")
_SOUNDS = (".mp3", ".wav", ".m4a", ".ogg", ".flac")
_KINDS = {
    **dict.fromkeys(_FILMS, "video"),
    **dict.fromkeys(_PICTURES, "image"),
    **dict.fromkeys(_SOUNDS, "audio"),
}


def card(row: Row, folder: Path, picture: bytes | None = None) -> dict[str, Any]:
    """The card of a row for a page that lies in `folder`; `picture` is a WebP to show of it.

    What is None or empty is left out: ten thousand cards are sent as text.
    """
    shown = main(row)
    told = {
        "n": row.number,
        "key": None if row.key is None else _text(str(row.key), 200),
        "model": _text(row.model, 200),
        "state": row.state,
        "prompt": prompt(row),
        "cost": None if row.cost is None else f"{row.cost.normalize():f}",
        "href": href(shown.location, folder) if shown else None,
        "file": _text(_place(shown.location).rpartition("/")[2], 200) if shown else None,
        "kind": kind(shown.location) if shown else None,
        "size": shown.size if shown else None,
        "queued": _seconds(row.queued),
        "processing": _seconds(row.processing),
        "downloading": _seconds(row.downloading),
        "why": row.kind if row.state != "done" else None,
        "reason": _text(readable(row.reason), _REASON),
        "id": row.request_id,
        "tries": row.attempts if row.attempts > 1 else None,
        "thumb": b64encode(picture).decode() if picture else None,
    }
    return {name: value for name, value in told.items() if value not in (None, "")}


def prompt(row: Row, limit: int | None = _PROMPT) -> str:
    """The words that a line asked for its video with; empty where its model takes none that are known."""
    found = (row.payload.get(name) for name in _PROMPTS)
    words = next((text for text in found if isinstance(text, str) and text), "")
    return words if limit is None else _text(words, limit)


def main(row: Row) -> Stored | None:
    """The file that stands for a row: its video before its pictures, whatever order they were saved in."""
    return min(row.files, key=lambda file: kind(file.location) != "video", default=None)


def pictured(row: Row) -> Path | None:
    """The local file that a thumbnail can be made of, or None where there is none."""
    for file in row.files:
        if kind(file.location) in {"video", "image"} and not _scheme(file.location):
            return Path(file.location)
    return None


def located(row: Row, home: Path) -> Row:
    """The row with its local files where they are: where the journal says, else at the same place below `home`.

    A folder that was moved, or copied to another machine, holds its journal and its files as before, under another
    path. What is found by the end of its path is believed if its size is right.
    """
    return evolve(row, files=tuple(_located(file, home) for file in row.files)) if row.files else row


def _located(file: Stored, home: Path) -> Stored:
    if _scheme(file.location):
        return file
    path = Path(file.location)
    if path.is_file():
        return file
    parts = path.relative_to(path.anchor).parts
    ends = (home.joinpath(*parts[start:]) for start in range(len(parts)) if ".." not in parts[start:])
    there = next((each for each in ends if each.is_file() and each.stat().st_size == file.size), None)
    return file if there is None else evolve(file, location=str(there))


def kind(location: str) -> str | None:
    """How a file is played, by its name."""
    return _KINDS.get(Path(_place(location)).suffix.lower())


def href(location: str, folder: Path) -> str | None:
    """A link to a file from a page in `folder`: relative for a path, so that both may be moved together.

    A web address stands for itself, without its query, which may be a secret; what a browser cannot open or should
    not (`s3://`, `javascript:`) is no link.
    """
    scheme = _scheme(location)
    if scheme in {"http", "https"}:
        parts = urlsplit(location)
        return parts._replace(query="", fragment="", netloc=parts.netloc.rpartition("@")[2]).geturl()
    if scheme:
        return None
    path = Path(location).resolve()
    try:
        relative = os.path.relpath(path, folder.resolve())
    except ValueError:  # another drive of Windows
        return path.as_uri()
    return quote(Path(relative).as_posix(), safe="/")


def _place(location: str) -> str:
    """A location without what follows its path, which in an address may be a secret."""
    return urlsplit(location).path if _scheme(location) else location.replace("\\", "/")


def _scheme(location: str) -> str:
    """The scheme of an address, lower case; empty for a path, of which `C:` is a part on Windows."""
    head, sign, _ = location.partition(":")
    known = sign and len(head) > 1 and head[0].isalpha() and head.replace("+", "").replace("-", "").isalnum()
    return head.lower() if known else ""


def _seconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def _text(text: str, limit: int) -> str:
    """Text as a page shows it: halves of surrogate pairs out, which no encoding can write; bounded."""
    text = text.encode("utf-8", "replace").decode() if not text.isascii() else text
    return text if len(text) <= limit else text[: limit - 1] + "…"
