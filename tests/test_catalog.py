"""The catalog's nouns, and how the vendor's description of a model becomes one."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from searching import search

from gmi_video import wire
from gmi_video._schema import model_of, schema_of
from gmi_video.catalog import Model, Parameter, Price
from gmi_video.errors import MalformedResponse
from gmi_video.wire import Reply

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["model", "id", "model_id", "org_id", "parameters", "price_info", "pricing_details", "modalities", "tags"]
)
FIELDS = st.sampled_from(
    [
        "name",
        "key",
        "type",
        "required",
        "options",
        "enum",
        "min",
        "max_value",
        "price",
        "unit",
        "input",
        "output",
    ]
)
DESCRIPTIONS = st.dictionaries(
    NAMES,
    JSON | st.dictionaries(FIELDS, JSON) | st.lists(st.dictionaries(FIELDS, JSON), max_size=3),
    max_size=6,
)
TEXT = st.text(max_size=8)
NUMBERS = st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
PARAMETERS = st.builds(
    Parameter,
    name=st.text(min_size=1, max_size=8),
    type=st.sampled_from(["string", "enum", "integer"]),
    required=st.booleans(),
    default=JSON.filter(lambda value: value == value),  # noqa: PLR0124  # not a NaN
    options=st.lists(st.integers() | TEXT, max_size=3).map(tuple),
    minimum=NUMBERS,
    maximum=NUMBERS,
    display_name=TEXT,
    description=TEXT,
)
PRICES = st.builds(Price, amount=st.integers(min_value=0), unit=TEXT, details=TEXT)
MODELS = st.builds(
    Model,
    id=st.text(min_size=1, max_size=8),
    owner=TEXT,
    description=TEXT,
    guide=TEXT,
    type=TEXT,
    status=TEXT,
    synchronous=st.booleans(),
    parameters=st.lists(PARAMETERS, max_size=2).map(tuple),
    price=st.none() | PRICES,
    inputs=st.lists(TEXT, max_size=2).map(tuple),
    outputs=st.lists(TEXT, max_size=2).map(tuple),
    tags=st.lists(TEXT, max_size=2).map(tuple),
)


def _read(recorded: Callable[[str], Reply], name: str) -> Model:
    return wire.read_model(wire.model_call("asked-for"), recorded(f"model/{name}"))


def test_the_vendors_example_is_read(recorded: Callable[[str], Reply]) -> None:
    """The description of Veo3 in the vendor's documentation gives owner, texts, media and the parameter."""
    model = _read(recorded, "veo3")

    assert (
        model.id,
        model.owner,
        model.inputs,
        model.outputs,
    ) == ("Veo3", "google", ("text", "image"), ("video",))
    assert model.description.startswith("Google Veo 3")
    assert model.guide.startswith("# Veo3")
    assert model.parameter("prompt") == Parameter(
        name="prompt",
        type="string",
        required=True,
        display_name="Text Prompt",
        description="The text prompt used to guide video generation.",
    )
    assert model.price is None
    assert not model.synchronous


def test_a_full_description_is_read(recorded: Callable[[str], Reply]) -> None:
    """Types, options, defaults, bounds and the price in micro-dollars come out as they stand."""
    model = _read(recorded, "wan2.7-t2v")

    assert Parameter(name="resolution", type="enum", default="1080P", options=("720P", "1080P")) == (
        model.parameter("resolution")
    )
    assert Parameter(name="duration", type="integer", default=5, minimum=2, maximum=15) == (
        model.parameter("duration")
    )
    assert model.parameter("watermark") == Parameter(name="watermark", type="boolean", default=False)
    assert model.price == Price(amount=152_000, unit="second", details="$0.152 per second")
    assert (model.status, model.type, model.tags, model.extra["qworkers"]) == ("active", "video", ("new",), 0)


def test_a_synchronous_model_is_known(recorded: Callable[[str], Reply]) -> None:
    """`delivery_mode` "sync" makes a model synchronous."""
    assert _read(recorded, "seedream-5.0-lite").synchronous


def test_the_older_names_are_read(recorded: Callable[[str], Reply]) -> None:
    """`key`, `min`, `max` and numbers as text are read, bounds of 64 bits to the last digit."""
    model = _read(recorded, "old-schema")

    assert (
        model.parameters[0].minimum,
        model.parameters[0].maximum,
        model.parameters[0].required,
    ) == (1, 10, True)
    assert (model.parameters[1].minimum, model.parameters[1].maximum) == (-1, 2**63 - 1)


def test_a_price_in_words_alone_is_kept(recorded: Callable[[str], Reply]) -> None:
    """Where no amount is named, the free text about the price is kept in `extra`."""
    model = _read(recorded, "old-schema")

    assert model.price is None
    assert model.extra["pricing_details"].startswith("480P")
    assert model == Model.from_dict(model.as_dict())


def test_the_console_surface_wraps_the_description() -> None:
    """A description inside `model` is the same description."""
    inner = {"model": "Veo3", "org_id": "google"}

    assert model_of({"model": inner}) == model_of(inner)


def test_a_description_without_a_name_is_the_models_that_was_asked_for() -> None:
    """Parameters without a name belong to the id of the call; an object with neither is no description."""
    assert model_of({"parameters": []}, "Veo3").id == "Veo3"
    with pytest.raises(MalformedResponse, match="missing @ model"):
        model_of({"error": "nothing here"}, "Veo3")


