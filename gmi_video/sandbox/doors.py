"""The three doors together: which of them a path belongs to, and who answers there."""

from collections.abc import Awaitable, Callable

from attrs import define

from gmi_video.sandbox import apikey, console, early
from gmi_video.sandbox.answers import Answer
from gmi_video.sandbox.resources import NOT_FOUND, Asked, Resources, Routed
from gmi_video.sandbox.sessions import Sessions

Answering = Callable[[Asked], Awaitable[Answer]]


def route(method: str, path: str) -> Routed:
    """What a call to the API's origin is, at whichever door."""
    if path.startswith(apikey.PREFIX):
        return apikey.route(method, path)
    if path.startswith(console.ACCOUNT):
        return console.route(method, path)
    return early.route(method, path) if path.startswith(early.PREFIX) else NOT_FOUND


@define
class Doors:
    """All doors of one sandbox, over one queue."""

    keys: apikey.KeyDoor
    console: console.ConsoleDoor
    early: early.EarlyDoor

    @classmethod
    def of(cls, resources: Resources, api_key: str, sessions: Sessions) -> "Doors":
        """The doors to these resources."""
        keys = apikey.KeyDoor(resources, api_key)
        return cls(
            keys,
            console.ConsoleDoor(resources, sessions, keys.made.add),
            early.EarlyDoor(resources, keys),
        )

    def at(self, path: str) -> Answering:
        """Who answers at a path that was routed."""
        if path.startswith(apikey.PREFIX):
            return self.keys.answer
        return self.console.answer if path.startswith(console.ACCOUNT) else self.early.answer
