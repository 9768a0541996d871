"""The vendor's model description, read into a `Model` and written back.

Both surfaces and the older names (`key`, `min`, `max`, `options` under `enum`) are read; what is not a
description at all raises, what is merely odd (numbers as strings, null options) is straightened or dropped.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from attrs import evolve

from gmi_video.catalog import Model, Parameter, Price
from gmi_video.errors import MalformedResponse

_KNOWN = frozenset(
    {"model", "org_id", "brief_description", "detailed_description", "model_type", "status", "delivery_mode"}
    | {"parameters", "price_info", "pricing_details", "modalities", "tags"}
)


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _number(value: object) -> float | None:
    if isinstance(value, str):
        try:
            return int(value)  # not by way of float: the bounds of a seed may have 64 bits
        except ValueError:
            return _number(_real(value))
    if isinstance(value, bool) or not isinstance(value, int | float) or value - value != 0:
        return None
    return int(value) if value == int(value) else value


def _real(digits: str) -> float | None:
    try:
        return float(digits)
    except ValueError:
        return None


def _first(data: Mapping[str, Any], *names: str) -> Any:
    return next((data[name] for name in names if data.get(name) is not None), None)


def _option(value: Any) -> Any:
    """An option, bare or beside its label."""
    return value["value"] if isinstance(value, Mapping) and "value" in value else value


def parameter_of(data: object) -> Parameter:
    """One parameter from its description; raises `MalformedResponse` where it has no name."""
    name = _first(data, "name", "key") if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(name, str) or not name:
        raise MalformedResponse("missing @ parameters.name", what="missing", path="parameters.name")
    options = _first(data, "options", "enum")
    return Parameter(
        name=name,
        type=_text(data.get("type")).lower() or "string",
        required=data.get("required") in (True, "true", 1),
        default=_first(data, "default_value", "default"),
        options=tuple(map(_option, options)) if isinstance(options, list) else (),
        minimum=_number(_first(data, "min_value", "min")),
        maximum=_number(_first(data, "max_value", "max")),
        display_name=_text(data.get("display_name")),
        description=_text(data.get("description")),
    )


def _parameters(items: object) -> Iterator[Parameter]:
    for item in items if isinstance(items, list | tuple) else ():
        with suppress(MalformedResponse):
            yield parameter_of(item)


def price_of(data: object) -> Price:
    """A price from its description; raises `MalformedResponse` where it names no whole number of micro-USD."""
    amount = _number(data.get("price")) if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or amount is None or amount < 0 or amount != int(amount):
        raise MalformedResponse("no amount @ price_info.price", what="no amount", path="price_info.price")
    unit = _text(data.get("unit")) or _text(data.get("pricing_type")).removeprefix("per_")
    return Price(amount=int(amount), unit=unit, details=_text(data.get("pricing_details")))


def _price(data: Mapping[str, Any]) -> Price | None:
    info = data.get("price_info")
    try:
        return evolve(price_of(info), details=_text(data.get("pricing_details")))
    except MalformedResponse:
        return None


def _modalities(data: Mapping[str, Any], side: str) -> tuple[str, ...]:
    both = data.get("modalities")
    items = both.get(side) if isinstance(both, Mapping) else None
    if not isinstance(items, list | tuple):
        return ()
    names = (item.get("type") if isinstance(item, Mapping) else item for item in items)
    return tuple(name for name in names if isinstance(name, str))


def model_of(data: object, model_id: str = "") -> Model:
    """A `Model` from the service's description; raises `MalformedResponse` where it names no model."""
    if isinstance(data, Mapping) and isinstance(data.get("model"), Mapping):
        data = data["model"]
    if not isinstance(data, Mapping):
        raise MalformedResponse("not an object @ $", what="not an object", path="$")
    name = _first(data, "model", "id", "model_id") or (model_id if "parameters" in data else "")
    if not isinstance(name, str) or not name:
        raise MalformedResponse("missing @ model", what="missing", path="model")
    tags, price = data.get("tags"), _price(data)
    known = _KNOWN if price or not data.get("pricing_details") else _KNOWN - {"pricing_details"}
    return Model(
        id=name,
        owner=_text(data.get("org_id")),
        description=_text(data.get("brief_description")),
        guide=_text(data.get("detailed_description")),
        type=_text(data.get("model_type")),
        status=_text(data.get("status")),
        synchronous=data.get("delivery_mode") == "sync",
        parameters=tuple(_parameters(data.get("parameters"))),
        price=price,
        inputs=_modalities(data, "input"),
        outputs=_modalities(data, "output"),
        tags=tuple(map(_text, tags)) if isinstance(tags, list) else (),
        extra={key: value for key, value in data.items() if key not in known},
    )


def parameter_schema(parameter: Parameter) -> dict[str, Any]:
    """The description of a parameter again, in the vendor's spelling."""
    return {
        "name": parameter.name,
        "display_name": parameter.display_name,
        "description": parameter.description,
        "type": parameter.type,
        "required": parameter.required,
        "default_value": parameter.default,
        "options": list(parameter.options),
        "min_value": parameter.minimum,
        "max_value": parameter.maximum,
    }


def price_schema(price: Price) -> dict[str, Any]:
    """A price again, in the vendor's spelling, with the text that a model's description keeps beside it."""
    return {"price": price.amount, "unit": price.unit, "pricing_details": price.details}


def schema_of(model: Model) -> dict[str, Any]:
    """The description again, in the vendor's spelling."""
    price = model.price
    return {
        "model": model.id,
        "org_id": model.owner,
        "brief_description": model.description,
        "detailed_description": model.guide,
        "model_type": model.type,
        "status": model.status,
        "delivery_mode": "sync" if model.synchronous else "async",
        "modalities": {
            "input": [{"type": name} for name in model.inputs],
            "output": [{"type": name} for name in model.outputs],
        },
        "parameters": [parameter_schema(parameter) for parameter in model.parameters],
        "price_info": {"price": price.amount, "unit": price.unit} if price else None,
        "pricing_details": price.details if price else "",
        "tags": list(model.tags),
    } | dict(model.extra)
