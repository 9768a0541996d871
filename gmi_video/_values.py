"""Judging one value: whether it is of the wanted type, among the options, in range, short enough.

Every judge answers None or a `Problem` whose sentence says what would be right. Values are never changed.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from attrs import evolve

from gmi_video._facts import LIVE, Fact, Kind
from gmi_video._local import is_local
from gmi_video._measures import amiss, file_itself, misshapen
from gmi_video._picture import picture_of
from gmi_video.catalog import Problem, ProblemKind
from gmi_video.records import first_media, without_query

_SHOWN = 40
_SWITCH = {
    **dict.fromkeys(("true", "yes", "on", "enabled", "1"), True),
    **dict.fromkeys(("false", "no", "off", "disabled", "0"), False),
}
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)\s*(?:s|sec|secs|seconds?)")


def shown(value: Any) -> str:
    """A value for a sentence: short, links without their query; of texts that are files only the beginning."""
    if isinstance(value, str):
        text = without_query(value) if ":" in value[:10] else value
        return f'"{text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list | tuple):
        return "a list"
    if is_local(value):
        return f"the file {getattr(value, 'path', value).name!r}"
    return "an object" if isinstance(value, Mapping) else f"a {type(value).__name__}"


def listed(values: Iterable[Any]) -> str:
    """`"5", "8" or "10"`."""
    names = [shown(value) for value in values]
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else "nothing"


def loosely(value: Any) -> str:
    """A value without what people mix up: 5, "5", "5s" and "5 seconds" are one; so are "on", "yes" and true."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip().casefold().replace("×", "x").replace("*", "x")
    seconds = _SECONDS.fullmatch(text)
    text = seconds[1] if seconds else text
    return str(_SWITCH[text]).lower() if text in _SWITCH and not text.isdigit() else text


def _problem(
    fact: Fact, kind: ProblemKind, sentence: str, *, certain: bool = True, suggestion: Any = None
) -> Problem:
    return Problem(parameter=fact.name, kind=kind, sentence=sentence, certain=certain, suggestion=suggestion)


def _mistyped(fact: Fact, value: Any, wanted: str, suggestion: Any = None) -> Problem:
    hint = f": write {shown(suggestion)}" if suggestion is not None else ""
    hint = ": put it into a list, [ ]" if isinstance(suggestion, list) else hint
    return _problem(
        fact, "type", f"{fact.name} is {shown(value)}; {wanted} is wanted{hint}", suggestion=suggestion
    )


def option(fact: Fact, value: Any) -> Problem | None:
    """A value where the schema lists what there is."""
    for known in fact.options:
        if value == known and isinstance(value, bool) is isinstance(known, bool):
            return _as_real(fact, value) if isinstance(value, float) and isinstance(known, int) else None
    if any(value == known and type(value) is type(known) for known in fact.also):
        return None
    meant = next((known for known in fact.options if loosely(known) == loosely(value)), None)
    if meant is None and isinstance(value, str):
        plain = {loosely(known): known for known in fact.options}
        near = get_close_matches(loosely(value), plain, n=1, cutoff=0.7)
        meant = plain[near[0]] if near else None
    hint = f": write {shown(meant)}" if meant is not None else ""
    typed = meant is not None and isinstance(meant, str) is not isinstance(value, str)
    sentence = f"{fact.name} is {shown(value)}; {listed(fact.options)} is wanted{hint}"
    return _problem(fact, "type" if typed else "option", sentence, suggestion=meant)


def _as_real(fact: Fact, value: float) -> Problem:
    sentence = (
        f"{fact.name} is {value}, written as a real number where a whole one is wanted: write {int(value)}"
    )
    return _problem(fact, "type", sentence, certain=False, suggestion=int(value))


def _digits(value: Any) -> float | None:
    """The number that a text spells, for a hint; the text itself stays as it is."""
    if not isinstance(value, str) or len(value) > _SHOWN:
        return None
    seconds = _SECONDS.fullmatch(value.strip().casefold())
    try:
        number = float(seconds[1] if seconds else value)
    except ValueError:
        return None
    return number if number - number == 0 else None


def _whole(fact: Fact, value: Any) -> Problem | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        number = _digits(value)
        meant = int(number) if number is not None and number.is_integer() else None
        return _mistyped(fact, value, "a whole number", meant)
    if isinstance(value, float) and not value.is_integer():
        return _mistyped(fact, value, "a whole number")
    outside = _outside(fact, value)
    return _as_real(fact, value) if outside is None and isinstance(value, float) else outside


def _number(fact: Fact, value: Any) -> Problem | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _mistyped(fact, value, "a number", _digits(value))
    if value - value != 0:
        return _mistyped(fact, value, "a number that JSON knows")
    return _outside(fact, value)


