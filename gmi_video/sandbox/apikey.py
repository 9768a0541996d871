"""The API-key door: `…/ie/requestqueue/apikey`, a key that is a Bearer token, and models listed by their ids."""

from attrs import define, field

from gmi_video.sandbox import answers
from gmi_video.sandbox.answers import Answer
from gmi_video.sandbox.resources import NOT_FOUND, Asked, Resources, Routed, resource

PREFIX = "/api/v1/ie/requestqueue/apikey"


def route(method: str, path: str) -> Routed:
    """What a call at this door is."""
    return resource(method, path.removeprefix(PREFIX)) if path.startswith(PREFIX) else NOT_FOUND


@define
class KeyDoor:
    """The door that wants `Authorization: Bearer <key>`."""

    resources: Resources
    api_key: str
    made: set[str] = field(init=False, factory=set)
    """Further keys, made at the console."""

    def good(self, key: str) -> bool:
        """Whether this is a key that is accepted; the script may say of any moment on that none is."""
        expired = self.resources.service.reading.key_expired()
        return not expired and (key == self.api_key or key in self.made)

    async def answer(self, asked: Asked) -> Answer:
        """What the service says; never raises."""
        scheme, _, key = asked.authorization.partition(" ")
        if not self.good(key) or scheme != "Bearer":
            return answers.unauthorized()
        return await self.resources.answer(asked, self._models)

    def _models(self) -> object:
        return {"model_ids": self.resources.service.models()}
