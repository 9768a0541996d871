"""A reply that is not a success becomes exactly one error: the table of statuses and of the service's words.

Bodies are as seen in production: `{"error": "…"}` from the queue, `{"message": "…"}` from the account
service, an object under `error` from the chat edge, HTML from Cloudflare, plain text from gateways.
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from gmi_video import errors
from gmi_video._convert import REQUEST_ID
from gmi_video._decode import decode
from gmi_video._kind import kind_of
from gmi_video._words import excerpt, one_line, words_in
from gmi_video.errors import MalformedResponse, ResponseError

_PAGE = 65_536
_TITLE = re.compile(r"<title[^<>]{0,100}>([^<]{1,300})", re.IGNORECASE)
EDGE = "error 1010: the edge refuses this client"
"""Said where the call did not come as far as the service: it tells nothing of key, password or token."""
_CLIENT_REFUSED = re.compile(rb"\b1010\b")
_BACKEND = re.compile(r"backend error \((\d{3})\)", re.IGNORECASE)
_NO_ACCESS = re.compile(r"do(es)? not have access|not entitled", re.IGNORECASE)
_VERBS = {
    "submit": "submit a request to {}",
    "snapshot": "show request {}",
    "result": "show the result of {}",
    "requests": "list the requests of {}",
    "models": "show {}",
    "model": "show model {}",
    "media": "hand out {}",
    "login": "log in to {}",
    "refresh": "go on with the login of {}",
    "profile": "show whose login it is to {}",
    "upload": "say where to put {}",
}
_LEAVES: dict[int, type[ResponseError]] = {
    401: errors.Unauthorized,
    402: errors.InsufficientCredit,
    403: errors.NotEntitled,
    404: errors.NotFound,
    408: errors.ServiceError,
    425: errors.ServiceError,
    429: errors.RateLimited,
    499: errors.ServiceError,
}
_HINTS = {
    401: "check that the key is an API key with the scope of inference, and has not expired",
    402: "add credits to the account, or ask for something cheaper",
    405: "is base_url the video queue's? the chat host answers so",
}


def retry_after(data: object, headers: Mapping[str, str]) -> float | None:
    """Seconds to wait: the body's `rate_limit.retry_after_ms` first, else the header; junk is None."""
    limit = data.get("rate_limit") if isinstance(data, Mapping) else None
    waited = limit.get("retry_after_ms") if isinstance(limit, Mapping) else None
    milliseconds = _positive(waited)
    if milliseconds is not None:
        return milliseconds / 1000
    words = headers.get("retry-after", "")
    seconds = _positive(words.split(",")[0])
    return _until(words, headers.get("date", "")) if seconds is None else seconds


def rate_limit(data: object) -> tuple[int | None, float | None]:
    """How many submissions of a model per how many seconds a 429 states in its body; None where it does not."""
    stated = data.get("rate_limit") if isinstance(data, Mapping) else None
    if not isinstance(stated, Mapping):
        return None, None
    limit, interval = _positive(stated.get("limit")), _positive(stated.get("interval_seconds"))
    if limit is None or interval is None or not 1 <= limit <= 10_000 or not 0 < interval <= 86_400:
        return None, None
    return int(limit), interval


def _positive(value: object) -> float | None:
    """A finite number, written in whatever way, that is not below zero; junk is None."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return max(0.0, number) if number - number == 0 else None


def _until(then: str, now: str) -> float | None:
    """Seconds between a `Retry-After` date and the reply's own `Date`: the two share one clock."""
    try:
        return max(0.0, (parsedate_to_datetime(then) - parsedate_to_datetime(now)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def _words(body: bytes) -> tuple[Any, str, str | None]:
    """The JSON of an error body (or None), the service's words in it, and their code."""
    try:
        data = decode(body)
    except MalformedResponse:
        return None, "", None
    if isinstance(data, Mapping):
        for name in ("error", "message", "detail", "errors"):
            found = data.get(name)
            words, code = words_in(found)
            if words:
                return data, one_line(words, 500), code
    return data, one_line(data, 500) if isinstance(data, str) else "", None


def _edge(status: int, text: str, body: bytes) -> str:
    """What a body that is not the queue's says of itself, for people: an edge's page, a gateway's line."""
    title = _TITLE.search(body[:_PAGE].decode("utf-8", "replace"))
    page = f"an HTML page, {one_line(title[1], 80)!r}" if title else f"{text!r}" if text else "an empty body"
    refused = status == 403 and _CLIENT_REFUSED.search(body[:_PAGE])
    return f"{page} ({EDGE})" if refused else page


def _leaf(status: int, words: str, code: str | None) -> type[ResponseError]:
    if status == 404 and _NO_ACCESS.search(words):
        return errors.NotEntitled
    if leaf := _LEAVES.get(status):
        return leaf
    if 400 <= status < 500:
        return errors.ContentRefused if kind_of(words, code) == "content" else errors.Rejected
    inner = _BACKEND.search(words)
    if inner and inner[1].startswith("4"):
        return errors.BackendRefused
    return errors.ServiceError


def refusal(
    operation: str, subject: str, status: int, headers: Mapping[str, str], body: bytes
) -> ResponseError:
    """The one error that this reply is.

    A submission may have been accepted all the same where an edge or a proxy gives up on it: every 5xx and
    3xx but the backend's own refusal and a 503 of the queue itself, which says that it took nothing.
    """
    data, words, code = _words(body)
    text = excerpt(body)
    leaf = _leaf(status, words, code)
    said = words or (text if data is not None and text else _edge(status, text, body))
    if 300 <= status < 400:
        said = "it points elsewhere, and calls with a key are not redirected"
    known = status in _HINTS and operation not in {"login", "refresh"}
    hint = f"; {_HINTS[status]}" if known else ""
    verb = _VERBS.get(operation, operation + " {}").format(subject)
    kind = kind_of(words, code)
    own = leaf in (errors.Rejected, errors.BackendRefused) and kind != "unknown"
    unclear = operation == "submit" and leaf is errors.ServiceError and not (status == 503 and words)
    return leaf(
        f"GMI refused to {verb} ({status}): {said}{hint}",
        status=status,
        words=words,
        retry_after=retry_after(data, headers),
        excerpt=text if not words else "",
        kind=kind if own else None,
        charged="maybe" if unclear else None,
        retryable=False if unclear or 300 <= status < 400 else None,
        request_id=subject if operation in {"snapshot", "result"} else _named(data),
    )


def _named(data: object) -> str | None:
    """The id of the failed record that a refused submission left behind, where the body names one."""
    found = data.get("request_id") if isinstance(data, Mapping) else None
    return found if isinstance(found, str) and REQUEST_ID.fullmatch(found) else None


def malformed(operation: str, subject: str, what: str, path: str, body: bytes) -> MalformedResponse:
    """A success that could not be understood, with the beginning of what came. A submission may run all the same."""
    verb = _VERBS.get(operation, operation + " {}").format(subject)
    text = excerpt(body)
    return MalformedResponse(
        f"GMI's answer to {verb} was not understood: {what} @ {path}; it begins {text!r}",
        what=what,
        path=path,
        excerpt=text,
        request_id=subject if operation in {"snapshot", "result"} else None,
        charged="maybe" if operation == "submit" else None,
        retryable=False if operation == "submit" else None,
    )
