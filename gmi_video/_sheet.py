"""A page of the list as a sweep needs it: what did not change since the last page is neither read nor made an object of."""

from collections.abc import Callable, Mapping
from typing import Any

from gmi_video._convert import moment, request_id_in, snapshot_of
from gmi_video._decode import decode
from gmi_video._entry import Entry, mark
from gmi_video._envelope import extent_of, items_of
from gmi_video._forms import stamp
from gmi_video._sweep import Listed, Sheet
from gmi_video.errors import MalformedResponse

Known = Callable[[str], Entry | None]

_BEGIN = b'{"request_id":"'
"""How the service begins a record; no text within one can hold it, for there its quotes are escaped."""
_NEXT = b"}," + _BEGIN


def sheet_in(body: bytes, known: Known) -> Sheet | None:
    """The page in a body, as `sheet_of` makes it of its JSON; None where it is not written as the service writes its pages.

    A record whose bytes are those of the last page is left out of what is decoded. The rest must be a page of as many
    records as are left, each the one that its bytes begin with. The first is always among them.
    """
    head, _, rest = body.partition(_BEGIN)
    rest, end, tail = rest.rpartition(b"}]")
    if not end:
        return None
    records: list[Listed | None] = []
    news: list[tuple[int, bytes, str, Entry | None]] = []
    for place, piece in enumerate(rest.split(_NEXT)):
        name = piece[: piece.find(b'"')].decode(errors="replace")
        entry = known(name)
        if place and entry is not None and entry.created is not None and entry.says(piece):
            records.append(Listed(entry.request_id, entry.created, None, entry.block is None))
        else:
            records.append(None)
            news.append((place, piece, name, entry))
    try:
        data = decode(head + _BEGIN + _NEXT.join([piece for _, piece, _, _ in news]) + end + tail)
        items = items_of(data, "requests", "data")
    except MalformedResponse:
        return None
    if len(items) != len(news):
        return None
    for item, (place, piece, name, entry) in zip(items, news, strict=True):
        if not isinstance(item, dict) or item.get("request_id") != name:
            return None
        try:
            listed = records[place] = _listed(item, known)
        except MalformedResponse:
            continue
        if entry is not None:
            _remember(entry, piece, listed)
    found = tuple(filter(None, records))
    total, more = extent_of(data)
    return Sheet(records=found, skipped=len(records) - len(found), total=total, more=more)


def _remember(entry: Entry, piece: bytes, listed: Listed) -> None:
    """Marks an entry with what was said of it. If something else is learnt meanwhile, the mark is of no use, and of no harm."""
    news = listed.snapshot
    if news is not None:
        entry.mark = mark(piece, news.word, stamp(news.updated_at))
    elif entry.form is not None:
        entry.mark = mark(piece, entry.form.word, entry.moved)


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
