"""`Model.price_of`: what the catalog's words make of a payload, or None where they leave it open."""

from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from models import EXAMPLES, MODELS, model

from gmi_video._schema import model_of
from gmi_video._tariff import lines_of
from gmi_video.catalog import Cost, Model
from gmi_video.sandbox.catalog import offers

SECONDS = {"name": "duration", "type": "integer", "default_value": 5}
TIERS = {"name": "resolution", "type": "enum", "options": ["480P", "720P", "1080P"], "default_value": "720P"}
SOUND = {"name": "sound", "type": "enum", "options": ["on", "off"], "default_value": "off"}


def priced(details: str, *parameters: dict[str, Any], price: object = None, unit: str = "second") -> Model:
    """A model with these words about its price, and this list price in micro-USD."""
    info = None if price is None else {"price": price, "pricing_type": f"per_{unit}", "unit": unit}
    return model(*(parameters or (SECONDS, TIERS)), price_info=info, pricing_details=details)


def dollars(cost: Cost | None) -> str | None:
    """The amount alone."""
    return None if cost is None else f"{cost.dollars.normalize():f}"


@pytest.mark.parametrize(
    ("details", "payload", "amount"),
    [
        (
            "480P: $0.05/second; 720P: $0.10/second; 1080P: $0.20/second",
            {"duration": 6, "resolution": "480P"},
            "0.3",
        ),
        ("480P: $0.05/second; 720P: $0.10/second; 1080P: $0.20/second", {}, "0.5"),
        ("480P: $0.05/second; 720P: $0.10/second", {"resolution": "1080P"}, None),
        ("Per second: 480p=$0.07, 720p=$0.152, 1080p=$0.374", {"resolution": "1080P"}, "1.87"),
        ("Per second: 480p=$0.07, 720p=$0.152", {"duration": 10}, "1.52"),
        ("$0.168 per second", {}, "0.84"),
        ("$0.168 per second", {"duration": "10"}, "1.68"),
        ("$0.168 per second", {"duration": "9s"}, "1.512"),
        ("$0.168 per second", {"duration": -1}, None),
        ("$0.168 per second", {"duration": "auto"}, None),
        ("$0.085 per image", {}, "0.085"),
        ("$0.30 per video", {"duration": 10}, "0.3"),
        ("$0.05/second (480P), $0.10/second (720P)", {}, "0.5"),
        ("480p/720p: $0.05 per second", {}, "0.25"),
        ("$3 per minute", {"duration": 20}, None),
        ("$0.13", {}, None),
        ("From $0.05 per second", {}, None),
        ("$0.05 - $0.10 per second", {}, None),
        ("$0.168→$0.252 per s", {}, None),
        ("$0.10 per second, 20% off this week", {}, None),
        ("$0.10 per 1000 characters", {}, None),
        ("14 credits/s", {}, None),
        ("Standard: $0.10 per second; Pro: $0.20 per second", {}, None),
        ("$0.10 per second; $0.20 per second", {}, None),
        ("", {}, None),
        ("Billed by the second of output.", {}, None),
    ],
)
def test_the_words_about_the_price_are_read(
    details: str, payload: dict[str, Any], amount: str | None
) -> None:
    """Each wording that was seen is understood; what leaves more than one answer has none."""
    assert dollars(priced(details).price_of(payload)) == amount


@pytest.mark.parametrize(
    ("sound", "amount"), [("on", "1.26"), ("off", "0.84"), (None, "0.84"), ("loud", None)]
)
def test_sound_has_its_own_price(sound: str | None, amount: str | None) -> None:
    """The line that says more wins where it holds."""
    described = priced("$0.168 per second, with sound: $0.252 per second", SECONDS, SOUND)

    assert dollars(described.price_of({"sound": sound})) == amount


@pytest.mark.parametrize(
    ("price", "unit", "payload", "amount"),
    [
        (152000, "second", {}, "0.76"),
        ("152000", "second", {"duration": 10}, "1.52"),
        (35000, "image", {}, "0.035"),
        (35000, "request", {}, "0.035"),
        (35000, "token", {}, None),
        (0, "second", {}, None),
        (None, "second", {}, None),
    ],
)
def test_the_list_price_is_micro_dollars(
    price: object, unit: str, payload: dict[str, Any], amount: str | None
) -> None:
    """152000 a second is $0.152; a unit that nothing is known of, or a price of nothing, is no price."""
    assert dollars(priced("", price=price, unit=unit).price_of(payload)) == amount