def _outside(fact: Fact, value: float) -> Problem | None:
    low, high = fact.low, fact.high
    if (low is None or value >= low) and (high is None or value <= high):
        return None
    span = (
        f"{low} to {high}"
        if None not in (low, high)
        else f"at least {low}"
        if high is None
        else f"at most {high}"
    )
    sentence = f"{fact.name} is {value}; {span} is wanted{_by(fact.bounds_by)}"
    return _problem(fact, "range", sentence, certain=fact.bounds_by == LIVE)


def _by(source: str) -> str:
    return "" if source == LIVE else f" (by {source})"


def _switch(fact: Fact, value: Any) -> Problem | None:
    if isinstance(value, bool):
        return None
    return _mistyped(fact, value, "true or false", _SWITCH.get(str(value).strip().casefold()))


def _text(fact: Fact, value: Any) -> Problem | None:
    if is_local(value):
        return amiss(fact, value)
    if not isinstance(value, str):
        if first_media(value) is not None:
            return None
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        return _mistyped(fact, value, "a text", str(value) if plain else None)
    if fact.longest is not None and len(value) > fact.longest:
        return _too_long(fact, len(value), "characters")
    if fact.required and not value.strip():
        return _problem(fact, "missing", f"{fact.name} is empty, and it is required", certain=False)
    return _link_only(fact, value) if fact.link_only and value.startswith("data:") else None


def _too_long(fact: Fact, length: int, unit: str) -> Problem:
    sentence = f"{fact.name} has {length} {unit}; at most {fact.longest} are taken{_by(fact.longest_by)}"
    return _problem(fact, "length", sentence, certain=False)


def _list(fact: Fact, value: Any) -> Problem | None:
    if not isinstance(value, list | tuple):
        return _mistyped(fact, value, "a list", [value])
    if fact.longest is not None and len(value) > fact.longest:
        return _too_long(fact, len(value), "items")
    if fact.options:  # of each item; whether the service looks at them is not known
        wrong = next(filter(None, (option(fact, item) for item in value)), None)
        return evolve(wrong, certain=False) if wrong else None
    judge = _place if fact.link_only else inside
    items = (judge(at(fact, f"[{index}]"), item) for index, item in enumerate(value))
    return next((evolve(found, parameter=fact.name) for found in items if found is not None), None)


def at(fact: Fact, place: str) -> Fact:
    """The same fact of a value that stands deeper within its parameter: sentences name the place."""
    return evolve(fact, name=f"{fact.name}{place}")


def inside(fact: Fact, value: Any) -> Problem | None:
    """A file within a list or an object, of this machine or in the payload itself; nothing is said of other values."""
    if is_local(value):
        return amiss(fact, value)
    if not isinstance(value, str) or not value.startswith("data:"):
        return None
    return file_itself(fact) if fact.link_only else _sized(fact, value)


def _file(fact: Fact, value: Any) -> Problem | None:
    """A link or base64. Where the pages know that several are taken, the schema's "image" is not held against a list."""
    if isinstance(value, list | tuple) and fact.several is not None:
        return _list(fact, value)
    if isinstance(value, str) or is_local(value):
        if fact.several is not None and fact.several.only:
            sentence = f"{fact.name} is one link; its users write a list of links"
            return _problem(fact, "type", sentence, certain=False, suggestion=[value])
        return _place(fact, value)
    if first_media(value) is not None:
        return None
    one = value[0] if isinstance(value, list | tuple) and len(value) == 1 else None
    return _mistyped(fact, value, "one link", one)


def _place(fact: Fact, value: Any) -> Problem | None:
    """A text that ought to be a public link, or a picture within its bounds, or a file of this machine."""
    if is_local(value):
        return amiss(fact, value)
    if not isinstance(value, str) or value.startswith(("https://", "http://", "asset://")):
        return None
    if value.startswith("data:") or len(value) > 256:
        return _link_only(fact, value) if fact.link_only else _sized(fact, value)
    if not value.strip():
        return (
            _problem(fact, "missing", f"{fact.name} is empty, and it is required", certain=False)
            if fact.required
            else None
        )
    sentence = f"{fact.name} is {shown(value)}; a public link is wanted, as `upload` gives one"
    return _problem(fact, "link", sentence, certain=False)


def _link_only(fact: Fact, value: str) -> Problem | None:
    return file_itself(fact) if value.startswith("data:") or picture_of(value) is not None else None


def _sized(fact: Fact, value: str) -> Problem | None:
    picture = picture_of(value) if fact.sides else None
    return misshapen(fact, picture) if picture is not None else None


def _object(fact: Fact, value: Any) -> Problem | None:
    return None if isinstance(value, Mapping) else evolve(_mistyped(fact, value, "an object"), certain=False)


def _any(_fact: Fact, _value: Any) -> Problem | None:
    return None


JUDGES: dict[Kind, Callable[[Fact, Any], Problem | None]] = {
    "whole": _whole,
    "number": _number,
    "switch": _switch,
    "list": _list,
    "text": _text,
    "file": _file,
    "object": _object,
    "any": _any,
}
