"""The API as functions: a value becomes a `Call`, a `Reply` becomes a value or a raised error. No network.

Anything that sends a `Call` and brings a `Reply` is a `Transport`; ours is aiohttp's.
Paths and texts are those of the vendor's Video API Reference; error bodies are as seen in production.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol
from urllib.parse import quote, urlencode

from attrs import evolve, field, frozen

from gmi_video._convert import REQUEST_ID, snapshot_of
from gmi_video._decode import decode
from gmi_video._payload import plain
from gmi_video._refusal import malformed, refusal
from gmi_video._schema import model_of
from gmi_video.catalog import Model
from gmi_video.errors import ConfigurationError, MalformedResponse, PayloadInvalid
from gmi_video.records import Media, Record, Snapshot, VideoRequest
from gmi_video.settings import Secret

Operation = Literal["submit", "snapshot", "requests", "models", "model", "media"]

BODY_CAP = 8 * 2**20
"""Bytes that an ordinary answer may have; a record is about 600."""
LIST_CAP = 64 * 2**20
"""Bytes that a page of the list may have: a page of 100 records is about 75 KiB, payload echoes may be large."""


@frozen(kw_only=True)
class Call:
    """One HTTP exchange to be made. `subject` names what it is about, for people; `url` is absolute once
    the call is signed, else a path below the base URL. Neither headers nor body are in the repr.
    """  # noqa: D205  # one thought

    operation: Operation
    subject: str
    url: str = field(repr=False)
    method: str = "GET"
    body: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    cap: int = BODY_CAP
    timeout: float | None = None


@frozen(kw_only=True)
class Reply:
    """What came back whole: header names in lower case, body as bytes. What is `hidden` of it no error quotes."""

    status: int
    headers: Mapping[str, str] = field(factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    hidden: str = field(default="", repr=False)

    @property
    def shown(self) -> bytes:
        """The body as errors may quote it."""
        return self.body.replace(self.hidden.encode(), b"<secret>") if self.hidden else self.body

    @property
    def ok(self) -> bool:
        """Whether the status says success."""
        return 200 <= self.status < 300


class Stream(Protocol):
    """A reply whose body is read piece by piece."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Header names in lower case."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The body; raises `TransportError` leaves."""
        ...


class Transport(Protocol):
    """Sends calls. Raises `TransportError` leaves; `Unreachable` only if not one byte was sent."""

    async def send(self, call: Call) -> Reply:
        """The whole reply, at most `call.cap` bytes of body."""
        ...

    def stream(self, call: Call) -> AbstractAsyncContextManager[Stream]:
        """The reply as a stream, for files."""
        ...

    async def aclose(self) -> None:
        """Closes every connection; a second call does nothing."""
        ...


def checked_id(request_id: object) -> str:
    """A request id that may stand in a path; raises `ConfigurationError` for anything else."""
    if isinstance(request_id, str) and REQUEST_ID.fullmatch(request_id):
        return request_id
    shown = repr(request_id[:60]) if isinstance(request_id, str) else f"a {type(request_id).__name__}"
    message = (
        f"{shown} is not a request id: those have 1 to 128 letters, digits, '-' or '_', and no other sign"
    )
    raise ConfigurationError(message)


def _checked_model(model_id: object) -> str:
    if isinstance(model_id, str) and model_id not in {"", ".", ".."} and model_id.isprintable():
        return model_id
    shown = repr(model_id[:60]) if isinstance(model_id, str) else f"a {type(model_id).__name__}"
    message = f"{shown} is not a model id: those look like 'Veo3' or 'wan2.6-i2v'"
    raise ConfigurationError(message)


def submit_call(request: VideoRequest) -> Call:
    """POST /requests: the one call that costs money. Raises `PayloadInvalid`."""
    try:
        encoded = _encoded({"model": request.model, "payload": plain(request.payload)})
    except UnicodeEncodeError:
        what = "it holds half of a surrogate pair, which is not text"
    except RecursionError:
        what = "it is nested too deeply"
    else:
        headers = {"Content-Type": "application/json"}
        return Call(
            operation="submit",
            subject=request.model,
            url="/requests",
            method="POST",
            body=encoded,
            headers=headers,
        )
    raise PayloadInvalid(f"payload: {what}; nothing was sent")


def _encoded(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def snapshot_call(request_id: str) -> Call:
    """GET /requests/{id}: one look."""
    return Call(operation="snapshot", subject=request_id, url=f"/requests/{checked_id(request_id)}")


def requests_call(model_id: str | None, *, limit: int, offset: int) -> Call:
    """GET /requests: one page of the list."""
    query: dict[str, Any] = {} if model_id is None else {"model_id": _checked_model(model_id)}
    query |= {"limit": limit, "offset": offset}
    subject = "all models" if model_id is None else model_id
    return Call(operation="requests", subject=subject, url=f"/requests?{urlencode(query)}", cap=LIST_CAP)


def models_call() -> Call:
    """GET /models: the ids of the catalog."""
    return Call(operation="models", subject="the catalog", url="/models")


def model_call(model_id: str) -> Call:
    """GET /models/{id}: one model's schema."""
    return Call(
        operation="model", subject=model_id, url=f"/models/{quote(_checked_model(model_id), safe='')}"
    )


