"""A page of the list as a sweep needs it: what did not change since the last look is not made an object of."""

from collections.abc import Callable, Mapping
from typing import Any

from gmi_video._convert import moment, request_id_in, snapshot_of
from gmi_video._entry import Entry
from gmi_video._envelope import extent_of, items_of
from gmi_video._forms import stamp
from gmi_video._sweep import Listed, Sheet
from gmi_video.errors import MalformedResponse

Known = Callable[[str], Entry | None]


def sheet_of(data: Any, known: Known) -> Sheet:
    """The page; of records that nobody follows, and of those that are as they are `known`, only the place is kept.

    Raises `MalformedResponse` where there is no list in it; what is not a record is counted and left out.
    """
    items = items_of(data, "requests", "data")
    records = []
    for item in items:
        try:
            records.append(_listed(item, known))
        except MalformedResponse:  # one odd record is counted, the others are kept
            continue
    total, more = extent_of(data)
    return Sheet(records=tuple(records), skipped=len(items) - len(records), total=total, more=more)


def _listed(item: Any, known: Known) -> Listed:
    if not isinstance(item, (dict, Mapping)):  # a dict needs no look at the registry of the ABC
        raise MalformedResponse("not an object @ $", what="not an object", path="$")
    name = item.get("request_id")
    entry = known(name) if isinstance(name, str) else None
    if entry is None:
        return Listed(request_id_in(item), stamp(moment(item.get("created_at"))))
    place = stamp(moment(item.get("created_at"))) if entry.created is None else entry.created
    form = entry.form
    if form is not None and item.get("status") == form.word:
        moved = item.get("updated_at")
        if moved == entry.moved or stamp(moment(moved)) == entry.moved:
            return Listed(entry.request_id, place, None, entry.block is None)
    return Listed(entry.request_id, place, snapshot_of(item))
