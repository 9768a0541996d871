"""The early page's own routes and envelopes: the payload is the body, and status and result are two calls.

The vendor marked the page "coming soon"; what it does not show (the bodies of a status and of a failure) is
read tolerantly.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from attrs import evolve

from gmi_video._convert import snapshot_of
from gmi_video._ids import checked_id, checked_model
from gmi_video._outcome import failure_of, outcome_of
from gmi_video.records import Snapshot, Status, VideoRequest
from gmi_video.wire import Call, Reply, posted, read, read_snapshot

_PASSING = frozenset({401, 408, 425, 429})
"""Refusals that speak of the call and not of the request."""


def submit_call(request: VideoRequest) -> Call:
    """POST /{model}: the payload itself is the body. Raises `PayloadInvalid`."""
    return posted(request, f"/{quote(checked_model(request.model), safe='')}", dict)


def snapshot_call(request_id: str) -> Call:
    """GET /requests/{id}/status: how a request stands."""
    return Call(operation="snapshot", subject=request_id, url=f"/requests/{checked_id(request_id)}/status")


def result_call(snapshot: Snapshot) -> Call | None:
    """GET /requests/{id}: what an ended request left behind, where its status does not hold it already."""
    told = snapshot.outcome is not None or (snapshot.failure is not None and snapshot.failure.message)
    if told or snapshot.status not in (Status.SUCCESS, Status.FAILED):
        return None
    request_id = snapshot.request_id
    return Call(operation="result", subject=request_id, url=f"/requests/{checked_id(request_id)}")


def read_submission(call: Call, reply: Reply) -> Snapshot:
    """The snapshot that answers a submission; an answer without a status was an acceptance."""
    snapshot: Snapshot = read(call, reply, lambda data: snapshot_of(_with(data, status="queued")))
    return snapshot if snapshot.model else evolve(snapshot, model=call.subject)


def read_status(call: Call, reply: Reply) -> Snapshot:
    """The snapshot that a status is; raises `MalformedResponse` where it is of another request."""
    snapshot: Snapshot = read(call, reply, lambda data: snapshot_of(_with(data, request_id=call.subject)))
    return snapshot if snapshot.request_id == call.subject else read_snapshot(call, reply)


def read_result(snapshot: Snapshot, call: Call, reply: Reply) -> Snapshot:
    """The snapshot with what the result adds. A failure may have no result: then it is what the status said."""
    ended = snapshot.status is not Status.SUCCESS
    if ended and 400 <= reply.status < 500 and reply.status not in _PASSING:
        return snapshot
    changed: Snapshot = read(call, reply, lambda data: _with_result(snapshot, data))
    return changed


def _with(data: object, **assumed: str) -> object:
    """A body with what it may leave out."""
    return {**assumed, **data} if isinstance(data, Mapping) else data


def _with_result(snapshot: Snapshot, data: Any) -> Snapshot:
    record = data if isinstance(data, Mapping) else {}
    raw = record.get("outcome", data)
    if snapshot.status is Status.SUCCESS:
        return evolve(snapshot, outcome=outcome_of(raw))
    return evolve(snapshot, failure=failure_of(raw, record))
