"""What a line's file is called: a template filled in, and made safe for any file system. Pure."""

import hashlib
import re
import string
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from gmi_video.errors import ConfigurationError
from gmi_video.records import Media, MediaKind

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\/\u200e\u200f\u202a-\u202e\u2066-\u2069]+')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{2,5}$")
_LONGEST = 120
"""Bytes of a name: with what may be added to it, it stays below the 255 of most file systems."""

_USUAL: dict[MediaKind, str] = {"video": ".mp4", "image": ".png", "audio": ".mp3"}
_KNOWN = frozenset(
    [
        ".mp4",
        ".webm",
        ".mov",
        ".mkv",
        ".png",
        ".jpg",
        ".jpeg",
        ".webp",
        ".gif",
        ".mp3",
        ".wav",
        ".flac",
        ".ogg",
        ".m4a",
    ]
)


def checked(template: str) -> str:
    """A template, once it is proven to be one; raises `ConfigurationError` that shows what is wrong with it."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ConfigurationError(f"name {template!r}: {error}") from None
    for _, field, spec, conversion in parts:
        if field is not None and (not re.fullmatch(r"[\w-]+", field) or spec or conversion):
            message = f"name {template!r}: {{{field}}} is not a bare name; write {{key}}, {{number}}, {{model}} or a payload's key"
            raise ConfigurationError(message)
    if not template.strip("/ ."):
        raise ConfigurationError(
            "name is empty; give a template such as '{key}', '{model}/{key}' or '{key}-{seed}.mp4'"
        )
    return template


def file_stem(template: str, told: Mapping[str, Any], request_id: str) -> str:
    """The path that a template gives, relative, without an extension of a file: slashes of the template make folders.

    Slashes of a value do not. A key that nobody gave is the line's number; any other missing value is the
    request's id, so that nothing is overwritten for want of a name.
    """
    filled = []
    for folder in template.split("/"):
        pieces = [
            literal + ("" if field is None else _told(told, field, request_id))
            for literal, field, _, _ in string.Formatter().parse(folder)
        ]
        filled.append(_safe("".join(pieces)))
    return "/".join(name for name in filled if name) or request_id


def split(stem: str, media: Media) -> tuple[str, str]:
    """A path and its extension: the path's own where it is one, else the link's, else the usual one of its kind."""
    found = _EXTENSION.search(stem)
    if found and found[0].lower() in _KNOWN:
        return stem[: found.start()], found[0]
    link = urlsplit(media.url).path.rpartition("/")[2]
    of_link = _EXTENSION.search(link)
    if of_link and of_link[0].lower() in _KNOWN:
        return stem, of_link[0].lower()
    return stem, _USUAL[media.kind]


def _told(told: Mapping[str, Any], field: str, request_id: str) -> str:
    value = told.get(field)
    if isinstance(value, str | int | float):
        return str(value).replace("/", "_")
    return request_id


def _safe(name: str) -> str:
    """A name that every file system takes and no shell or eye mistakes. A long one ends in a digest of itself."""
    safe = _FORBIDDEN.sub("_", name).strip(" .").encode("utf-8", "replace").decode()
    if _RESERVED.match(safe):
        safe = f"_{safe}"
    encoded = safe.encode()
    if len(encoded) <= _LONGEST:
        return safe
    found = _EXTENSION.search(safe)
    end = f"-{hashlib.sha256(encoded).hexdigest()[:8]}{found[0] if found else ''}"
    return encoded[: _LONGEST - len(end)].decode("utf-8", "ignore") + end
