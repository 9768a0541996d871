"""The one converter: between the vendor's JSON and our records.

It tolerates what grows (unknown keys, words, shapes of an outcome) and refuses what breaks (no request id).
Snapshots are read by hand-written hooks because a fleet reads thousands a second; the rest is cattrs'.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar, cast

import cattrs

from gmi_video import errors
from gmi_video._outcome import failure_of, outcome_of, text_or_none
from gmi_video._schema import model_of, parameter_of, parameter_schema, price_of, price_schema, schema_of
from gmi_video.catalog import Model, Parameter, Price, Problem
from gmi_video.errors import GmiVideoError, MalformedResponse
from gmi_video.records import (
    Outcome,
    Snapshot,
    Status,
    VideoRequest,
    first_media,
)

T = TypeVar("T")

REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
"""What may be the id of a request; nothing else reaches a path or a file name."""

_STATUS: dict[str, Status] = {status.value: status for status in Status if status is not Status.UNKNOWN}
_MILLISECONDS = 100_000_000_000  # as seconds this is the year 5138
_NEVER = 1000 * _MILLISECONDS
_KNOWN = frozenset(
    {"request_id", "model", "status", "created_at", "updated_at", "queued_at", "outcome", "org_id", "user_id"}
    | {"is_public", "payload"}
)


def request_id_in(data: Mapping[str, Any], path: str = "") -> str:
    """The id of a request's record; raises `MalformedResponse` where there is none that may be one."""
    found = data.get("request_id")
    if isinstance(found, str) and REQUEST_ID.fullmatch(found):
        return found
    what = "missing" if found is None else "not a request id"
    raise MalformedResponse(f"{what} @ {path}request_id", what=what, path=f"{path}request_id")


def moment(value: object) -> datetime | None:
    """A time as aware UTC: Unix seconds or milliseconds, number or digits, or ISO 8601; else None.

    What lies before 1970 is not a time but a field that was never set: 0, or Go's "0001-01-01T00:00:00Z".
    """
    if type(value) is int and 0 < value <= _MILLISECONDS:  # what the service writes nearly always
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except ValueError:
        return _iso(str(value))
    except OverflowError:
        return None
    if not 1 <= number < _NEVER:
        return None
    return datetime.fromtimestamp(number / 1000 if number > _MILLISECONDS else number, UTC)


def _moment(value: object) -> datetime:
    found = moment(value)
    if found is None:
        message = "not a time"
        raise ValueError(message)
    return found


