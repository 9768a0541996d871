"""Files deeper within a payload: in the objects of a list, in lists of lists. Pure.

Pages give one limit for all pictures of a parameter, so a file counts against its parameter's, wherever in it it stands.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import evolve

from gmi_video._facts import Fact
from gmi_video._values import at, inside
from gmi_video.catalog import Problem

_DEEPEST = 8
"""Levels that are looked into; what the queue itself takes has two."""


def nested(fact: Fact, value: Any) -> Problem | None:
    """What is wrong with the first file that stands deeper than a list's own items; None where nothing is."""
    if not isinstance(value, list | tuple | Mapping):
        return None
    plain = not isinstance(value, Mapping)
    leaves = ((place, leaf) for place, leaf, depth in _leaves(value, "", 1) if depth > 1 or not plain)
    found = (inside(at(fact, place), leaf) for place, leaf in leaves)
    return next((evolve(problem, parameter=fact.name) for problem in found if problem is not None), None)


def _leaves(value: Any, place: str, depth: int) -> Iterator[tuple[str, Any, int]]:
    """What is neither a list nor an object, with its place and how deep it stands."""
    if isinstance(value, Mapping):
        items = [(f"{place}.{name}", item) for name, item in value.items()]
    else:
        items = [(f"{place}[{index}]", item) for index, item in enumerate(value)]
    for where, item in items:
        if not isinstance(item, list | tuple | Mapping):
            yield where, item, depth
        elif depth < _DEEPEST:
            yield from _leaves(item, where, depth + 1)
