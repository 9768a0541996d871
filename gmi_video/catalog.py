"""What the catalog says of a model: its parameters, its price, and how it answers.

A `Model` also says what is wrong with a payload and what it will cost; both are reckoned here, nothing is sent.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

from attrs import field, frozen

from gmi_video.records import Record

ProblemKind = Literal[
    "missing", "unknown", "type", "option", "range", "length", "link", "picture", "clip", "combination"
]

_MICRO = Decimal(1_000_000)


@frozen(kw_only=True)
class Problem(Record):
    """One thing that is wrong with a payload, in a sentence.

    `certain`: the service would refuse the request; else it ignores the parameter without a word, accepts the
    request and fails it later, or only its pages say so. `suggestion` is the name or the value that would be
    right, where there is one.
    """

    parameter: str
    kind: ProblemKind
    sentence: str
    certain: bool = True
    suggestion: Any = field(default=None, hash=False)

    def __str__(self) -> str:
        return self.sentence


class PayloadWarning(UserWarning):
    """A payload was sent although something is wrong with it; the service may not do what is wanted."""


def _money(dollars: Decimal) -> str:
    """As people write it, and no digit less than there is: $10, $0.50, $0.152."""
    exact = dollars.normalize()
    whole, _, cents = f"{exact:f}".partition(".")
    return f"${whole}.{cents:0<2}" if cents else f"${whole}"


@frozen(kw_only=True)
class Cost(Record):
    """An estimate of what one request costs, in US dollars, and the words of the catalog it was read from."""

    dollars: Decimal
    words: str

    def __str__(self) -> str:
        return f"{_money(self.dollars)} ({self.words})"


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

    @property
    def choices(self) -> tuple[Any, ...]:
        """The options that a value can be held against: none where some tell no value, or all are blank."""
        known = tuple(option for option in self.options if option is not None)
        told = not any(isinstance(option, Mapping | list | tuple) for option in known)
        return known if told and any(option != "" for option in known) else ()

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """The least and the greatest number, None for no bound.

        0 to 0, which a service of Go writes for what is not set, binds nothing; nor does 10 to 0.
        """
        low, high = self.minimum, self.maximum
        if low is not None and high is not None and (low > high or low == high == 0):
            return None, None
        return low, high


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
        return f"{_money(self.dollars)}{per}"


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

    @cached_property
    def _checker(self) -> Callable[[Mapping[str, Any]], tuple[Problem, ...]]:
        from gmi_video._check import checker  # noqa: PLC0415  # the checker knows the nouns, not they it

        return checker(self)

    def check(self, payload: Mapping[str, Any]) -> tuple[Problem, ...]:
        """What is wrong with `payload`, by this schema and by what is known beyond it; empty where nothing is.

        The schema's word counts before anything known from elsewhere. No value is changed or rounded: a 5 is
        not a "5", and 5.5 is not 5.
        """
        return self._checker(payload)

    def price_of(self, payload: Mapping[str, Any]) -> Cost | None:
        """What a request with `payload` costs by the list price, the schema's defaults counted in.

        None where the catalog does not say, or says it in words that leave more than one answer.
        """
        from gmi_video._price import price_of  # noqa: PLC0415  # as above

        return price_of(self, payload)