@pytest.mark.parametrize(
    ("details", "amount"),
    [
        ("$0.13", None),
        ("$0.152", "0.76"),
        ("$0.152 per second", "0.76"),
        ("$0.16 per second", None),
        ("Billed by the second of output.", "0.76"),
        ("14 credits/s", None),
        ("+$0.152 per second", None),
        ("$0.152 per second; 720P: + $0.05 per second", None),
        ("$0.152 per second; 720P -$0.05 per second", None),
    ],
)
def test_words_and_list_price_that_disagree_have_no_answer(details: str, amount: str | None) -> None:
    """Two prices for one thing are no price; words without one leave the list price standing."""
    assert dollars(priced(details, price=152000).price_of({})) == amount


def test_what_the_service_ignores_costs_nothing() -> None:
    """A duration under another family's name changes no price, for the service does not read it."""
    assert dollars(priced("$0.1 per second").price_of({"seconds": 60})) == "0.5"


def test_without_a_duration_there_is_no_price_per_second() -> None:
    """Neither the payload nor the schema says how long: None."""
    assert priced("$0.1 per second", {"name": "prompt"}).price_of({"prompt": "a"}) is None


@pytest.mark.parametrize(("name", "amount"), [("n", "0.12"), ("max_images", None)])
def test_pictures_are_counted(name: str, amount: str | None) -> None:
    """Four pictures cost four times; at most four cost nobody knows what."""
    described = priced("$0.03 per image", {"name": name, "type": "integer"})

    assert dollars(described.price_of({name: 4})) == amount
    assert dollars(described.price_of({name: 1})) == "0.03"


def test_the_words_come_with_the_price() -> None:
    """A cost tells which words it was read from, and what they were multiplied by."""
    cost = priced("Per second: 480p=$0.07, 720p=$0.152").price_of({"duration": 10})

    assert cost == Cost(dollars=Decimal("1.52"), words="Per second: 720p=$0.152, for 10 seconds")
    assert str(cost) == "$1.52 (Per second: 720p=$0.152, for 10 seconds)"
    assert Cost.from_dict(cost.as_dict()) == cost


def test_details_are_read_without_a_list_price() -> None:
    """A description whose price_info is missing keeps its words."""
    described = model_of({"model": "m", "parameters": [SECONDS], "pricing_details": "$0.1 per second"})

    assert dollars(described.price_of({})) == "0.5"


@pytest.mark.parametrize(
    ("model_id", "amount"),
    [
        ("Veo3", "3.2"),
        ("kling-v3-image-to-video", "1.26"),
        ("kling-v3-text-to-video", "2.52"),
        ("seedance-2-0-260128", "0.76"),
        ("seedance-2-5-260628", "1.155"),
        ("seedance-1-0-pro-250528", "0.3"),
        ("seedance-1-0-pro-fast-251015", "0.022"),
        ("wan3.0-video", "0.3"),
        ("veo-3.1-fast-generate-001", "0.9"),
        ("MiniMax-H3", None),
        ("kling-v2-5-turbo", None),
    ],
)
def test_the_examples_of_the_pages_have_their_price(model_id: str, amount: str | None) -> None:
    """Prices that the vendor or its users stated come out to the cent; where nobody did, there is none."""
    assert dollars(MODELS[model_id].price_of(EXAMPLES[model_id])) == amount


@pytest.mark.parametrize("model_id", sorted(offers()))
def test_the_sandbox_charges_what_was_estimated(model_id: str) -> None:
    """For every payload with defaults and options of its own, the estimate is the sandbox's charge."""
    offer, rng = offers()[model_id], Random(1)
    for _ in range(50):
        payload = {
            parameter.name: rng.choice(parameter.options)
            for parameter in offer.parameters
            if parameter.options and rng.random() < 0.5
        }
        filled = offer.filled(payload)
        rate = offer.nature.rates.get(str(filled.get(offer.nature.rate_of)), offer.price)
        length = next(
            (filled[name] for name in ("duration", "durationSeconds", "seconds") if name in filled), 0
        )
        seconds = Decimal(str(length).removesuffix("s")) if offer.unit == "second" else Decimal(1)
        cost = model_of(offer.detail).price_of(payload)

        assert cost is not None
        assert cost.dollars * 1_000_000 == rate * seconds


@given(st.text(alphabet="$0123456789.,;:/ perscondvi480p=()\n", max_size=60), st.integers(0, 10**6))
def test_no_words_make_it_stumble(details: str, price: int) -> None:
    """Whatever stands there, the answer is an amount above nothing, or None."""
    cost = priced(details, price=price).price_of({})

    assert cost is None or cost.dollars > 0


def test_an_endless_tariff_is_not_read() -> None:
    """A text that could be a novel is no tariff."""
    assert lines_of("$1 per video; " * 1000) is None