@pytest.mark.parametrize("data", [None, [], "x", {}, {"model": ""}, {"model": 5}, {"model": {}}])
def test_what_describes_no_model_is_refused(data: object) -> None:
    """A reply that is no object or names no model raises `MalformedResponse` with the place."""
    with pytest.raises(MalformedResponse) as caught:
        model_of(data)

    assert caught.value.path in {"$", "model"}


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"name": "a", "options": None}, Parameter(name="a")),
        ({"name": "a", "options": "x"}, Parameter(name="a")),
        ({"name": "a", "type": None}, Parameter(name="a")),
        ({"name": "a", "type": "ENUM", "enum": ["1"]}, Parameter(name="a", type="enum", options=("1",))),
        ({"name": "a", "required": "true"}, Parameter(name="a", required=True)),
        ({"name": "a", "required": "no"}, Parameter(name="a")),
        ({"name": "a", "min_value": "0.5", "max_value": 1.0}, Parameter(name="a", minimum=0.5, maximum=1)),
        ({"name": "a", "min_value": "low", "max_value": True}, Parameter(name="a")),
        ({"name": "a", "min_value": float("inf"), "max_value": "nan"}, Parameter(name="a")),
        ({"name": "a", "min_value": [], "max_value": "1e400"}, Parameter(name="a")),
        ({"name": "a", "display_name": 5}, Parameter(name="a", display_name="5")),
        ({"name": "a", "default": 0}, Parameter(name="a", default=0)),
    ],
)
def test_odd_parameters_are_straightened(given: dict[str, Any], read: Parameter) -> None:
    """What is odd in a parameter is put right or left out; the parameter stays."""
    assert (read,) == model_of({"model": "m", "parameters": [given]}).parameters


@pytest.mark.parametrize("item", [None, 5, "prompt", [], {}, {"name": ""}, {"name": 5}])
def test_a_parameter_without_a_name_is_left_out(item: object) -> None:
    """One nameless parameter does not cost the others."""
    model = model_of({"model": "m", "parameters": [item, {"name": "a"}]})

    assert tuple(parameter.name for parameter in model.parameters) == ("a",)


@pytest.mark.parametrize(
    "odd", [None, 5, True, "text", {"input": 5}, {"input": "text"}, {"input": [{}, None]}]
)
def test_odd_modalities_are_left_out(odd: object) -> None:
    """Modalities in an unknown form are empty, not a crash."""
    assert model_of({"model": "m", "modalities": odd}).inputs == ()


def test_modalities_may_be_bare_words() -> None:
    """A list of words is read like the list of objects."""
    assert model_of({"model": "m", "modalities": {"input": ["text"]}}).inputs == ("text",)


@pytest.mark.parametrize(
    "info", [None, 5, "x", {}, {"price": None}, {"price": -1}, {"price": "free"}, {"price": 0.152}]
)
def test_a_price_without_an_amount_is_none(info: object) -> None:
    """No amount, no price: nothing is guessed, and a part of a micro-dollar is in some other unit, not $0."""
    assert model_of({"model": "m", "price_info": info}).price is None


@pytest.mark.parametrize("odd", [float("inf"), float("nan"), "Infinity", "1e999", True])
def test_a_price_is_a_finite_number(odd: object) -> None:
    """An infinite price, in whatever spelling, is none."""
    assert model_of({"model": "m", "price_info": {"price": odd}}).price is None


@search(40, of=100)
@given(DESCRIPTIONS)
def test_any_description_is_read_or_refused(data: dict[str, Any]) -> None:
    """Whatever stands in a description, it becomes a model or a `MalformedResponse`."""
    try:
        model = model_of(data)
    except MalformedResponse:
        return

    assert model.id


@given(MODELS)
def test_a_model_is_read_back_equal(model: Model) -> None:
    """A model written in the vendor's spelling is read back as an equal value."""
    assert model == Model.from_dict(model.as_dict())
    assert model.as_dict() == schema_of(model)


@given(PARAMETERS | PRICES)
def test_the_parts_of_a_model_are_read_back_equal(part: Parameter | Price) -> None:
    """Parameters and prices alone go through a dict and back as well."""
    assert part == type(part).from_dict(part.as_dict())


def test_parts_are_written_in_the_vendors_spelling() -> None:
    """A parameter's dict has `default_value` and `min_value`, a price's has `price`."""
    assert {"default_value", "min_value", "max_value", "options"} <= Parameter(name="a").as_dict().keys()
    assert Price(amount=1, unit="second").as_dict() == {"price": 1, "unit": "second", "pricing_details": ""}


@pytest.mark.parametrize(
    ("price", "shown"),
    [
        (Price(amount=152_000, unit="second"), "$0.152 per second"),
        (Price(amount=10_000_000, unit="video"), "$10 per video"),
        (Price(amount=1_400_000, unit="video"), "$1.40 per video"),
        (Price(amount=1), "$0.000001"),
        (Price(amount=0), "$0"),
        (Price(amount=10**40), "$1" + "0" * 34),
    ],
)
def test_a_price_reads_in_dollars(price: Price, shown: str) -> None:
    """A price is micro-dollars, exact, and read without an exponent."""
    assert shown == str(price)
    assert price.dollars == Decimal(price.amount) / 1_000_000


def test_what_a_parameter_leaves_open_is_said() -> None:
    """Choices and bounds are those that a value can be held against; the schema's own words stay beside them."""
    odd = Parameter(name="a", options=(None, "b", {"label": "c"}), minimum=0, maximum=0)
    usual = Parameter(name="a", options=(None, "b"), minimum=0, maximum=1)

    assert (odd.choices, odd.bounds) == ((), (None, None))
    assert (usual.choices, usual.bounds) == (("b",), (0, 1))


def test_a_parameter_is_found_by_its_exact_name() -> None:
    """Names are case-sensitive; an unknown one gives None."""
    model = Model(id="m", parameters=(Parameter(name="aspectRatio"),))

    assert model.parameter("aspectRatio") is model.parameters[0]
    assert model.parameter("aspect_ratio") is None
