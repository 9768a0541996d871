"""What a model's own schema says against a payload, before anything is priced. Pure.

Parameters that the schema does not name are ignored in silence, as the service ignores them: a misspelt
`ratio` gives a paid video of the wrong shape, not an error.
"""

from collections.abc import Mapping

from gmi_video.sandbox.catalog import Offer, Parameter

Problem = tuple[str, str]

_MISSING = "Required parameter is missing"


def problems(offer: Offer, payload: Mapping[str, object]) -> list[Problem]:
    """All (parameter, reason) pairs the service refuses with 400, in the order of the schema."""
    found = []
    for parameter in offer.parameters:
        value = payload.get(parameter.name)
        if value is None:
            if parameter.required:
                found.append((parameter.name, _MISSING))
            continue
        if parameter.name in offer.nature.checked_upstream:
            continue
        reason = _reason(parameter, value)
        if reason:
            found.append((parameter.name, reason))
    return found


def _reason(parameter: Parameter, value: object) -> str | None:
    if parameter.type == "enum" or parameter.options:
        if not any(
            value == option and isinstance(value, bool) is isinstance(option, bool)
            for option in parameter.options
        ):
            options = ", ".join(map(_spelled, parameter.options))
            return f"Value must be one of: {options}"
        return None
    if not _is_of(parameter.type, value):
        return f"Expected type {_plain(parameter.type)}"
    if isinstance(value, int | float) and not _within(parameter, value):
        return f"Value must be {_span(parameter)}"
    return None


def _is_of(kind: str, value: object) -> bool:
    match kind:
        case "integer":
            whole = isinstance(value, float) and value.is_integer()
            return whole or (isinstance(value, int) and not isinstance(value, bool))
        case "float":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "array":
            return isinstance(value, list)
        case _:
            return isinstance(value, str)


def _plain(kind: str) -> str:
    return kind if kind in {"integer", "float", "boolean", "array"} else "string"


def _within(parameter: Parameter, value: float) -> bool:
    low, high = parameter.low, parameter.high
    return (low is None or value >= low) and (high is None or value <= high)


def _span(parameter: Parameter) -> str:
    if parameter.low is None:
        return f"at most {parameter.high}"
    if parameter.high is None:
        return f"at least {parameter.low}"
    return f"between {parameter.low} and {parameter.high}"


def _spelled(option: object) -> str:
    return str(option).lower() if isinstance(option, bool) else str(option)