def media_call(media: Media, *, timeout: float | None = None) -> Call:
    """GET of a file at the storage host: it carries no credentials, and asks for the bytes as they are."""
    headers = {"Accept-Encoding": "identity"}
    return Call(operation="media", subject=repr(media), url=media.url, headers=headers, timeout=timeout)


def signed(
    call: Call, *, base_url: str, key: str, organization: str | None, user_agent: str, timeout: float
) -> Call:
    """The call as it is sent to the API: absolute, with the caller's credentials."""
    headers = {"Accept": "application/json", "User-Agent": user_agent, **call.headers}
    headers["Authorization"] = Secret(f"Bearer {key}")
    if organization is not None:
        headers["X-Organization-ID"] = Secret(organization)
    return evolve(call, url=base_url + call.url, headers=headers, timeout=timeout)


def record(call: Call, reply: Reply) -> Any:
    """The JSON of a successful reply; raises what `_refusal` makes of any other."""
    if not reply.ok:
        raise refusal(call.operation, call.subject, reply.status, reply.headers, reply.shown)
    try:
        return decode(reply.body)
    except MalformedResponse as error:
        found = error
    raise malformed(call.operation, call.subject, found.what, found.path, reply.shown)


def _read(call: Call, reply: Reply, reader: Any) -> Any:
    try:
        return reader(
            record(call, reply)
        )  # no name for the data: a traceback's locals must not show a prompt
    except MalformedResponse as error:
        found = error
    raise malformed(call.operation, call.subject, found.what, found.path, reply.shown)


def read_submission(call: Call, reply: Reply) -> Snapshot:
    """The snapshot that answers a submission, final for synchronous models."""
    snapshot: Snapshot = _read(call, reply, snapshot_of)
    return snapshot if snapshot.model else evolve(snapshot, model=call.subject)


def read_snapshot(call: Call, reply: Reply) -> Snapshot:
    """The snapshot that a look brings; raises `MalformedResponse` where it is of another request."""
    snapshot: Snapshot = _read(call, reply, snapshot_of)
    if snapshot.request_id != call.subject:
        what = f"the record of {snapshot.request_id}, which is another request"
        raise malformed(call.operation, call.subject, what, "request_id", reply.shown)
    return snapshot


@frozen(kw_only=True)
class Page(Record):
    """One page of the list. `skipped` items were not records; `more` is None where the service does not say."""

    snapshots: tuple[Snapshot, ...] = ()
    skipped: int = 0
    total: int | None = None
    more: bool | None = None


def _items(data: object, *names: str) -> list[Any]:
    if isinstance(data, list):
        return data
    if isinstance(data, Mapping):
        for name in names:
            if isinstance(data.get(name), list):
                return list(data[name])
        if any(name in data and data[name] is None for name in names):
            return []
    what = f"no list of {names[0]}"
    raise MalformedResponse(f"{what} @ $", what=what, path="$")


def _page(data: object) -> Page:
    snapshots: list[Snapshot] = []
    items = _items(data, "requests", "data")
    for item in items:
        try:
            snapshots.append(snapshot_of(item))
        except MalformedResponse:  # one odd record is counted, the others are kept
            continue
    envelope = data if isinstance(data, Mapping) else {}
    total, more = envelope.get("total"), envelope.get("has_more")
    return Page(
        snapshots=tuple(snapshots),
        skipped=len(items) - len(snapshots),
        total=total if isinstance(total, int) and not isinstance(total, bool) else None,
        more=more if isinstance(more, bool) else None,
    )


def read_requests(call: Call, reply: Reply) -> Page:
    """One page of the list; what is not a record in it is counted and left out."""
    page: Page = _read(call, reply, _page)
    return page


def _model_ids(data: object) -> tuple[str, ...]:
    items = _items(data, "model_ids", "models", "data")
    names = (item.get("model") or item.get("id") if isinstance(item, Mapping) else item for item in items)
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name))


def read_models(call: Call, reply: Reply) -> tuple[str, ...]:
    """The ids of the catalog in the service's order, each once."""
    ids: tuple[str, ...] = _read(call, reply, _model_ids)
    return ids


def read_model(call: Call, reply: Reply) -> Model:
    """One model's description."""
    model: Model = _read(call, reply, lambda data: model_of(data, call.subject))
    return model
