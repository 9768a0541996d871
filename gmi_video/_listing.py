"""The walk through the list of requests: page after page, each request once, whatever the service's order."""

from collections.abc import AsyncIterator, Awaitable, Callable, Container
from datetime import datetime

from gmi_video.records import Snapshot
from gmi_video.wire import Page

PAGE = 100
"""Records asked for in one page: what is used in the field."""
BLANKS = 3
"""Pages in a row of which nothing was understood, after which a list is left."""


class Order:
    """Whether a list was newest first so far, and how far back it has come."""

    def __init__(self) -> None:
        self._oldest: datetime | None = None
        self.kept = True

    def follow(self, page: Page, met: Container[str] = ()) -> None:
        """Takes the records of the next page into account that were not `met` before.

        Requests that are made meanwhile push older ones to the next page, where they stand out of order; that
        says nothing about it.
        """
        for snapshot in page.snapshots:
            if snapshot.request_id in met:
                continue
            if snapshot.created_at is None or (self._oldest and snapshot.created_at > self._oldest):
                self.kept = False
            self._oldest = snapshot.created_at or self._oldest

    def is_before(self, moment: float) -> bool:
        """Whether a list that was newest first all along has come to records older than a Unix time."""
        return bool(self.kept and self._oldest and self._oldest.timestamp() < moment)

    def is_past(self, since: datetime | None) -> bool:
        """Whether nothing that was created since then can follow."""
        return bool(since and self.kept and self._oldest and self._oldest < since)


async def walk(fetch: Callable[[int], Awaitable[Page]], since: datetime | None) -> AsyncIterator[Snapshot]:
    """Each request once; `fetch` takes an offset. Ends where a page brings nothing new or says it is the last.

    Requests that are made meanwhile push older ones to the next page, where they are met again and skipped.
    """
    seen: set[str] = set()
    order = Order()
    offset = blank = 0
    while True:
        page = await fetch(offset)
        fresh = {
            snapshot.request_id: snapshot for snapshot in page.snapshots if snapshot.request_id not in seen
        }
        order.follow(page, seen)
        seen.update(fresh)
        for snapshot in fresh.values():
            if since is None or snapshot.created_at is None or snapshot.created_at >= since:
                yield snapshot
        offset += len(page.snapshots) + page.skipped
        blank = 0 if fresh else blank + 1
        understood = fresh or (page.skipped and blank < BLANKS)
        last = page.more is False and (
            page.total is None or offset >= page.total
        )  # one of the two may be wrong
        if not understood or last or order.is_past(since):
            return
