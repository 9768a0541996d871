"""The requests submitted here whose end nobody received yet, oldest first, each with its model."""

from gmi_video.records import Snapshot

MOST = 100_000
"""Ids that are kept, the newest: a program that only submits hears of no end."""


class Unfinished:
    """For a handler of SIGTERM, and for doors that do not tell the model of a request."""

    def __init__(self) -> None:
        self._models: dict[str, str] = {}

    def unheard(self, snapshot: Snapshot) -> None:
        """A submission that nobody waited for any more became a request, which may have ended already."""
        self._put(snapshot.request_id, snapshot.model)

    def accepted(self, snapshot: Snapshot, model: str) -> None:
        """A submission became a request."""
        if not snapshot.final:
            self._put(snapshot.request_id, model)

    def seen(self, snapshot: Snapshot) -> None:
        """A record came: it may be the end."""
        if snapshot.final:
            self._models.pop(snapshot.request_id, None)

    def model_of(self, request_id: str) -> str:
        """The model that it was submitted to; empty where that was not here, or is long over."""
        return self._models.get(request_id, "")

    @property
    def ids(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(self._models)

    def _put(self, request_id: str, model: str) -> None:
        self._models[request_id] = model
        while len(self._models) > MOST:
            del self._models[next(iter(self._models))]
