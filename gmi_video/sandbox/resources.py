"""What every door asks of the queue: the five resources and the upload, over plain values.

A door is handed a call as plain values and gives an `Answer` back; it never sees a socket.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import cast
from urllib.parse import parse_qs, unquote

from attrs import define, frozen

from gmi_video.sandbox import paging
from gmi_video.sandbox.answers import Answer, RefusedError
from gmi_video.sandbox.behaviour import Behaviour
from gmi_video.sandbox.calls import Operation
from gmi_video.sandbox.listing import HONEST
from gmi_video.sandbox.queue import Request
from gmi_video.sandbox.service import Accepted, Service

Routed = tuple[Operation, str] | Answer
"""The operation a call is, and the id in its path; or the router's own 404 or 405."""
NOT_FOUND = Answer.text(404, "404 page not found")


@frozen
class Asked:
    """One HTTP call as a door takes it: the operation and what its path names, the query, the body."""

    operation: Operation
    subject: str
    query: str
    authorization: str
    body: bytes
    behaviour: Behaviour
    path: str = ""


def chosen(method: str, allowed: Mapping[str, Operation], subject: str = "") -> Routed:
    """The operation that a method is at a path where these are allowed."""
    if method not in allowed:
        return Answer.text(405, "405 method not allowed")
    return allowed[method], unquote(subject)


def resource(method: str, path: str) -> Routed:
    """What a call is, by its path below the prefix of a door."""
    match path.split("/"):
        case ["", "models"]:
            return chosen(method, {"GET": "models"})
        case ["", "models", subject] if subject:
            return chosen(method, {"GET": "model"}, subject)
        case ["", "requests"]:
            return chosen(method, {"GET": "list", "POST": "submit"})
        case ["", "upload-url"]:
            return chosen(method, {"POST": "upload"})
        case ["", "requests", subject] if subject:
            return chosen(method, {"GET": "look"}, subject)
        case _:
            return NOT_FOUND


@define
class Resources:
    """The queue as the doors share it: what comes in at one of them is seen at all."""

    service: Service
    wait: Callable[[float], Awaitable[None]]
    """Waits until the queue's clock shows a moment."""
    now: Callable[[], float]
    working: Callable[[Request], None]
    """Told of each request that a caller saw at work."""
    issue: Callable[[object], Answer]
    """Gives the URLs for an upload of a file type."""

    async def answer(self, asked: Asked, models: Callable[[], object]) -> Answer:
        """What the service says to a caller who may ask; `models` is the door's own list of them. Never raises."""
        try:
            if asked.operation == "submit":
                return await self._submit(asked)
            return Answer.of(models()) if asked.operation == "models" else self._read(asked)
        except RefusedError as refused:
            return refused.answer

    async def taken(
        self, model: str, payload: Mapping[str, object], behaviour: Behaviour
    ) -> tuple[Accepted, float]:
        """A submission that was taken in, and when it is answered; raises `RefusedError`."""
        accepted = self.service.submit(self.now(), model, payload, behaviour)
        if accepted.answers_at > self.now():
            self.saw(accepted.request)
            await self.wait(accepted.answers_at)
        # A timer may fire a tick early; the record of a synchronous model is finished when it is told.
        return accepted, max(self.now(), accepted.answers_at)

    def _read(self, asked: Asked) -> Answer:
        match asked.operation:
            case "look":
                return Answer.of(self.looked(asked.subject))
            case "list":
                return self._list(asked)
            case "upload":
                return self.issue(_file_type(asked.body))
            case _:
                return Answer.of(self.service.model(asked.subject))

    async def _submit(self, asked: Asked) -> Answer:
        model, payload = _submission(asked.body)
        accepted, now = await self.taken(model, payload, asked.behaviour)
        return accepted.behaviour.shape(self.service.answer(accepted, now))

    def looked(self, request_id: str) -> Mapping[str, object]:
        """The record of a request at this moment; raises `RefusedError`."""
        now = self.now()
        request = self.service.look(now, request_id)
        self.saw(request)
        return self.service.queue.record(request, now)

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
            self.saw(request)
        queue = self.service.queue
        records = [queue.record(request, now - listing.lags) for request in page.requests]
        if listing is HONEST:
            return Answer.of({"requests": records, "total": page.total, "has_more": page.has_more})
        return Answer.of(paging.told(listing, page, records))

    def saw(self, request: Request) -> None:
        """Tells of a request that a caller saw, if it is at work."""
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
