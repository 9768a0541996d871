"""What was last seen of requests that nobody watches now, so that who comes late costs no look."""

from collections import OrderedDict

from gmi_video._entry import Entry, Known, is_empty
from gmi_video.records import Snapshot
from gmi_video.settings import Pace


class Past:
    """What was last seen of up to `most` requests that ended, and of as many that had not.

    Ends are kept for the longest `Pace.remember` that anybody asked with, and no flood of others drives them out.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._remember = Pace().remember
        self._ended: OrderedDict[str, Known] = OrderedDict()
        self._open: OrderedDict[str, Known | Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._ended) + len(self._open)

    def keep(self, snapshot: Snapshot, now: float, accepted: float | None) -> bool:
        """Remembers a snapshot, and when its request was accepted; False where what is known already holds.

        What a lagging copy says does not count, and of two ends the first.
        """
        request_id = snapshot.request_id
        self._expire(now)
        before = self._ended.get(request_id) or self._open.get(request_id)
        if before is not None and _contradicts(snapshot, before.snapshot):
            return False
        since = accepted if accepted is not None or before is None else before.accepted
        self._ended.pop(request_id, None)
        self._open.pop(request_id, None)
        if snapshot.final:
            self._ended[request_id] = Known(snapshot, now, since)
        else:
            self._open[request_id] = Known(snapshot, now, since)
        self._forget()
        return True

    def leave(self, entry: Entry) -> None:
        """Remembers an id that nobody follows any more, as it was."""
        if entry.request_id not in self._ended:
            self._open.pop(entry.request_id, None)
            self._open[entry.request_id] = entry
            self._forget()

    def of(self, request_id: str, now: float, pace: Pace) -> Known | None:
        """What is remembered of an id; an end is believed for `pace.remember` seconds."""
        self._remember = max(self._remember, pace.remember)
        self._expire(now)
        found = self._ended.get(request_id) or self._open.get(request_id)
        snapshot = found.snapshot if found else None
        if found is None or snapshot is None or (snapshot.final and now - found.at > pace.remember):
            return None
        return found if isinstance(found, Known) else Known(snapshot, found.at, found.accepted)

    def _expire(self, now: float) -> None:
        ended = self._ended
        while ended and now - next(iter(ended.values())).at > self._remember:
            ended.popitem(last=False)

    def _forget(self) -> None:
        for kept in (self._ended, self._open):
            while len(kept) > self._most:
                kept.popitem(last=False)


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
