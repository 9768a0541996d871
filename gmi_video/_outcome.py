"""What a finished request left behind, read from the shapes that the models answer in.

Links are read by name and never searched for: a record also echoes the links that were put in.
"""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from gmi_video._kind import kind_of
from gmi_video._words import reason_in
from gmi_video.records import Failure, Kind, Media, MediaKind, Outcome

_MEDIA_KINDS: tuple[MediaKind, ...] = get_args(MediaKind)
_FAILURE_KINDS: tuple[Kind, ...] = get_args(Kind)
_KINDS: dict[str, MediaKind] = {
    **dict.fromkeys(("mp4", "webm", "mov", "mkv", "m4v", "avi"), "video"),
    **dict.fromkeys(("png", "jpg", "jpeg", "webp", "gif", "avif"), "image"),
    **dict.fromkeys(("mp3", "wav", "flac", "ogg", "m4a", "aac", "opus"), "audio"),
}
_LINKS: tuple[tuple[str, MediaKind], ...] = (
    ("video_url", "video"),
    ("videoUrl", "video"),
    ("image_url", "image"),
    ("audio_url", "audio"),
    ("url", "video"),
)
_OBJECTS: tuple[tuple[str, MediaKind], ...] = (("video", "video"), ("image", "image"), ("audio", "audio"))
"""The early page answers `{"video": {"url": …}}`."""


def text_or_none(value: object) -> str | None:
    """A word or a number as text; None for anything else."""
    return str(value) if isinstance(value, str | int | float) else None


def _media_kind(url: str, otherwise: MediaKind) -> MediaKind:
    _, dot, suffix = url.partition("?")[0].rpartition("/")[2].rpartition(".")
    return _KINDS.get(suffix.lower(), otherwise) if dot else otherwise


def _links(raw: Mapping[str, Any]) -> Iterator[Media]:
    """Every link of an outcome by name: lists first, as the newer models answer; never the thumbnail's."""
    for name in ("media_urls", "medias"):
        items = raw.get(name)
        for item in items if isinstance(items, list) else ():
            entry = item if isinstance(item, Mapping) else {"url": item}
            url = entry.get("url")
            if isinstance(url, str) and url:
                said = entry.get("kind")
                kind = said if said in _MEDIA_KINDS else _media_kind(url, "video")
                yield Media(url, kind=kind, id=text_or_none(entry.get("id")))
    for name, kind in (*_LINKS, *_OBJECTS):
        found = raw.get(name)
        url = found.get("url") if isinstance(found, Mapping) else found
        if isinstance(url, str) and url:
            yield Media(url, kind=_media_kind(url, kind))


def stated_size(outcome: Outcome | None, media: Media) -> tuple[int, int] | None:
    """Width and height of a file's picture, where the outcome states them beside its link."""
    raw = outcome.raw if outcome is not None else {}
    lists = (raw.get(name) for name in ("media_urls", "medias"))
    entries = [
        item for items in lists if isinstance(items, list) for item in items if isinstance(item, Mapping)
    ]
    for entry in (*entries, raw):
        if media.url in (entry.get("url"), entry.get("video_url"), entry.get("image_url")):
            size = (entry.get("width"), entry.get("height"))
            if all(isinstance(side, int) and not isinstance(side, bool) and side > 0 for side in size):
                return int(str(size[0])), int(str(size[1]))
    return None


def outcome_of(raw: object) -> Outcome | None:
    """The outcome of a success; None where the service wrote no object at all."""
    if not isinstance(raw, Mapping):
        return None
    unique: dict[str, Media] = {}
    for item in _links(raw):
        unique.setdefault(item.url, item)
    media = tuple(unique.values())
    thumbnail = raw.get("thumbnail_image_url") or raw.get("thumbnail_url")
    if not isinstance(thumbnail, str) or any(item.url == thumbnail for item in media):
        return Outcome(media=media, raw=raw)
    return Outcome(media=media, thumbnail=Media(thumbnail, kind=_media_kind(thumbnail, "image")), raw=raw)


def failure_of(raw: object, record: Mapping[str, Any]) -> Failure:
    """Why a request failed, from its `outcome` first and from the record around it second."""
    words, code = reason_in(raw, record)
    said = raw.get("kind") if isinstance(raw, Mapping) else None
    kind = said if said in _FAILURE_KINDS else kind_of(words, code)
    return Failure(kind=kind, message=words, code=code, raw=raw)
