"""What the service was seen to echo of payloads: learnt from the first record of a request whose payload is known.

Whether a record shows its payload differs between models, and between text and image calls of one model.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Literal

from gmi_video._likeness import Shape, contains, digest, loosely, shape
from gmi_video.records import Snapshot

Echo = Literal["faithful", "altered", "silent"]
"""All that was sent, something else, or nothing."""

Way = Literal["look", "list"]
"""How a record was seen."""

REMEMBERED = 1000
"""Requests of ours whose first record is waited for. Where nobody ever looks, no more are remembered."""

Trace = Mapping[str, str]


def trace(payload: Mapping[str, Any]) -> Trace:
    """A payload in little: by each name a digest of what stands under it, so that no large one is kept."""
    return {name: digest({"": loosely(value)}) for name, value in payload.items() if value is not None}


class Echoes:
    """What is known of echoes, by model and by the names in the payload."""

    def __init__(self) -> None:
        self._learnt: dict[str, dict[Shape, Echo]] = {}
        self._ours: OrderedDict[str, tuple[str, Shape, Trace]] = OrderedDict()

    def of(self, model: str, payload: Mapping[str, Any]) -> Echo | None:
        """What is echoed of payloads like this; None where none was seen yet."""
        known = self._learnt.get(model)
        return known.get(shape(payload)) if known else None

    def faithful(self, model: str) -> frozenset[Shape]:
        """The shapes of payloads of which a model's records show all that was sent."""
        return frozenset(names for names, echo in self._learnt.get(model, {}).items() if echo == "faithful")

    def submitted(self, request_id: str, model: str, payload: Mapping[str, Any]) -> None:
        """A request of ours: its first record will show what is echoed of payloads like its own."""
        if not payload or self.of(model, payload) is not None:
            return
        self._ours[request_id] = (model, shape(payload), trace(payload))
        while len(self._ours) > REMEMBERED:
            self._ours.popitem(last=False)

    def shown(self, snapshot: Snapshot, way: Way) -> None:
        """A full record was seen. One that shows no payload in a list may show it where it is looked at alone."""
        if not self._ours or (way == "list" and not snapshot.payload):
            return
        ours = self._ours.pop(snapshot.request_id, None)
        if ours is not None:
            model, names, sent = ours
            self._learnt.setdefault(model, {})[names] = _echo(snapshot, sent)

    def adopted(self, model: str, payload: Mapping[str, Any], snapshot: Snapshot) -> None:
        """A record turned out to be that of a payload."""
        if payload:
            self._learnt.setdefault(model, {})[shape(payload)] = _echo(snapshot, trace(payload))


def _echo(snapshot: Snapshot, sent: Trace) -> Echo:
    if not snapshot.payload:
        return "silent"
    try:
        return "faithful" if contains(trace(snapshot.payload), sent) else "altered"
    except RecursionError:
        return "altered"
