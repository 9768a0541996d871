"""One read of a model's list, back to a moment: what it showed, and whether its silence would mean anything."""

from collections.abc import Awaitable, Callable

from attrs import field, frozen

from gmi_video._ledger import CREATED_SLACK, echoed
from gmi_video._listing import Order
from gmi_video.errors import GmiVideoError, NotFound
from gmi_video.records import Snapshot
from gmi_video.wire import Page

Fetch = Callable[[str, int], Awaitable[Page]]
Look = Callable[[str], Awaitable[Snapshot]]

PAGES = 200
"""Pages of one read: 20,000 records. A longer list proves presence only."""
DETAILS = 50
"""Records without an echo in the list that are looked at alone, to see whether they echo there."""


@frozen(kw_only=True)
class View:
    """What one read of a list showed; `complete` where it reached back over the window in proven order."""

    snapshots: tuple[Snapshot, ...] = field(repr=False)
    complete: bool


class Survey:
    """Reads lists page by page, and a few records alone."""

    def __init__(self, fetch: Fetch, look: Look) -> None:
        self._fetch = fetch
        self._look = look

    async def read(self, model: str, oldest: float | None) -> View:
        """Reads the list back to `oldest` (the service's seconds), or to its end."""
        order = Order()
        found: dict[str, Snapshot] = {}
        skipped = 0
        offset = 0
        for _ in range(PAGES):
            page = await self._fetch(model, offset)
            fresh = [snapshot for snapshot in page.snapshots if snapshot.request_id not in found]
            found.update((snapshot.request_id, snapshot) for snapshot in fresh)
            order.follow(page)
            skipped += page.skipped
            offset += len(page.snapshots) + page.skipped
            passed = oldest is not None and order.is_before(oldest - CREATED_SLACK)
            if passed or page.more is False or not fresh:
                whole = page.total is not None and len(found) >= page.total
                ended = page.more is False and (page.total is None or whole)
                complete = not skipped and (passed or ended or whole)
                break
        else:
            complete = False
        mine = [snapshot for snapshot in found.values() if snapshot.model in ("", model)]
        return View(snapshots=tuple(await self._detailed(mine, oldest)), complete=complete)

    async def _detailed(self, snapshots: list[Snapshot], oldest: float | None) -> list[Snapshot]:
        """Records that echo nothing in the list are looked at alone, a few; one that 404s was made elsewhere."""
        silent = [
            snapshot
            for snapshot in snapshots
            if not echoed(snapshot)
            and not (
                oldest and snapshot.created_at and snapshot.created_at.timestamp() < oldest - CREATED_SLACK
            )
        ]
        if not silent or len(silent) > DETAILS:
            return snapshots
        replaced: dict[str, Snapshot | None] = {}
        for snapshot in silent:
            try:
                replaced[snapshot.request_id] = await self._look(snapshot.request_id)
            except NotFound:
                replaced[snapshot.request_id] = None
            except GmiVideoError:
                continue
        found = (replaced.get(snapshot.request_id, snapshot) for snapshot in snapshots)
        return [snapshot for snapshot in found if snapshot is not None]
