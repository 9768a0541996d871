"""What the service says over HTTP: one frozen `Answer`, and the vendor's own texts for each refusal."""

import json
from collections.abc import Mapping, Sequence
from typing import Self, TypeAlias

from attrs import evolve, frozen

from gmi_video.sandbox.faults import Fault

JSON_TYPE = "application/json; charset=utf-8"
"""The queue is a Go service; its framework spells the type like this."""

_CLOUDFLARE = """<!DOCTYPE html>
<html lang="en-US"><head><title>Access denied | console.gmicloud.ai used Cloudflare to restrict access</title>
</head><body><h1>Error 1010</h1><p>The owner of this website (console.gmicloud.ai) has banned your access
based on your browser's signature.</p><p>error code: 1010</p></body></html>
"""
_GATEWAY = """<html>
<head><title>{status} {reason}</title></head>
<body><center><h1>{status} {reason}</h1></center><hr><center>cloudflare</center></body>
</html>
"""
_REASONS = {
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Time-out",
}


Bytes: TypeAlias = bytes | memoryview
"""A body; a large one lies in a file and is only looked at."""


@frozen
class Answer:
    """A reply before it is put on a socket: status, body bytes, their type, further headers."""

    status: int
    body: Bytes
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    fault: Fault | None = None
    """What happens to it on its way to the caller."""

    @classmethod
    def of(cls, value: object, status: int = 200) -> Self:
        """The JSON answer that says `value`, keys in the order given, as the service writes them."""
        return cls(
            status, json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
        )

    @classmethod
    def refusal(cls, status: int, text: str, **more: object) -> Self:
        """The queue's error envelope: `{"error": text}`, and what else belongs beside it."""
        return cls.of({"error": text, **more}, status)

    @classmethod
    def html(cls, status: int) -> Self:
        """What the edge in front of the queue says: Cloudflare's 1010 for a 403, a gateway page otherwise."""
        page = (
            _CLOUDFLARE if status == 403 else _GATEWAY.format(status=status, reason=_REASONS.get(status, ""))
        )
        return cls(status, page.encode(), "text/html; charset=UTF-8")

    @classmethod
    def text(cls, status: int, text: str) -> Self:
        """A plain-text answer, as the router says it for a path it does not know."""
        return cls(status, text.encode(), "text/plain; charset=utf-8")


class RefusedError(Exception):
    """The queue says no; `answer` is what the caller is told. Inside the sandbox only."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


def unauthorized() -> Answer:
    """401. The exact body is not known from outside; the words are those the vendor's SDK raises."""
    return Answer.refusal(401, "Access token expired or invalid")


def unknown_model(model: str) -> Answer:
    """404, also for the right letters in the wrong case: ids are case-sensitive."""
    return Answer.refusal(404, f"model {model} does not exist")


def unknown_request() -> Answer:
    """404 for an id that this surface does not know."""
    return Answer.refusal(404, "Request not found")


def invalid_parameters(problems: Sequence[tuple[str, str]]) -> Answer:
    """400 before anything is priced: each parameter with its reason in brackets."""
    told = ", ".join(f"{name} ({reason})" for name, reason in problems)
    return Answer.refusal(400, f"invalid payload parameters: {told}")


def not_entitled(status: int, model: str) -> Answer:
    """404 or 403 for a model that is listed and not open to this account; checked after the payload."""
    return Answer.refusal(status, f"you do not have access to model {model}")


def insufficient_credit() -> Answer:
    """402 at submission, decided per price: cheaper models still pass."""
    return Answer.refusal(402, "Insufficient credits. Please add more credits to your account.")


def rate_limited(
    model: str, limit: int, interval: float, retry_after: float, *, header: bool = False
) -> Answer:
    """429 with the body seen in production; `retry_after` in seconds.

    Nobody has confirmed a `Retry-After` header on it, so one is sent only where `header` asks for it.
    """
    wait = max(1, round(retry_after * 1000))
    seconds = int(interval)
    answer = Answer.of(
        {
            "error": f"Rate limit exceeded for model {model}: {limit} requests per {seconds} seconds. "
            f"Retry in {wait} ms.",
            "rate_limit": {
                "limit_type": "RPM",
                "limit": limit,
                "interval_seconds": seconds,
                "retry_after_ms": wait,
            },
        },
        429,
    )
    if not header:
        return answer
    return Answer(429, answer.body, headers=(("Retry-After", str(-(-wait // 1000))),))


def backend_error(status: int) -> Answer:
    """500 that hides an upstream refusal: the status upstream stands in brackets, the reason nowhere."""
    return Answer.refusal(500, f"Backend error ({status}). Please try again.")


def capacity(text: str) -> Answer:
    """503, seen on synchronous models for twenty minutes at a time while the catalog kept answering."""
    return Answer.refusal(503, text)


def rejected_work(text: str, request_id: str) -> Answer:
    """400 of a synchronous model whose work failed: the queue's one envelope with an id in it."""
    return Answer.refusal(400, text, request_id=request_id)


def reshaped(answer: Answer, without: Sequence[str], adds: Mapping[str, object], cut: int | None) -> Answer:
    """`answer` with keys left out, keys added, and all after `cut` bytes lost (a well-formed reply, bad JSON)."""
    body = answer.body
    if without or adds:
        told = {key: value for key, value in json.loads(bytes(body)).items() if key not in without}
        body = Answer.of({**told, **adds}).body
    if cut is not None:
        body = body[:cut]
    return evolve(answer, body=body)