def _iso(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    seconds = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    return moment(seconds) if seconds <= _MILLISECONDS else None


def _seconds(value: datetime | None) -> float | int | None:
    if value is None:
        return None
    seconds = value.timestamp()
    return int(seconds) if seconds.is_integer() else seconds


def snapshot_of(data: object, path: str = "") -> Snapshot:
    """A full or a short record of a request as a `Snapshot`."""
    if not isinstance(data, (dict, Mapping)):  # a dict needs no look at the registry of the ABC
        raise MalformedResponse(f"not an object @ {path or '$'}", what="not an object", path=path or "$")
    request_id = request_id_in(data, path)
    word = text_or_none(data.get("status")) or ""
    status = _STATUS.get(word) or _STATUS.get(word.strip().lower(), Status.UNKNOWN)
    raw = data.get("outcome")
    extra: dict[str, Any] = {}
    if not data.keys() <= _KNOWN:
        extra = {name: value for name, value in data.items() if name not in _KNOWN}
    outcome = failure = None
    if status is Status.FAILED or status is Status.CANCELLED:
        failure = failure_of(raw, data)
    elif status is Status.SUCCESS:
        outcome = outcome_of(raw)
    if outcome is None and failure is None and raw is not None:
        extra["outcome"] = raw
    model, payload, public = data.get("model"), data.get("payload"), data.get("is_public")
    return Snapshot(
        request_id=request_id,
        model=model if isinstance(model, str) else "",
        status=status,
        word=word,
        created_at=moment(data.get("created_at")),
        updated_at=moment(data.get("updated_at")),
        queued_at=moment(data.get("queued_at")),
        outcome=outcome,
        failure=failure,
        org_id=text_or_none(data.get("org_id")),
        user_id=text_or_none(data.get("user_id")),
        is_public=public if isinstance(public, bool) else None,
        payload=payload if isinstance(payload, Mapping) else None,
        extra=extra,
    )


def _from_snapshot(snapshot: Snapshot) -> dict[str, Any]:
    raw = snapshot.outcome.raw if snapshot.outcome else snapshot.failure.raw if snapshot.failure else None
    short = {
        "request_id": snapshot.request_id,
        "org_id": snapshot.org_id,
        "user_id": snapshot.user_id,
        "model": snapshot.model,
        "status": snapshot.word or (None if snapshot.status is Status.UNKNOWN else snapshot.status.value),
        "is_public": snapshot.is_public,
        "payload": snapshot.payload,
        "outcome": raw,
        "created_at": _seconds(snapshot.created_at),
        "updated_at": _seconds(snapshot.updated_at),
        "queued_at": _seconds(snapshot.queued_at),
    }
    return {name: value for name, value in short.items() if value is not None} | dict(snapshot.extra)


def _from_outcome(outcome: Outcome) -> dict[str, Any]:
    return dict(outcome.raw)


def _links_for(value: Any) -> Any:
    """A payload value with what stands for a remote file as its link, which is how it is sent."""
    if isinstance(value, Mapping):
        return {name: _links_for(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_links_for(item) for item in value]
    media = first_media(value)
    return value if media is None else media.url


def _from_request(request: VideoRequest) -> dict[str, Any]:
    return {"model": request.model, "payload": _links_for(request.payload), "key": request.key}


_SHARED = ("charged", "retryable", "kind")
"""Attributes of errors that may stand on the class alone; a reader of JSON has no class."""


def _from_error(error: GmiVideoError) -> dict[str, Any]:
    plain: dict[str, Any] = {"error": type(error).__name__, "sentence": str(error)}
    for name in (*_SHARED, *vars(error)):
        value = getattr(error, name, None)
        if isinstance(value, Snapshot):
            plain[name] = _from_snapshot(value)
        elif isinstance(value, tuple) and all(isinstance(item, str) for item in value):
            plain[name] = list(value)
        elif isinstance(value, tuple) and all(isinstance(item, Problem) for item in value):
            plain[name] = [unstructure(problem) for problem in value]
        elif value is None or isinstance(value, str | int | float):
            plain[name] = value
    return {name: value for name, value in plain.items() if name != "kind" or value is not None}


def _to_error(data: Mapping[str, Any], kind: type[GmiVideoError]) -> GmiVideoError:
    """The error that `as_dict` wrote; a class that is not known here comes back as `kind`."""
    leaf = getattr(errors, str(data["error"]), None)
    if not (isinstance(leaf, type) and issubclass(leaf, kind)):
        leaf = kind
    error = leaf(str(data.get("sentence", "")))
    for name in (*_SHARED, "suggestions", *vars(error)):
        value = data.get(name)
        if name == "snapshot" and value is not None:
            value = snapshot_of(value, "snapshot.")
        if name == "problems" and isinstance(value, list):
            value = [structure(item, Problem) if isinstance(item, Mapping) else item for item in value]
        if name in data and hasattr(error, name):
            setattr(error, name, tuple(value) if isinstance(value, list) else value)
    return error


def _is_error(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, GmiVideoError)


_converter = cattrs.Converter()
_converter.register_structure_hook(Snapshot, lambda data, _: snapshot_of(data))
_converter.register_unstructure_hook(Snapshot, _from_snapshot)
_converter.register_structure_hook(Outcome, lambda data, _: outcome_of(data) or Outcome())
_converter.register_unstructure_hook(Outcome, _from_outcome)
_converter.register_unstructure_hook(VideoRequest, _from_request)
_converter.register_structure_hook(Model, lambda data, _: model_of(data))
_converter.register_unstructure_hook(Model, schema_of)
_converter.register_structure_hook(Parameter, lambda data, _: parameter_of(data))
_converter.register_unstructure_hook(Parameter, parameter_schema)
_converter.register_structure_hook(Price, lambda data, _: price_of(data))
_converter.register_unstructure_hook(Price, price_schema)
_converter.register_structure_hook(datetime, lambda data, _: _moment(data))
_converter.register_unstructure_hook(datetime, _seconds)
_converter.register_structure_hook(Decimal, lambda data, _: Decimal(data))
_converter.register_unstructure_hook(Decimal, str)
_converter.register_structure_hook(Path, lambda data, _: Path(data))
_converter.register_unstructure_hook(Path, str)
_converter.register_unstructure_hook(Status, lambda status: status.value)
_converter.register_structure_hook_func(_is_error, _to_error)
_converter.register_unstructure_hook_func(_is_error, _from_error)


def structure(data: object, kind: type[T]) -> T:
    """A record of `kind` from its dict; raises `MalformedResponse` that says what is wrong and where."""
    if not isinstance(data, Mapping):
        raise MalformedResponse("not an object @ $", what="not an object", path="$")
    try:
        return _converter.structure(data, kind)
    except MalformedResponse:
        raise
    except cattrs.BaseValidationError as error:
        what = "; ".join(cattrs.transform_error(error))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        what = str(error)
    raise MalformedResponse(f"{kind.__name__}: {what}", what=what, path=kind.__name__)


def unstructure(record: object) -> dict[str, Any]:
    """A record as JSON-able data."""
    return cast("dict[str, Any]", _converter.unstructure(record))
