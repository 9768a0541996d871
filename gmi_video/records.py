"""The data nouns: what is asked of the queue, what it says, and what is left on disk.

All of them are frozen values. Their reprs show no payload and no query string, so that they may be logged.
`as_dict` and `from_dict` speak the vendor's own spelling; what we do not know is kept in `extra`.
"""

import enum
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit, urlunsplit

from attrs import field, fields, frozen, has

Kind = Literal["content", "input", "rate", "credit", "access", "service", "unknown"]
MediaKind = Literal["video", "image", "audio"]

_MODEL_ID_LIMIT = 256


class Record:
    """A value that can be written as the vendor writes it, and read back equal."""

    __slots__ = ()

    def as_dict(self) -> dict[str, Any]:
        """This value as JSON-able data in the vendor's spelling."""
        from gmi_video import _convert  # noqa: PLC0415  # the converter knows the records, not they it

        return _convert.unstructure(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The value that `as_dict` wrote; raises `MalformedResponse` naming what is wrong and where."""
        from gmi_video import _convert  # noqa: PLC0415  # as above

        return _convert.structure(data, cls)


class Status(enum.StrEnum):
    """The documented states of a request; any other word of the service is `UNKNOWN`, which is not final."""

    CREATED = "created"
    QUEUED = "queued"
    DISPATCHED = "dispatched"
    PROCESSING = "processing"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def final(self) -> bool:
        """Whether nothing will change any more."""
        return self in _FINAL


_FINAL = frozenset({Status.SUCCESS, Status.FAILED, Status.CANCELLED})


def copied(value: Any) -> Any:
    """`value` with its mappings and sequences copied, so that a caller's later edit changes nothing here."""
    if isinstance(value, Mapping):
        return {name: copied(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [copied(item) for item in value]
    return value


def _payload_copy(value: Any) -> Any:
    try:
        return copied(value)
    except RecursionError:
        message = "VideoRequest.payload is nested too deeply, or holds itself"
    raise ValueError(message)


def _model_id(_instance: object, _attribute: object, value: Any) -> None:
    if not isinstance(value, str):
        message = f"VideoRequest.model is the id of a model, a string, not {type(value).__name__}"
        raise TypeError(message)
    if not value or len(value) > _MODEL_ID_LIMIT or value in {".", ".."} or not value.isprintable():
        message = (
            f"VideoRequest.model {value[:40]!r} is not a model id: those look like 'Veo3' or 'wan2.6-i2v'"
        )
        raise ValueError(message)


def _payload(_instance: object, _attribute: object, value: Any) -> None:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        message = "VideoRequest.payload is a mapping of parameter names to values, e.g. {'prompt': 'a river'}"
        raise TypeError(message)


@frozen
class VideoRequest(Record):
    """One wish: a model, its payload, and the caller's own name for it, which is never sent."""

    model: str = field(validator=_model_id)
    payload: Mapping[str, Any] = field(converter=_payload_copy, validator=_payload, repr=False, hash=False)
    key: Any = field(default=None, kw_only=True)

    @classmethod
    def of(cls, payload: object, *, key: Any = None) -> Self:
        """The request that a typed payload stands for; such classes are written by `gmi-video stubs`.

        The payload names its model in `__model__`; fields that are None are not sent, so that the service's
        own defaults hold. Raises `TypeError` for any other object.
        """
        kind = type(payload)
        model = getattr(kind, "__model__", None)
        if not isinstance(model, str) or not has(kind):
            message = f"VideoRequest.of takes a payload class of `gmi-video stubs`, not {kind.__name__}"
            raise TypeError(message)
        told = {item.metadata.get("name", item.name): getattr(payload, item.name) for item in fields(kind)}
        return cls(model, {name: value for name, value in told.items() if value is not None}, key=key)


def without_query(url: str) -> str:
    """`url` without query, fragment and credentials: a presigned link is a secret, its path is not.

    Of a `data:` URL only the type is left: what follows is the file itself.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme == "data":
            return f"data:{parts.path.partition(',')[0][:80]},…"
        host, path = parts.netloc.rpartition("@")[2], parts.path
        if ":" in host and "@" in path and not host.rpartition(":")[2].isdigit():
            host, path = "", path.rpartition("@")[2]  # of a password that holds a slash
        return urlunsplit((parts.scheme, host, path, "", ""))
    except ValueError:
        return "<not a URL>"


def quoted(media: "Media") -> str:
    """A media as sentences name it: its link in quotes, without the query that may be a secret."""
    return repr(without_query(media.url))


@frozen
class Media(Record):
    """One file behind a link; `str()` is the whole link, `repr()` leaves its query out."""

    url: str = field(repr=without_query)
    kind: MediaKind = field(default="video", kw_only=True)
    id: str | None = field(default=None, kw_only=True)

    def __str__(self) -> str:
        return self.url


@frozen(kw_only=True)
class Outcome(Record):
    """What a successful request made. `media` is ordered, the main file first; `thumbnail` is None where the
    service names the video itself as its thumbnail. `raw` is the service's own object, unread keys included.
    """  # noqa: D205  # one thought

    media: tuple[Media, ...] = ()
    thumbnail: Media | None = None
    raw: Mapping[str, Any] = field(repr=False, hash=False)

    @raw.default
    def _as_the_service_would(self) -> dict[str, Any]:
        raw: dict[str, Any] = {}
        if self.media:
            raw["media_urls"] = [{"id": item.id, "url": item.url, "kind": item.kind} for item in self.media]
        if self.thumbnail:
            raw["thumbnail_image_url"] = self.thumbnail.url
        return raw

    @property
    def url(self) -> str | None:
        """The link of the main file, or None where there is none."""
        return self.media[0].url if self.media else None


@frozen(kw_only=True)
class Failure(Record):
    """Why a request failed: `kind` says whose turn it is, `message` are the service's own words, made safe to
    show. `raw` is the service's own object, which may hold links with their queries.
    """  # noqa: D205  # one thought

    kind: Kind = "unknown"
    message: str = ""
    code: str | None = None
    raw: Any = field(repr=False, hash=False)

    @raw.default
    def _as_the_service_would(self) -> dict[str, Any] | None:
        if not self.message and self.code is None and self.kind == "unknown":
            return None
        return {"error": self.message, "code": self.code, "kind": self.kind}

    def __str__(self) -> str:
        return self.message or "the service gave no reason"


@frozen(kw_only=True)
class Snapshot(Record):
    """What the queue says of a request at one moment, the answer to its submission included.

    `word` is the status as the service spelt it; times are aware UTC or None; `payload` is the service's
    echo, which may be empty or None though more was sent.
    """

    request_id: str
    model: str
    status: Status
    word: str = field()
    created_at: datetime | None = None
    updated_at: datetime | None = None
    queued_at: datetime | None = None
    outcome: Outcome | None = None
    failure: Failure | None = None
    org_id: str | None = field(default=None, repr=False)
    user_id: str | None = field(default=None, repr=False)
    is_public: bool | None = field(default=None, repr=False)
    payload: Mapping[str, Any] | None = field(default=None, repr=False, hash=False)
    extra: Mapping[str, Any] = field(factory=dict, repr=False, hash=False)

    @word.default
    def _as_documented(self) -> str:
        return self.status.value

    @property
    def final(self) -> bool:
        """Whether the request has ended."""
        return self.status in _FINAL


@frozen(kw_only=True)
class Saved(Record, os.PathLike[str]):
    """A file that is whole on disk: usable wherever a path is, and as its remote link in a payload."""

    path: Path
    size: int
    sha256: str
    media: Media

    def __fspath__(self) -> str:
        return str(self.path)


@frozen(kw_only=True)
class Video(Record):
    """A finished request: its last snapshot, its media, and the files saved of it."""

    snapshot: Snapshot
    files: tuple[Saved, ...] = ()

    @property
    def media(self) -> tuple[Media, ...]:
        """All files of the outcome, still remote."""
        return self.snapshot.outcome.media if self.snapshot.outcome else ()

    @property
    def url(self) -> str | None:
        """The link of the first media."""
        return self.media[0].url if self.media else None

    @property
    def path(self) -> Path | None:
        """The first file on disk, or None where nothing was to be saved."""
        return self.files[0].path if self.files else None


Link = str | Path | Media | Outcome | Snapshot | Video | Saved
"""What may stand for a file in a payload: its URL, a record that leads to it, or the path of one to be uploaded."""


def first_media(what: object) -> Media | None:
    """The media that `what` stands for: its first, never its thumbnail; None where it has none.

    Media, outcomes, snapshots, videos, saved files and events that carry a snapshot all stand for one.
    """
    if isinstance(what, Media):
        return what
    if isinstance(what, Saved):
        return what.media
    if isinstance(what, Outcome):
        return what.media[0] if what.media else None
    if isinstance(what, Snapshot):
        return first_media(what.outcome)
    return first_media(what.snapshot) if hasattr(what, "snapshot") else None
