"""The models on offer: one vendor-shaped JSON file each, and beside them what only a sandbox must know.

Parameters, types, options and limits follow the vendor's page of each model. A price stands in
`pricing_details` where the vendor or its users stated it; where that text is empty the figure is ours.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import cast

from attrs import frozen

from gmi_video.sandbox.behaviour import Behaviour
from gmi_video.sandbox.natures import NATURES, Nature


@frozen
class Parameter:
    """One parameter as the schema check needs it."""

    name: str
    type: str
    required: bool
    default: object
    options: tuple[object, ...]
    low: float | None
    high: float | None


@frozen
class Offer:
    """A model of the catalog: what the service tells of it, and how it behaves here."""

    model: str
    detail: Mapping[str, object]
    parameters: tuple[Parameter, ...]
    price: int
    unit: str
    nature: Nature

    @property
    def behaviour(self) -> Behaviour:
        """The lowest layer of every submission of this model."""
        return self.nature.behaviour

    def filled(self, payload: Mapping[str, object]) -> dict[str, object]:
        """The payload with this model's defaults where the caller said nothing or null."""
        told = {p.name: p.default for p in self.parameters if p.default is not None}
        told.update((name, value) for name, value in payload.items() if value is not None)
        return told


@cache
def offers() -> Mapping[str, Offer]:
    """All models of the catalog by id, in the order in which the catalog lists them."""
    folder = files("gmi_video.sandbox") / "models"
    found = [
        _read(json.loads(entry.read_bytes())) for entry in folder.iterdir() if entry.name.endswith(".json")
    ]
    found.sort(key=lambda offer: offer.model)
    return MappingProxyType({offer.model: offer for offer in found})


def _read(detail: Mapping[str, object]) -> Offer:
    model = cast("str", detail["model"])
    price = cast("Mapping[str, object]", detail["price_info"])
    return Offer(
        model=model,
        detail=detail,
        parameters=tuple(map(_parameter, cast("Sequence[Mapping[str, object]]", detail["parameters"]))),
        price=cast("int", price["price"]),
        unit=cast("str", price["unit"]),
        nature=NATURES.get(model, Nature()),
    )


def _parameter(told: Mapping[str, object]) -> Parameter:
    return Parameter(
        name=cast("str", told["name"]),
        type=cast("str", told["type"]),
        required=bool(told["required"]),
        default=told["default_value"],
        options=tuple(cast("Sequence[object]", told["options"] or ())),
        low=cast("float | None", told["min_value"]),
        high=cast("float | None", told["max_value"]),
    )
