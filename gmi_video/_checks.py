"""What a setting may be: validators that name field and value, and say what would be right. Pure."""

import math
import re
from collections.abc import Callable
from typing import Any

from attrs import Attribute

from gmi_video.errors import ConfigurationError

_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|[0-9a-f:.]*:[0-9a-f:.]*")
"""A host as a link names it, in small letters: a name, or an address."""


def refuse(owner: object, name: str, value: object, what: str) -> ConfigurationError:
    """The error that names a field, its value, and what would be right."""
    return ConfigurationError(f"{type(owner).__name__}.{name} is {value!r}; {what}")


def number(low: float, high: float = math.inf) -> Callable[[Any, "Attribute[Any]", Any], None]:
    """A validator of numbers."""

    def check(owner: object, attribute: "Attribute[Any]", value: object) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            span = f"from {low:g} to {high:g}" if high < math.inf else f"of at least {low:g}"
            raise refuse(owner, attribute.name, value, f"a number {span} is wanted")

    return check


def count(low: int, high: int = 100_000) -> Callable[[Any, "Attribute[Any]", Any], None]:
    """A validator of whole numbers."""

    def check(owner: object, attribute: "Attribute[Any]", value: object) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise refuse(owner, attribute.name, value, f"a whole number from {low} to {high} is wanted")

    return check


def hosts(owner: object, attribute: "Attribute[Any]", value: object) -> None:
    """A validator of a tuple of hosts."""
    fine = (
        isinstance(value, tuple)
        and value
        and all(isinstance(one, str) and _HOST.fullmatch(one) for one in value)
    )
    if not fine:
        what = "a tuple of hosts in small letters is wanted, as ('storage.googleapis.com',)"
        raise refuse(owner, attribute.name, value, what)
