"""Typed payload classes, written from models of the catalog: Python source that an editor understands. Pure.

The same models, source and date give the same text, byte for byte, in whatever order the models come.
"""

import ast
import builtins
from collections.abc import Iterable, Iterator

from attrs import frozen

from gmi_video._facts import LIVE, Fact, facts_of
from gmi_video._source import bare, called, camel, docstring, free, identifier, listing, quoted
from gmi_video._suggest import ROLES, folded
from gmi_video.catalog import Model, Parameter

_DURATIONS = next(role for role in ROLES if "duration" in role)
_TYPES = {
    "whole": "int",
    "number": "float",
    "switch": "bool",
    "list": "Sequence[Any]",
    "text": "str",
    "file": "Link",
    "object": "Mapping[str, Any]",
    "any": "Any",
}
_TAKEN = frozenset(
    {
        "Any",
        "ClassVar",
        "Link",
        "Literal",
        "Mapping",
        "Sequence",
        "field",
        "frozen",
        "self",
        "at_most",
        "between",
        "one_of",
    }
    | {"bool", "float", "int", "str", "l", "O", "I"}
)
"""Names that a field or a class of the module would hide, or `__init__` has itself, or linters take for digits."""


@frozen
class _Class:
    """One class to be written: its name, its model, and the names of its options' types."""

    name: str
    model: Model
    aliases: dict[str, str]


def module_of(models: Iterable[Model], *, source: str, date: str) -> str:
    """The source of a module with one payload class a model.

    Args:
        models: what to write of; a model that comes twice is written once.
        source: where the catalog is, for the module's docstring.
        date: when it was read, as the caller wants it written.
    """
    chosen = sorted({model.id: model for model in models}.values(), key=lambda model: model.id)
    taken = {*_TAKEN, *dir(builtins)}
    classes = []
    for model in chosen:
        name = free(camel(model.id), taken)
        aliases = {
            fact.name: free(name + camel(fact.name), taken) for fact in facts_of(model) if _literal(fact)
        }
        classes.append(_Class(name, model, aliases))
    body = "".join(line for each in classes for line in _written(each))
    return _head(len(classes), source, date, body) + body


def _head(count: int, source: str, date: str, body: str) -> str:
    models = "1 model" if count == 1 else f"{count} models"
    lines = [f'"""Payloads of {models} of GMI Cloud.', ""]
    lines += [f"Catalog: {bare(source)}", f"Read: {bare(date)}", ""]
    lines += ["Written by `gmi-video stubs`: write it anew where the catalog has changed.", '"""', ""]
    lines += ["# isort: skip_file"]
    tree = list(ast.walk(ast.parse(body)))
    mixed = any(isinstance(node, ast.AnnAssign) and _is_mixed(node.target) for node in tree)
    lines += ["# ruff: noqa: N815, RUF100"] if mixed else []  # the names are the API's own
    lines.append("")
    groups = (
        ("collections.abc", ("Mapping", "Sequence")),
        ("typing", ("Any", "ClassVar", "Literal")),
        ("attrs", ("field", "frozen")),
        ("gmi_video.payloads", ("at_most", "between", "one_of")),
        ("gmi_video.records", ("Link",)),
    )
    said = {node.id for node in tree if isinstance(node, ast.Name)}
    last = ""
    for module, names in groups:
        used = [name for name in names if name in said]
        if used:
            root = "" if module in {"collections.abc", "typing"} else module.partition(".")[0]
            lines += [""] if lines[-1] and root != last else []
            lines.append(f"from {module} import {', '.join(used)}")
            last = root
    return "\n".join(lines) + "\n"


def _is_mixed(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id not in {target.id.lower(), target.id.upper()}


def _written(each: _Class) -> Iterator[str]:
    facts = facts_of(each.model)
    gap = "\n\n"
    for fact in facts:
        if fact.name in each.aliases:
            yield gap + listing(
                f"{each.aliases[fact.name]} = Literal", list(dict.fromkeys(map(quoted, fact.options)))
            )
            gap = "\n"
    yield f"\n\n@frozen(kw_only=True)\nclass {each.name}:\n"
    yield docstring(_about(each.model), "    ", f"A payload of {bare(each.model.id)}.")
    yield f"\n    __model__: ClassVar[str] = {quoted(each.model.id)}\n"
    taken = {*_TAKEN, *each.aliases.values()}
    for fact in facts:
        parameter = each.model.parameter(fact.name)
        assert parameter is not None
        yield "\n"
        yield from _field(fact, parameter, each, taken)


def _field(fact: Fact, parameter: Parameter, each: _Class, taken: set[str]) -> Iterator[str]:
    name = identifier(fact.name, taken, _TAKEN)
    kind = each.aliases.get(fact.name) or _type(fact)
    arguments = [] if fact.required else ["default=None"]
    validator = _validator(fact, each.aliases.get(fact.name))
    arguments += [f"validator={validator}"] if validator else []
    arguments += [f'metadata={{"name": {quoted(fact.name)}}}'] if name != fact.name else []
    kind = kind if fact.required or kind == "Any" else f"{kind} | None"
    if not arguments:
        yield f"    {name}: {kind}\n"
    elif arguments == ["default=None"]:
        yield f"    {name}: {kind} = None\n"
    else:
        yield called(f"    {name}: {kind} = field", arguments)
    if said := _said(fact, parameter):
        yield docstring([], "    ", said)


def _type(fact: Fact) -> str:
    if fact.options and fact.kind != "list":
        return "float" if all(isinstance(option, int | float) for option in fact.options) else "Any"
    return "Link" if fact.kind == "text" and "url" in fact.name.lower() else _TYPES[fact.kind]


def _literal(fact: Fact) -> bool:
    """Whether the options can stand in a `Literal`, which takes no real numbers."""
    return (
        bool(fact.options)
        and fact.kind != "list"
        and all(isinstance(option, str | int) for option in fact.options)
    )


def _validator(fact: Fact, alias: str | None) -> str:
    if alias:
        return f"one_of({alias})"
    if fact.options and fact.kind != "list":
        return ""
    bounded = fact.bounds_by == LIVE and (fact.low, fact.high) != (None, None)
    if fact.kind in {"whole", "number"} and bounded:
        return f"between({fact.low}, {fact.high}{', whole=True' if fact.kind == 'whole' else ''})"
    return f"at_most({fact.longest})" if fact.longest and fact.longest_by == LIVE else ""


def _said(fact: Fact, parameter: Parameter) -> str:
    """What an editor shows of a field: its description, its unit, its default, its bounds."""
    said = _sentence(parameter.description) or _sentence(parameter.display_name)
    parts = [said] if said else []
    if folded(fact.name) in _DURATIONS and "second" not in said.lower():
        parts.append("In seconds.")
    if (
        fact.kind in {"whole", "number"}
        and not fact.options
        and fact.low is not None
        and fact.high is not None
    ):
        parts.append(f"From {fact.low} to {fact.high}.")
    if parameter.default not in (None, ""):
        parts.append(f"Default: {_sentence(str(parameter.default))}")
    return " ".join(parts)


def _about(model: Model) -> list[str]:
    price = _sentence(str(model.price)) if model.price else ""
    return [text for text in (_sentence(model.description), price) if text]


def _sentence(text: str) -> str:
    plain = bare(text).rstrip()
    return f"{plain}." if plain and plain[-1] not in ".!?" else plain
