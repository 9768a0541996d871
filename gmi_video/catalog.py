"""What the catalog says of a model: its parameters, its price, and how it answers."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import field, frozen

from gmi_video.records import Record

_MICRO = Decimal(1_000_000)


@frozen(kw_only=True)
class Parameter(Record):
    """One parameter of a model's payload, as the live schema states it; unknown parts are None or empty."""

    name: str
    type: str = "string"
    required: bool = False
    default: Any = field(default=None, hash=False)
    options: tuple[Any, ...] = field(default=(), hash=False)
    minimum: float | None = None
    maximum: float | None = None
    display_name: str = ""
    description: str = field(default="", repr=False)


@frozen(kw_only=True)
class Price(Record):
    """The list price: `amount` micro-USD per `unit` (wire: 152000 per "second" is $0.152 a second)."""

    amount: int
    unit: str = ""
    details: str = ""

    @property
    def dollars(self) -> Decimal:
        """US dollars per unit, exact."""
        return Decimal(self.amount) / _MICRO

    def __str__(self) -> str:
        per = f" per {self.unit}" if self.unit else ""
        return f"${self.dollars.normalize():f}{per}"


@frozen(kw_only=True)
class Model(Record):
    """A model of the catalog. `synchronous` models answer the submission itself with the finished record."""

    id: str
    owner: str = ""
    description: str = field(default="", repr=False)
    guide: str = field(default="", repr=False)
    type: str = ""
    status: str = ""
    synchronous: bool = False
    parameters: tuple[Parameter, ...] = field(default=(), repr=False)
    price: Price | None = None
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(factory=dict, repr=False, hash=False)

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of that exact name, or None."""
        return next((parameter for parameter in self.parameters if parameter.name == name), None)
