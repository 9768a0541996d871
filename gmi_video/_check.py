"""What is wrong with a payload, by a model's live schema and by what is known beyond it. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import evolve

from gmi_video._facts import Fact, facts_of, rules_for
from gmi_video._nested import nested
from gmi_video._rules import Given, Is, Together, Total
from gmi_video._suggest import did_you_mean, nearest_names
from gmi_video._values import JUDGES, loosely, option
from gmi_video.catalog import Model, Problem

_DEEP = frozenset({list, tuple, dict})
Payload = Mapping[str, Any]
Check = Callable[[Payload], tuple[Problem, ...]]


def checker(model: Model) -> Check:
    """The check of one model, made ready once: a payload is then judged in microseconds."""
    facts = facts_of(model)
    names = frozenset(fact.name for fact in facts)
    judges = tuple(
        (
            fact.name,
            fact.required,
            fact,
            option if fact.options and fact.kind != "list" else JUDGES[fact.kind],
        )
        for fact in facts
    )
    whole = _rules(model, names)
    defaults = {parameter.name: parameter.default for parameter in model.parameters}

    def check(payload: Payload) -> tuple[Problem, ...]:
        found: list[Problem] = []
        seen = 0
        for name, required, fact, judge in judges:
            value = payload.get(name)
            if value is None:
                seen += name in payload
                if required:
                    found.append(_missing(model, fact, payload, names))
                continue
            seen += 1
            problem = judge(fact, value)
            if problem is not None:
                found.append(_behind(fact, problem, value) if fact.behind else problem)
            elif type(value) in _DEEP and (problem := nested(fact, value)) is not None:
                found.append(problem)
        if names and seen < len(payload):
            found += _unknown(model, payload, names)
        for rule in whole:
            problem = rule(payload, defaults)
            if problem is not None:
                found.append(problem)
        return tuple(found)

    return check


def _missing(model: Model, fact: Fact, payload: Payload, names: frozenset[str]) -> Problem:
    taken = [name for name in payload if name not in names and fact.name in nearest_names(name, names)]
    hint = f"; {taken[0]} is not its name here" if taken else ""
    return Problem(
        parameter=fact.name,
        kind="missing",
        sentence=f"{fact.name} is missing, and {model.id} requires it{hint}",
    )


def _unknown(model: Model, payload: Payload, names: frozenset[str]) -> Iterator[Problem]:
    """Names that the schema does not know: the service ignores them, and charges for what it makes without them."""
    ordered = [parameter.name for parameter in model.parameters]
    for name, value in payload.items():
        if name in names or value is None:
            continue
        near = nearest_names(name, ordered)[:1]
        yield Problem(
            parameter=str(name),
            kind="unknown",
            sentence=f"{model.id} has no parameter {str(name)[:60]} and ignores it without a word"
            + did_you_mean(near),
            certain=False,
            suggestion=next(iter(near), None),
        )


def _behind(fact: Fact, problem: Problem, value: Any) -> Problem:
    """A breach that the queue itself does not refuse; what then happens is said instead."""
    behind = fact.behind
    assert behind is not None
    if behind.refused is not None and isinstance(value, list | tuple) and behind.refused is list:
        return evolve(problem, sentence=f"{problem.sentence} (by {fact.behind_by})")
    then = f"{problem.sentence}; {behind.then} (by {fact.behind_by})"
    return evolve(problem, sentence=then, certain=False)


Whole = Callable[[Payload, Payload], Problem | None]


def _rules(model: Model, names: frozenset[str]) -> tuple[Whole, ...]:
    """The rules about several parameters that this schema has all the names for."""
    found: list[Whole] = []
    for rule, source in rules_for(model.id):
        if isinstance(rule, Together) and names.issuperset((*rule.when, rule.parameter)):
            found.append(_together(rule, source))
        elif isinstance(rule, Total) and names.issuperset(rule.parameters):
            found.append(_total(rule, source))
    return tuple(found)


def _together(rule: Together, source: str) -> Whole:
    wanted = tuple(
        (
            name,
            condition,
            frozenset(map(loosely, condition.values)) if isinstance(condition, Is) else frozenset(),
        )
        for name, condition in rule.when.items()
    )
    problem = Problem(
        parameter=rule.parameter, kind="combination", sentence=f"{rule.sentence} (by {source})", certain=False
    )

    def whole(payload: Payload, defaults: Payload) -> Problem | None:
        for name, condition, values in wanted:
            value = payload.get(name)
            if isinstance(condition, Given):
                if _said(value) is not condition.yes:
                    return None
                continue
            value = defaults.get(name) if value is None else value
            if value is None or (loosely(value) in values) is condition.negated:
                return None
        return problem

    return whole


def _said(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value is not None and value != []


def _total(rule: Total, source: str) -> Whole:
    def whole(payload: Payload, _defaults: Payload) -> Problem | None:
        lists = [value for name in rule.parameters if isinstance(value := payload.get(name), list | tuple)]
        count = sum(map(len, lists))
        if count <= rule.most:
            return None
        names = " and ".join(rule.parameters)
        sentence = f"{names} have {count} items together; at most {rule.most} are taken (by {source})"
        return Problem(parameter=rule.parameters[0], kind="length", sentence=sentence, certain=False)

    return whole
