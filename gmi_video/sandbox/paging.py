"""Turning to a page of the list as a `Listing` has it, and the envelope around it. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import assert_never
from zlib import crc32

from gmi_video.sandbox.listing import Listing
from gmi_video.sandbox.queue import Page, Request


def turn(listing: Listing, rows: Sequence[Request], now: float, *, limit: int, offset: int) -> Page:
    """A page of `rows`, which stand in the order of their creation.

    An order other than "newest" costs the sorting of all rows, every time.
    """
    if listing.lags:
        rows = rows[: bisect_right(rows, now - listing.lags, key=lambda request: request.created)]
    total = len(rows)
    reached = total if listing.most is None else min(total, listing.most)
    limit = limit if listing.longest is None else min(limit, listing.longest)
    first = max(0, offset - listing.repeats)
    last = max(first, min(offset + limit, reached))
    match listing.order:
        case "newest":
            part = [rows[total - 1 - place] for place in range(first, last)]
        case "oldest":
            part = list(rows[total - reached :][first:last])
        case "shuffled":
            part = sorted(rows[total - reached :], key=_nowhere)[first:last]
        case never:
            assert_never(never)
    return Page(tuple(part), total, has_more=last < reached)


def told(listing: Listing, page: Page, records: Sequence[dict[str, object]]) -> dict[str, object]:
    """The envelope around the records of `page`."""
    kept: list[object] = [_record(listing, record) for record in records]
    middle = len(kept) // 2
    kept[middle:middle] = listing.adds
    envelope: dict[str, object] = {"requests": kept}
    if listing.total == "right":
        envelope["total"] = page.total
    if listing.has_more != "missing":
        envelope["has_more"] = {"right": page.has_more, "always": True, "never": False}[listing.has_more]
    return envelope


def _nowhere(request: Request) -> int:
    return crc32(request.request_id.encode())


def _record(listing: Listing, record: dict[str, object]) -> dict[str, object]:
    if listing.echo == "empty":
        record = {**record, "payload": {}}
    return {key: value for key, value in record.items() if key not in listing.without}
