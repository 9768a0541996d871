"""What was last seen of requests that nobody watches now, so that who comes late costs no look."""

from collections import OrderedDict

from gmi_video._entry import Known, is_older
from gmi_video.records import Snapshot
from gmi_video.settings import Pace


class Past:
    """The last snapshots of up to `most` requests; the oldest are forgotten first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[str, Known] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def keep(self, snapshot: Snapshot, now: float, accepted: float | None) -> None:
        """Remembers a snapshot, and when its request was accepted; what a lagging copy says does not count."""
        request_id = snapshot.request_id
        before = self._known.pop(request_id, None)
        since = accepted if accepted is not None or before is None else before.accepted
        if before and is_older(snapshot, before.snapshot):
            self._known[request_id] = before
        else:
            self._known[request_id] = Known(snapshot, now, since)
        while len(self._known) > self._most:
            self._known.popitem(last=False)

    def of(self, request_id: str, now: float, pace: Pace) -> Known | None:
        """What is remembered of an id; an end is believed for `pace.remember` seconds."""
        found = self._known.get(request_id)
        if found and found.snapshot.final and now - found.at > pace.remember:
            del self._known[request_id]
            return None
        return found
