"""The console door: the same resources for a person's session, with whole models in the list, and the account."""

import json
from collections.abc import Callable, Mapping

from attrs import define, field

from gmi_video.sandbox import answers
from gmi_video.sandbox.answers import Answer
from gmi_video.sandbox.resources import NOT_FOUND, Asked, Resources, Routed, chosen, resource
from gmi_video.sandbox.sessions import Sessions, refused

PREFIX = "/api/v1/ie/requestqueue"
ACCOUNT = "/api/v1"


def route(method: str, path: str) -> Routed:
    """What a call at this door is."""
    if path.startswith(PREFIX):
        return resource(method, path.removeprefix(PREFIX))
    match path.removeprefix(ACCOUNT).split("/"):
        case ["", "me", "auth-tokens"]:
            return chosen(method, {"POST": "login"})
        case ["", "me", "sessions"]:
            return chosen(method, {"POST": "login", "PATCH": "refresh"})
        case ["", "me", "profile"]:
            return chosen(method, {"GET": "profile"})
        case ["", "organizations", organization, "api-keys"] if organization:
            return chosen(method, {"GET": "keys", "POST": "keys"}, organization)
        case _:
            return NOT_FOUND


@define
class ConsoleDoor:
    """The door that wants the access token of a session; `admit` makes a new key good at the API-key door."""

    resources: Resources
    sessions: Sessions
    admit: Callable[[str], None]
    _keys: list[dict[str, object]] = field(init=False, factory=list)

    async def answer(self, asked: Asked) -> Answer:
        """What the service says; never raises."""
        begun = self._begun(asked)
        if begun is not None:
            return begun
        of_the_account = asked.operation in {"profile", "keys"}
        now = self.resources.now()
        if not self._good(now, asked.authorization):
            return refused(401, "Invalid access token") if of_the_account else answers.unauthorized()
        if not of_the_account:
            return await self.resources.answer(asked, self._models)
        return self.sessions.profile() if asked.operation == "profile" else self._key(asked, now)

    def _begun(self, asked: Asked) -> Answer | None:
        """The answer to a call that makes a session, and needs none."""
        now, sessions, body = self.resources.now(), self.sessions, _object(asked.body)
        match asked.operation, asked.path.rpartition("/")[2]:
            case "login", "auth-tokens":
                return sessions.login(now, body)
            case "login", _:
                return sessions.begin(now, body)
            case "refresh", _:
                return sessions.refresh(now, body)
            case _:
                return None

    def _good(self, now: float, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        expired = self.resources.service.reading.key_expired()
        return not expired and scheme == "Bearer" and self.sessions.good(now, token)

    def _models(self) -> object:
        service = self.resources.service
        return {"models": [service.model(model) for model in service.models()]}

    def _key(self, asked: Asked, now: float) -> Answer:
        """The organisation's API keys, or a new one, which is told whole this once."""
        if asked.subject != self.sessions.org_id:
            return refused(403, "not a member of this organization")
        body = _object(asked.body)
        if not asked.body:
            return Answer.of({"keys": self._keys})
        key = f"sandbox-key-{len(self._keys) + 2}"
        self.admit(key)
        told = {"id": str(len(self._keys) + 1), "name": body.get("name"), "scope": body.get("scope")}
        partial = {"partialKey": f"…{key[-4:]}", "expiresAt": body.get("expiresAt"), "createdAt": int(now)}
        self._keys.append({**told, **partial})
        return Answer.of({"key": key})


def _object(body: bytes) -> Mapping[str, object]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
