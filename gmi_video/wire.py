"""The API as functions: a value becomes a `Call`, a `Reply` becomes a value or a raised error. No network.

Anything that sends a `Call` and brings a `Reply` is a `Transport`; ours is aiohttp's.
Paths and texts are those of the vendor's Video API Reference; error bodies are as seen in production.
"""

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus

from attrs import evolve, frozen

from gmi_video._call import BODY_CAP, LIST_CAP, Call, Operation, Reply, Stream, Transport
from gmi_video._convert import snapshot_of
from gmi_video._decode import decode
from gmi_video._envelope import extent_of, items_of
from gmi_video._ids import checked_id, checked_model
from gmi_video._payload import plain
from gmi_video._refusal import malformed, refusal
from gmi_video._schema import model_of
from gmi_video.catalog import Model
from gmi_video.errors import MalformedResponse, PayloadInvalid
from gmi_video.records import Media, Record, Snapshot, VideoRequest, quoted
from gmi_video.settings import Secret

__all__ = [
    "BODY_CAP",
    "CATALOG",
    "LIST_CAP",
    "Call",
    "Operation",
    "Page",
    "Reply",
    "Stream",
    "Transport",
    "checked_id",
    "encode",
    "items_of",
    "media_call",
    "model_call",
    "model_ids",
    "models_call",
    "posted",
    "read",
    "read_model",
    "read_models",
    "read_requests",
    "read_snapshot",
    "read_submission",
    "record",
    "requests_call",
    "signed",
    "snapshot_call",
    "submit_call",
]


def submit_call(request: VideoRequest) -> Call:
    """POST /requests: the one call that costs money. Raises `PayloadInvalid`."""
    return posted(request, "/requests", lambda payload: {"model": request.model, "payload": payload})


def posted(request: VideoRequest, url: str, body: Callable[[Any], Any]) -> Call:
    """The POST that submits a request at some door, which has its own path and body."""
    try:
        encoded = encode(body(plain(request.payload)))
    except UnicodeEncodeError:
        what = "it holds half of a surrogate pair, which is not text"
    except RecursionError:
        what = "it is nested too deeply"
    else:
        headers = {"Content-Type": "application/json"}
        return Call(
            operation="submit",
            subject=request.model,
            url=url,
            method="POST",
            body=encoded,
            headers=headers,
        )
    raise PayloadInvalid(f"payload: {what}; nothing was sent")


def encode(body: Mapping[str, Any]) -> bytes:
    """A body as it is sent. Raises `UnicodeEncodeError`, `RecursionError`."""
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def snapshot_call(request_id: str) -> Call:
    """GET /requests/{id}: one look."""
    return Call(operation="snapshot", subject=request_id, url=f"/requests/{checked_id(request_id)}")


def requests_call(model_id: str | None, *, limit: int, offset: int) -> Call:
    """GET /requests: one page of the list."""
    subject = "all models" if model_id is None else model_id
    only = "" if model_id is None else f"model_id={_escaped(checked_model(model_id))}&"
    url = f"/requests?{only}limit={limit}&offset={offset}"
    return Call(operation="requests", subject=subject, url=url, cap=LIST_CAP)


_escaped = lru_cache(maxsize=256)(quote_plus)


def models_call() -> Call:
    """GET /models: the ids of the catalog."""
    return Call(operation="models", subject="the catalog", url="/models")


def model_call(model_id: str) -> Call:
    """GET /models/{id}: one model's schema."""
    return Call(operation="model", subject=model_id, url=f"/models/{quote(checked_model(model_id), safe='')}")


def media_call(media: Media, *, timeout: float | None = None) -> Call:
    """GET of a file at the storage host: it carries no credentials, and asks for the bytes as they are."""
    headers = {"Accept-Encoding": "identity"}
    return Call(operation="media", subject=quoted(media), url=media.url, headers=headers, timeout=timeout)


def signed(
    call: Call,
    *,
    base_url: str,
    key: str | None,
    organization: str | None,
    user_agent: str,
    timeout: float,
    scheme: str = "Bearer",
) -> Call:
    """The call as it is sent to the API: absolute, with the caller's credentials where there are any yet."""
    headers = {"Accept": "application/json", "User-Agent": user_agent, **call.headers}
    if key is not None:
        headers["Authorization"] = Secret(f"{scheme} {key}")
    if organization is not None:
        headers["X-Organization-ID"] = Secret(organization)
    return Call(
        operation=call.operation,
        subject=call.subject,
        url=base_url + call.url,
        method=call.method,
        body=call.body,
        chunks=call.chunks,
        headers=headers,
        cap=call.cap,
        timeout=timeout,
    )


def record(call: Call, reply: Reply) -> Any:
    """The JSON of a successful reply; raises what `_refusal` makes of any other."""
    if not reply.ok:
        raise refusal(call.operation, call.subject, reply.status, reply.headers, reply.shown)
    try:
        return decode(reply.body)
    except MalformedResponse as error:
        found = error
    raise malformed(call.operation, call.subject, found.what, found.path, reply.shown)


def read(call: Call, reply: Reply, reader: Callable[[Any], Any]) -> Any:
    """What a reader makes of a successful reply; raises what is wrong with it, and where."""
    try:
        return reader(
            record(call, reply)
        )  # no name for the data: a traceback's locals must not show a prompt
    except MalformedResponse as error:
        found = error
    raise malformed(call.operation, call.subject, found.what, found.path, reply.shown)


def read_submission(call: Call, reply: Reply) -> Snapshot:
    """The snapshot that answers a submission, final for synchronous models."""
    snapshot: Snapshot = read(call, reply, snapshot_of)
    return snapshot if snapshot.model else evolve(snapshot, model=call.subject)


def read_snapshot(call: Call, reply: Reply) -> Snapshot:
    """The snapshot that a look brings; raises `MalformedResponse` where it is of another request."""
    snapshot: Snapshot = read(call, reply, snapshot_of)
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


def _page(data: object) -> Page:
    snapshots: list[Snapshot] = []
    items = items_of(data, "requests", "data")
    for item in items:
        try:
            snapshots.append(snapshot_of(item))
        except MalformedResponse:  # one odd record is counted, the others are kept
            continue
    total, more = extent_of(data)
    return Page(snapshots=tuple(snapshots), skipped=len(items) - len(snapshots), total=total, more=more)


def read_requests(call: Call, reply: Reply) -> Page:
    """One page of the list; what is not a record in it is counted and left out."""
    page: Page = read(call, reply, _page)
    return page


CATALOG = ("model_ids", "models", "data")
"""The names under which the list of models stands: with an API key, at the console, and on the early page."""


def model_ids(data: object) -> tuple[str, ...]:
    """The ids in whichever envelope the models are listed, each once."""
    items = items_of(data, *CATALOG)
    names = (
        item.get("model") or item.get("id") or item.get("object") if isinstance(item, Mapping) else item
        for item in items
    )
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name))


def read_models(call: Call, reply: Reply) -> tuple[str, ...]:
    """The ids of the catalog in the service's order, each once."""
    ids: tuple[str, ...] = read(call, reply, model_ids)
    return ids


def read_model(call: Call, reply: Reply) -> Model:
    """One model's description."""
    model: Model = read(call, reply, lambda data: model_of(data, call.subject))
    return model
