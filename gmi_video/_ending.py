"""How a wait ended: a snapshot to go on with, or the error that says why there is none."""

from gmi_video import errors
from gmi_video.events import Event, GaveUp
from gmi_video.records import Snapshot, Status


def ended(event: Event | None, request_id: str) -> Snapshot:
    """The snapshot of a success that has media; raises `GenerationError` leaves, and `NotFound`.

    `event` is the last that the watch of this request told: where it is not final, the watch was closed.
    """
    snapshot: Snapshot | None = getattr(event, "snapshot", None)
    if event is None or not event.final:
        message = f"the session was closed while request {request_id} was running; resume with its id"
        raise errors.GenerationOverdue(message, snapshot=snapshot, request_id=request_id)
    common = {"request_id": event.request_id, "key": event.key}
    if isinstance(event, GaveUp) or snapshot is None:
        raise _gave_up(event, snapshot)
    name = f"request {event.request_id} of {snapshot.model}"
    failure = snapshot.failure
    if snapshot.status is Status.CANCELLED:
        why = f": {failure.message}" if failure and failure.message else ""
        raise errors.GenerationCancelled(
            f"{name} was cancelled at the service{why}", snapshot=snapshot, **common
        )
    if snapshot.status is Status.FAILED:
        kind = failure.kind if failure else "unknown"
        again = kind in {"rate", "service"}
        message = f"{name} failed: {failure or 'the service gave no reason'}"
        raise errors.GenerationFailed(message, snapshot=snapshot, kind=kind, retryable=again, **common)
    if not (snapshot.outcome and snapshot.outcome.media):
        raise errors.GenerationEmpty(f"{name} succeeded but names no file", snapshot=snapshot, **common)
    return snapshot


def _gave_up(event: Event, snapshot: Snapshot | None) -> errors.GmiVideoError:
    request_id = event.request_id
    if isinstance(event, GaveUp) and event.reason == "not found":
        message = f"GMI knows no request {request_id} (those made in its console cannot be shown by id)"
        return errors.NotFound(message, status=404, request_id=request_id, key=event.key)
    seconds = f"{event.elapsed:.0f} s"
    if snapshot is None:
        message = f"request {request_id} was not seen within {seconds}: no answer of GMI's told of it; resume with its id"
    elif snapshot.status is Status.SUCCESS:
        message = f"request {request_id} is done, and names no file yet after {seconds}; resume with its id"
    else:
        state = snapshot.word or snapshot.status.value
        message = (
            f"request {request_id} is still running after {seconds}, last seen {state}; resume with its id"
        )
    charged: errors.Charged = "yes" if snapshot else "maybe"
    return errors.GenerationOverdue(
        message, snapshot=snapshot, request_id=request_id, key=event.key, charged=charged
    )
