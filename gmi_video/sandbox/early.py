"""The early page's door: the payload is the body, `Authorization: Key`, status and result are two calls.

The page says nothing of what a status, a failure or an unfinished result looks like; those are ours.
"""

import json
from collections.abc import Mapping

from attrs import define

from gmi_video.sandbox import answers
from gmi_video.sandbox.answers import Answer, RefusedError
from gmi_video.sandbox.apikey import KeyDoor
from gmi_video.sandbox.resources import NOT_FOUND, Asked, Resources, Routed, chosen

PREFIX = "/video"
ALIASES: Mapping[str, str] = {
    "Wan2_1": "Wan-AI_Wan2.1-T2V-14B",
    "Wan-AI/Wan2.1": "Wan-AI_Wan2.1-T2V-14B",
}
"""Names that only this page has, and what the catalog calls them."""


def route(method: str, path: str) -> Routed:
    """What a call to the queue's host is."""
    match path.removeprefix(PREFIX).split("/") if path.startswith(PREFIX + "/") else []:
        case ["", "requests", subject, "status"] if subject:
            return chosen(method, {"GET": "look"}, subject)
        case ["", "requests", subject] if subject:
            return chosen(method, {"GET": "result"}, subject)
        case ["", model] if model and model != "requests":
            return chosen(method, {"POST": "submit"}, model)
        case _:
            return NOT_FOUND


def route_catalog(method: str, path: str) -> Routed:
    """What a call to the other host is: that of chat, where of video only the list of models is."""
    return chosen(method, {"GET": "models"}) if path == f"{PREFIX}/models" else _not_here(path)


def _not_here(path: str) -> Answer:
    return Answer.text(405, "405 method not allowed") if path.startswith("/api/") else NOT_FOUND


@define
class EarlyDoor:
    """The door that wants `Authorization: Key <key>` for the queue, and `Bearer` for the list of models."""

    resources: Resources
    keys: KeyDoor

    async def answer(self, asked: Asked) -> Answer:
        """What the service says; never raises."""
        scheme, _, key = asked.authorization.partition(" ")
        wanted = "Bearer" if asked.operation == "models" else "Key"
        if not self.keys.good(key) or scheme != wanted:
            return answers.unauthorized()
        try:
            return await self._answer(asked)
        except RefusedError as refusal:
            return refusal.answer

    async def _answer(self, asked: Asked) -> Answer:
        match asked.operation:
            case "submit":
                return await self._submit(asked)
            case "look":
                return self._status(self.resources.looked(asked.subject))
            case "result":
                return self._result(self.resources.looked(asked.subject))
            case _:
                return self._models()

    async def _submit(self, asked: Asked) -> Answer:
        model = ALIASES.get(asked.subject, asked.subject)
        accepted, now = await self.resources.taken(model, _payload(asked.body), asked.behaviour)
        whole = self.resources.service.answer(accepted, now)
        if whole.status != 200:
            return accepted.behaviour.shape(whole)
        told = json.loads(bytes(whole.body))
        short = Answer.of({name: told[name] for name in ("request_id", "status")})
        return accepted.behaviour.shape(short)

    def _status(self, record: Mapping[str, object]) -> Answer:
        short = {name: record[name] for name in ("request_id", "status")}
        reason = _reason(record)
        return Answer.of(short if reason is None else {**short, "error": reason})

    def _result(self, record: Mapping[str, object]) -> Answer:
        reason = _reason(record)
        if reason is not None:
            return Answer.of({"error": reason}, 400)
        if not isinstance(outcome := record["outcome"], dict):
            return Answer.refusal(400, "request is still in progress")
        return Answer.of({kind: {"url": url} for kind, url in _links(outcome)})

    def _models(self) -> Answer:
        service = self.resources.service
        details = [service.model(model) for model in service.models()]
        data = [
            {
                "id": detail["model"],
                "object": detail["model"],
                "created": detail["created_at"],
                "owned_by": detail["org_id"],
            }
            for detail in details
        ]
        return Answer.of({"object": "list", "data": data})


def _payload(body: bytes) -> Mapping[str, object]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise RefusedError(Answer.refusal(400, "invalid request body"))
    return told


def _reason(record: Mapping[str, object]) -> object:
    """Why a request failed; None where it did not."""
    if record["status"] != "failed":
        return None
    outcome = record["outcome"]
    found = outcome.get("error") if isinstance(outcome, dict) else None
    return found or record.get("error") or "generation failed"


def _links(outcome: Mapping[str, object]) -> list[tuple[str, object]]:
    """The first file of each kind under the page's names."""
    several = outcome.get("media_urls")
    if isinstance(several, list) and several:
        first = several[0]
        url = first.get("url") if isinstance(first, dict) else first
        kind = "image" if str(url).endswith("jpeg") else "video"
        return [(kind, url)]
    names = (("video_url", "video"), ("image_url", "image"), ("audio_url", "audio"))
    return [(kind, outcome[name]) for name, kind in names if name in outcome]
