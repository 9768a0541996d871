"""A page of the list as a sweep needs it: what did not change since the last look is not made an object of."""

from collections.abc import Callable, Mapping
from typing import Any

from gmi_video._convert import moment, request_id_in, snapshot_of
from gmi_video._sweep import Listed, Sheet
from gmi_video.errors import MalformedResponse
from gmi_video.records import Snapshot

Last = Callable[[str], Snapshot | None]
Follows = Callable[[str], bool]


def sheet_of(data: Any, last: Last, follows: Follows) -> Sheet:
    """The page; of records that nobody `follows`, and of those that are as they were `last`, only the place is kept.

    Raises `MalformedResponse` where there is no list in it; what is not a record is counted and left out.
    """
    items = data if isinstance(data, list) else None
    envelope = data if isinstance(data, Mapping) else {}
    for name in ("requests", "data"):
        found = envelope.get(name)
        if items is None and isinstance(found, list):
            items = found
        elif items is None and name in envelope and found is None:
            items = []
    if items is None:
        what = "no list of requests"
        raise MalformedResponse(f"{what} @ $", what=what, path="$")
    records = []
    for item in items:
        try:
            records.append(_listed(item, last, follows))
        except MalformedResponse:  # one odd record is counted, the others are kept
            continue
    total, more = envelope.get("total"), envelope.get("has_more")
    return Sheet(
        records=tuple(records),
        skipped=len(items) - len(records),
        total=total if isinstance(total, int) and not isinstance(total, bool) else None,
        more=more if isinstance(more, bool) else None,
    )


def _listed(item: Any, last: Last, follows: Follows) -> Listed:
    if not isinstance(item, Mapping):
        raise MalformedResponse("not an object @ $", what="not an object", path="$")
    request_id = request_id_in(item)
    before = last(request_id)
    created = before.created_at if before else None
    if created is None:
        created = moment(item.get("created_at"))
    place = created.timestamp() if created else None
    if before is None and not follows(request_id):
        return Listed(request_id, place)
    if before is not None and item.get("status") == before.word and _moved(item) == before.updated_at:
        return Listed(request_id, place)
    return Listed(request_id, place, snapshot_of(item))


def _moved(item: Mapping[str, Any]) -> object:
    return moment(item.get("updated_at"))
