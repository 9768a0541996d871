"""The API-key door: paths, headers and envelopes of `…/ie/requestqueue/apikey` over the queue.

A door is handed a call as plain values and gives an `Answer` back; it never sees a socket.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import cast
from urllib.parse import parse_qs, unquote

from attrs import define, frozen

from gmi_video.sandbox import answers, paging
from gmi_video.sandbox.answers import Answer, RefusedError
from gmi_video.sandbox.behaviour import Behaviour
from gmi_video.sandbox.calls import Operation
from gmi_video.sandbox.listing import HONEST
from gmi_video.sandbox.queue import Request
from gmi_video.sandbox.service import Service

PREFIX = "/api/v1/ie/requestqueue/apikey"


@frozen
class Asked:
    """One HTTP call as a door takes it: the operation and what its path names, the query, the body."""

    operation: Operation
    subject: str
    query: str
    authorization: str
    body: bytes
    behaviour: Behaviour


def route(method: str, path: str) -> tuple[Operation, str] | Answer:
    """The operation a call is, and the id in its path; or the router's own 404 or 405."""
    parts = path.removeprefix(PREFIX).split("/")
    match parts if path.startswith(PREFIX) else []:
        case ["", "models"]:
            allowed: dict[str, Operation] = {"GET": "models"}
            subject = ""
        case ["", "models", subject] if subject:
            allowed = {"GET": "model"}
        case ["", "requests"]:
            allowed = {"GET": "list", "POST": "submit"}
            subject = ""
        case ["", "upload-url"]:
            allowed = {"POST": "upload"}
            subject = ""
        case ["", "requests", subject] if subject:
            allowed = {"GET": "look"}
        case _:
            return Answer.text(404, "404 page not found")
    if method not in allowed:
        return Answer.text(405, "405 method not allowed")
    return allowed[method], unquote(subject)


@define
class KeyDoor:
    """The door that wants `Authorization: Bearer <key>`."""

    service: Service
    api_key: str
    wait: Callable[[float], Awaitable[None]]
    """Waits until the queue's clock shows a moment."""
    now: Callable[[], float]
    working: Callable[[Request], None]
    """Told of each request that a caller saw at work."""
    issue: Callable[[object], Answer]
    """Gives the URLs for an upload of a file type."""

    async def answer(self, asked: Asked) -> Answer:
        """What the service says; never raises."""
        expired = self.service.reading.key_expired()
        if expired or asked.authorization != f"Bearer {self.api_key}":
            return answers.unauthorized()
        try:
            return await self._submit(asked) if asked.operation == "submit" else self._read(asked)
        except RefusedError as refused:
            return refused.answer

    def _read(self, asked: Asked) -> Answer:
        match asked.operation:
            case "look":
                return self._look(asked.subject)
            case "list":
                return self._list(asked)
            case "upload":
                return self.issue(_file_type(asked.body))
            case "models":
                return Answer.of({"model_ids": self.service.models()})
            case _:
                return Answer.of(self.service.model(asked.subject))

    async def _submit(self, asked: Asked) -> Answer:
        model, payload = _submission(asked.body)
        accepted = self.service.submit(self.now(), model, payload, asked.behaviour)
        if accepted.answers_at > self.now():
            self._seen(accepted.request)
            await self.wait(accepted.answers_at)
        # A timer may fire a tick early; the record of a synchronous model is finished when it is told.
        now = max(self.now(), accepted.answers_at)
        return accepted.behaviour.shape(self.service.answer(accepted, now))

    def _look(self, request_id: str) -> Answer:
        now = self.now()
        request = self.service.look(now, request_id)
        self._seen(request)
        return Answer.of(self.service.queue.record(request, now))

    def _list(self, asked: Asked) -> Answer:
        script = self.service.reading.script
        listing = asked.behaviour.listing or script.listing
        refusal = listing.refusal()
        if refusal is not None:
            return refusal
        told = {name: values[-1] for name, values in parse_qs(asked.query).items()}
        limit, offset = _count(told, "limit", script.page), _count(told, "offset", 0)
        now = self.now()
        model = told.get("model_id", "")
        page = self.service.page(now, model=model, limit=limit, offset=offset, listing=listing)
        for request in page.requests:
            self._seen(request)
        queue = self.service.queue
        records = [queue.record(request, now - listing.lags) for request in page.requests]
        if listing is HONEST:
            return Answer.of({"requests": records, "total": page.total, "has_more": page.has_more})
        return Answer.of(paging.told(listing, page, records))

    def _seen(self, request: Request) -> None:
        if request.working(self.now()):
            self.working(request)


def _submission(body: bytes) -> tuple[str, Mapping[str, object]]:
    try:
        told = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise RefusedError(Answer.refusal(400, "invalid request body"))
    model, payload = told.get("model"), told.get("payload")
    if not isinstance(model, str) or not model:
        raise RefusedError(Answer.refusal(400, "model is required"))
    if payload is None:
        payload = {}
    if not isinstance(payload, dict):
        raise RefusedError(Answer.refusal(400, "payload must be an object"))
    return model, cast("Mapping[str, object]", payload)


def _file_type(body: bytes) -> object:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    return told.get("file_type") if isinstance(told, dict) else None


def _no_number(word: str) -> object:
    raise ValueError(word)


def _count(told: Mapping[str, str], name: str, default: int) -> int:
    value = told.get(name)
    if value is None:
        return default
    if not value.isdigit() or len(value) > 9:
        raise RefusedError(Answer.refusal(400, f"invalid query parameter: {name}"))
    return int(value)
