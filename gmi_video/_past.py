"""What was last seen of requests that nobody watches now, so that who comes late costs no look."""

from collections import OrderedDict

from gmi_video._entry import Entry, Known, is_empty
from gmi_video.records import Snapshot
from gmi_video.settings import Pace


class Past:
    """What was last seen of up to `most` requests; the oldest are forgotten first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[str, Known | Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def keep(self, snapshot: Snapshot, now: float, accepted: float | None) -> bool:
        """Remembers a snapshot, and when its request was accepted; False where what is known already holds.

        What a lagging copy says does not count, and of two ends the first.
        """
        request_id = snapshot.request_id
        before = self._known.pop(request_id, None)
        since = accepted if accepted is not None or before is None else before.accepted
        holds = before is not None and _contradicts(snapshot, before.snapshot)
        self._known[request_id] = before if before and holds else Known(snapshot, now, since)
        self._forget()
        return not holds

    def leave(self, entry: Entry) -> None:
        """Remembers an id that nobody follows any more, as it was."""
        self._known.pop(entry.request_id, None)
        self._known[entry.request_id] = entry
        self._forget()

    def of(self, request_id: str, now: float, pace: Pace) -> Known | None:
        """What is remembered of an id; an end is believed for `pace.remember` seconds."""
        found = self._known.get(request_id)
        snapshot = found.snapshot if found else None
        if found is None or snapshot is None:
            return None
        if snapshot.final and now - found.at > pace.remember:
            del self._known[request_id]
            return None
        return found if isinstance(found, Known) else Known(snapshot, found.at, found.accepted)

    def _forget(self) -> None:
        while len(self._known) > self._most:
            self._known.popitem(last=False)


def _contradicts(snapshot: Snapshot, before: Snapshot | None) -> bool:
    """Whether a snapshot says what was true before, or another end than the one that was told."""
    if before is None:
        return False
    if before.final:
        other = snapshot.status is not before.status
        return other and not (snapshot.final and is_empty(before))
    return bool(
        not snapshot.final
        and snapshot.updated_at
        and before.updated_at
        and snapshot.updated_at < before.updated_at
    )
