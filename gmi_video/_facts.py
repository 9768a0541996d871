"""What is to be known of one parameter before its value can be judged: the schema's word, then our rules'."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any, Literal

from attrs import evolve, frozen

from gmi_video._known import KNOWN
from gmi_video._rules import Behind, Between, Clip, LinkOnly, Longest, Rule, Several, Sides
from gmi_video.catalog import Model, Parameter

Kind = Literal["whole", "number", "switch", "list", "text", "file", "object", "any"]

_KINDS: dict[str, Kind] = {
    **dict.fromkeys(("integer", "int", "long", "seed"), "whole"),
    **dict.fromkeys(("float", "number", "numeric", "double", "decimal"), "number"),
    **dict.fromkeys(("boolean", "bool", "switch"), "switch"),
    **dict.fromkeys(("array", "list"), "list"),
    **dict.fromkeys(("string", "str", "text", "enum"), "text"),
    **dict.fromkeys(("image", "video", "audio", "file", "url"), "file"),
    **dict.fromkeys(("object", "json", "dict", "map"), "object"),
}
"""Types seen in the live catalog and in the older SDK's enum, and their plain relatives; others are "any"."""

_MEDIA = frozenset({"image", "video", "audio"})
_WORD = re.compile(r"[a-z]+")
_DESCRIBED = 2000
_CEILING = r"(?:at most|up to|max(?:imum)?(?: of)?|≤|<=|no more than|cannot exceed)"
_SIGNS = re.compile(_CEILING + r"\s*(\d[\d,]*)\s*(?:char|sign|letter)", re.IGNORECASE)
_ITEMS = re.compile(_CEILING + r"\s*(\d{1,3})\b(?!\s*(?:mb|px|s\b|sec|%|:|\d))", re.IGNORECASE)
LIVE = "the live schema"
DESCRIBED = "its description"
"""Who says it: the schema in numbers, or in words, which we may misread."""


@frozen(kw_only=True)
class Fact:
    """One parameter, ready to judge values by. `options` are without nulls, bounds are of numbers only.

    `medium` is "image", "video" or "audio" where the schema's type says so.
    `also` are options in the type of the parameter where the catalog wrote them in another: an integer's "5".
    """

    name: str
    kind: Kind
    required: bool = False
    options: tuple[Any, ...] = ()
    also: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    bounds_by: str = LIVE
    longest: int | None = None
    longest_by: str = LIVE
    behind: Behind | None = None
    behind_by: str = ""
    several: Several | None = None
    sides: Sides | None = None
    sides_by: str = ""
    clip: Clip | None = None
    clip_by: str = ""
    medium: str = ""
    link_only: str = ""


def kind_of(parameter: Parameter) -> Kind:
    """What kind of value the schema's type stands for: "array[string]" is a list, "string (URL)" a text."""
    word = _WORD.match(parameter.type)
    if parameter.type == "enum" and not parameter.choices:
        return "any"
    return _KINDS.get(word[0], "any") if word else "any"


def rules_for(model_id: str) -> Iterator[tuple[Rule, str]]:
    """Every rule that is known of a model, with its source."""
    for known in KNOWN:
        if fnmatchcase(model_id, known.models):
            yield from ((rule, known.source) for rule in known.rules)


def _retyped(option: Any, parameter: Parameter, kind: Kind) -> Any:
    """An option in the type that the parameter says it has; as it is where the two agree, or nothing is known."""
    if kind in {"whole", "number"} and isinstance(option, str):
        try:
            return float(option) if kind == "number" else int(option)
        except ValueError:
            return option
    if kind == "switch" and isinstance(option, str):
        return {"true": True, "false": False}.get(option.lower(), option)
    bare = isinstance(option, int | float) and not isinstance(option, bool)
    return str(option) if bare and kind == "text" and parameter.type != "enum" else option


def _length(parameter: Parameter, kind: Kind) -> dict[str, Any]:
    """The length that the schema itself sets: as a bound of a text or a list, or in the words of its description."""
    if kind not in {"text", "list"}:
        return {}
    if parameter.maximum is not None and parameter.maximum >= 1:
        return {"longest": int(parameter.maximum)}
    pattern = _SIGNS if kind == "text" else _ITEMS
    found = pattern.search(parameter.description[:_DESCRIBED])
    return {"longest": int(found[1].replace(",", "")), "longest_by": DESCRIBED} if found else {}


def _of_schema(parameter: Parameter) -> Fact:
    kind = kind_of(parameter)
    options = parameter.choices
    low, high = parameter.bounds if kind in {"whole", "number"} else (None, None)
    return Fact(
        name=parameter.name,
        kind=kind,
        required=parameter.required,
        options=options,
        also=tuple(_retyped(option, parameter, kind) for option in options),
        medium=parameter.type if parameter.type in _MEDIA else "",
        low=low,
        high=high,
        **_length(parameter, kind),
    )


def _extended(fact: Fact, rule: Rule, source: str) -> Fact:
    """The fact with what one rule adds, where the schema left it open."""
    added: dict[str, Any] = {}
    match rule:
        case LinkOnly():
            added = {"link_only": source}
        case Longest() if fact.longest is None and fact.name in rule.parameters:
            added = {"longest": rule.most, "longest_by": source}
        case Between() if fact.low is None and fact.high is None and fact.name in rule.parameters:
            added = {"low": rule.low, "high": rule.high, "bounds_by": source}
        case Sides() if fact.name in rule.parameters:
            added = {"sides": rule, "sides_by": source}
        case Clip() if fact.name in rule.parameters:
            added = {"clip": rule, "clip_by": source}
        case Several() if fact.name in rule.parameters:
            added = {"several": rule}
        case Behind() if fact.name in rule.parameters:
            added = {"behind": rule, "behind_by": source}
    return evolve(fact, **added)


def facts_of(model: Model) -> tuple[Fact, ...]:
    """The facts of all parameters of a model in the order of its schema; of a name that comes twice, the first."""
    facts: dict[str, Fact] = {}
    rules = tuple(rules_for(model.id))
    for parameter in model.parameters:
        fact = _of_schema(parameter)
        for rule, source in rules:
            fact = _extended(fact, rule, source)
        facts.setdefault(fact.name, fact)
    return tuple(facts.values())
