"""One read of a model's list, back to a moment: what it showed, and whether its silence would mean anything."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Container

from attrs import field, frozen

from gmi_video._listing import Order
from gmi_video._matter import CREATED_SLACK
from gmi_video.errors import GmiVideoError, NotFound
from gmi_video.records import Snapshot
from gmi_video.wire import Page

Fetch = Callable[[str, int], Awaitable[Page]]
Look = Callable[[str], Awaitable[Snapshot]]

PAGES = 200
"""Pages of one read: 20,000 records. A longer list proves presence only."""
STALE = 3
"""Pages in a row without anything new after which a list is taken for one that ignores the offset."""
DETAILS = 50
"""Records without an echo in the list that are looked at alone, to see whether they echo there."""
REMEMBERED = 10_000
"""Records that were looked at and echoed nothing: they are not looked at again."""


@frozen(kw_only=True)
class View:
    """What one read of a list showed; `complete` where it reached back over the window in proven order."""

    snapshots: tuple[Snapshot, ...] = field(repr=False)
    complete: bool


class _Reading:
    """The pages of one read so far."""

    def __init__(self, oldest: float | None) -> None:
        self.found: dict[str, Snapshot] = {}
        self.offset = 0
        self._oldest = oldest
        self._order = Order()
        self._skipped = 0
        self._stale = 0
        self._totals: list[int] = []
        self._last: Page | None = None

    def take(self, page: Page) -> None:
        """Takes the next page in."""
        fresh = {
            snapshot.request_id: snapshot
            for snapshot in page.snapshots
            if snapshot.request_id not in self.found
        }
        self._order.follow(page, self.found)
        self.found |= fresh
        self._skipped += page.skipped
        self.offset += len(page.snapshots) + page.skipped
        self._stale = 0 if fresh else self._stale + 1
        self._totals += [] if page.total is None else [page.total]
        self._last = page

    @property
    def _passed(self) -> bool:
        return self._oldest is not None and self._order.is_before(self._oldest - CREATED_SLACK)

    @property
    def ended(self) -> bool:
        """Whether no further page is worth asking for."""
        page = self._last
        if page is None:
            return False
        empty = not page.snapshots and not page.skipped
        return self._passed or page.more is False or empty or self._stale >= STALE

    @property
    def complete(self) -> bool:
        """Whether all that was created since `oldest`, and before the read, is among what was found.

        A list that grows meanwhile is whole by its first total if it was newest first, else by its last.
        """
        if self._skipped or self._last is None:
            return False
        if self._passed:
            return True
        if self._totals:
            return len(self.found) >= self._totals[0 if self._order.kept else -1]
        return self._last.more is False


class Survey:
    """Reads lists page by page, and a few records alone."""

    def __init__(self, fetch: Fetch, look: Look) -> None:
        self._fetch = fetch
        self._look = look
        self._silent: OrderedDict[str, None] = OrderedDict()

    async def read(self, model: str, oldest: float | None, ours: Container[str] = ()) -> View:
        """Reads the list back to `oldest` (the service's seconds), or to its end.

        A list that breaks off shows what it showed. `ours` are requests that need no closer look.
        """
        reading = _Reading(oldest)
        complete = False
        for _ in range(PAGES):
            try:
                reading.take(await self._fetch(model, reading.offset))
            except GmiVideoError:
                if not reading.found:
                    raise
                break
            if reading.ended:
                complete = reading.complete
                break
        since = None if oldest is None else oldest - CREATED_SLACK
        mine = [
            snapshot
            for snapshot in reading.found.values()
            if snapshot.model in ("", model) and not _is_older(snapshot, since)
        ]
        return View(snapshots=tuple(await self._detailed(mine, ours)), complete=complete)

    async def _detailed(self, snapshots: list[Snapshot], ours: Container[str]) -> list[Snapshot]:
        """Records that echo nothing in the list are looked at alone, a few; one that 404s was made elsewhere."""
        silent = [
            snapshot.request_id
            for snapshot in snapshots
            if not snapshot.payload
            and snapshot.request_id not in self._silent
            and snapshot.request_id not in ours
        ]
        if len(silent) > DETAILS:
            return snapshots
        replaced: dict[str, Snapshot | None] = {}
        for request_id in silent:
            try:
                replaced[request_id] = await self._look(request_id)
            except NotFound:
                replaced[request_id] = None
            except GmiVideoError:
                break
            else:
                self._remember(replaced[request_id])
        found = (replaced.get(snapshot.request_id, snapshot) for snapshot in snapshots)
        return [snapshot for snapshot in found if snapshot is not None]

    def _remember(self, looked_at: Snapshot | None) -> None:
        if looked_at is not None and not looked_at.payload:
            self._silent[looked_at.request_id] = None
            while len(self._silent) > REMEMBERED:
                self._silent.popitem(last=False)


def _is_older(snapshot: Snapshot, since: float | None) -> bool:
    return since is not None and snapshot.created_at is not None and snapshot.created_at.timestamp() < since
