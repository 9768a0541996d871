"""What a page of a list comes in: the list itself, and what is said of its extent."""

from collections.abc import Mapping
from typing import Any

from gmi_video.errors import MalformedResponse


def items_of(data: object, *names: str) -> list[Any]:
    """The list that a body is, or holds under one of these names; raises `MalformedResponse` for none."""
    if isinstance(data, list):
        return data
    if isinstance(data, Mapping):
        for name in names:
            if isinstance(data.get(name), list):
                return list(data[name])
        if any(name in data and data[name] is None for name in names):
            return []
    what = f"no list of {names[0]}"
    raise MalformedResponse(f"{what} @ $", what=what, path="$")


def extent_of(data: object) -> tuple[int | None, bool | None]:
    """How many there are in all, and whether there are more; None where it is not said."""
    envelope = data if isinstance(data, Mapping) else {}
    total, more = envelope.get("total"), envelope.get("has_more")
    counted = isinstance(total, int) and not isinstance(total, bool)
    return total if counted else None, more if isinstance(more, bool) else None
