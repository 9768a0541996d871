from typing import Any

import pytest
from attrs import evolve

from gmi_video.sandbox.catalog import offers
from gmi_video.sandbox.schema import problems

PIXVERSE = {"prompt": "x", "duration": "5", "aspect_ratio": "16:9", "quality": "720p"}


def said(model: str, payload: dict[str, Any]) -> list[tuple[str, str]]:
    """What a model's schema says against a payload."""
    return problems(offers()[model], payload)


def test_an_empty_payload_names_every_required_parameter() -> None:
    """The answer to an empty payload names what is missing, in the order of the schema."""
    assert said("kling-v3-image-to-video", {}) == [
        ("prompt", "Required parameter is missing"),
        ("image", "Required parameter is missing"),
    ]


def test_null_is_as_good_as_absent() -> None:
    """A null passes for an optional parameter and is missing for a required one."""
    assert said("Veo3", {"prompt": "x", "seed": None}) == []
    assert said("Veo3", {"prompt": None}) == [("prompt", "Required parameter is missing")]


def test_a_misnamed_parameter_is_ignored() -> None:
    """Names the schema does not know pass in silence, whatever they hold."""
    assert said("wan2.7-t2v", {"prompt": "x", "aspect_ratio": "banana", "Duration": []}) == []


@pytest.mark.parametrize("duration", [5, "7", True, 5.0, ["5"], {}])
def test_pixverse_wants_its_duration_as_text(duration: object) -> None:
    """Only the listed texts are durations for PixVerse: the number 5 is refused."""
    assert said("pixverse-v5.6-t2v", {**PIXVERSE, "duration": duration}) == [
        ("duration", "Value must be one of: 5, 8, 10")
    ]


@pytest.mark.parametrize(("value", "passes"), [(5, True), ("5", False), (True, False), (7, False)])
def test_wan_wants_its_duration_as_a_number(value: object, passes: bool) -> None:
    """Wan's options are numbers: the text "5" is refused."""
    assert (said("wan2.6-t2v", {"prompt": "x", "duration": value}) == []) is passes


@pytest.mark.parametrize(
    ("model", "payload", "problem"),
    [
        ("wan2.7-t2v", {"duration": 1}, ("duration", "Value must be between 2 and 15")),
        ("wan2.7-t2v", {"duration": "5"}, ("duration", "Expected type integer")),
        ("wan2.7-t2v", {"duration": True}, ("duration", "Expected type integer")),
        ("wan2.7-t2v", {"duration": 5.5}, ("duration", "Expected type integer")),
        ("wan2.7-t2v", {"watermark": "no"}, ("watermark", "Expected type boolean")),
        ("kling-v2-6", {"cfg_scale": 1.5}, ("cfg_scale", "Value must be between 0 and 1")),
        ("kling-v2-6", {"cfg_scale": "0.5"}, ("cfg_scale", "Expected type float")),
        ("seedance-2-0-260128", {"reference_images": "x"}, ("reference_images", "Expected type array")),
        ("Veo3", {"image": ["https://x/y.png"]}, ("image", "Expected type string")),
        ("Veo3", {"prompt": 5}, ("prompt", "Expected type string")),
    ],
)
def test_a_wrong_value_is_named_with_its_reason(
    model: str, payload: dict[str, Any], problem: tuple[str, str]
) -> None:
    """A wrong type, option or range is one problem that names the parameter and says what is wanted."""
    assert said(model, {"prompt": "x", **payload}) == [problem]


@pytest.mark.parametrize(
    ("model", "payload"),
    [
        ("wan2.7-t2v", {"duration": 5.0}),
        ("wan2.6-t2v", {"duration": 5.0}),
        ("kling-v2-6", {"cfg_scale": 1}),
        ("wan2.7-t2v", {"seed": -1}),
        ("seedance-2-0-260128", {"first_frame": ["https://x/y.png"]}),
    ],
)
def test_what_json_or_the_backend_decides_passes_the_queue(model: str, payload: dict[str, Any]) -> None:
    """A whole float is an integer in JSON, and what only the model behind the queue checks is let through."""
    assert said(model, {"prompt": "x", **payload}) == []


def test_a_limit_on_one_side_is_told_as_such() -> None:
    """A parameter with only one limit says "at least" or "at most"."""
    offer = offers()["wan2.7-t2v"]
    duration = next(p for p in offer.parameters if p.name == "duration")
    for change, text in (({"high": None}, "at least 2"), ({"low": None}, "at most 15")):
        one_sided = evolve(offer, parameters=(evolve(duration, **change),))  # type: ignore[arg-type]
        wrong = 1 if "at least" in text else 16

        assert problems(one_sided, {"duration": wrong}) == [("duration", f"Value must be {text}")]


def test_true_is_not_one() -> None:
    """A boolean is never taken for a number among the options."""
    offer = offers()["wan2.7-t2v"]
    count = evolve(offer.parameters[0], name="count", type="enum", options=(1, 2), required=False)

    assert problems(evolve(offer, parameters=(count,)), {"count": 1}) == []
    assert problems(evolve(offer, parameters=(count,)), {"count": True}) != []


def test_an_option_that_is_a_boolean_is_spelled_as_json_spells_it() -> None:
    """Options are listed as JSON spells them."""
    offer = offers()["wan2.7-t2v"]
    flag = evolve(offer.parameters[0], name="flag", type="enum", options=(True,), required=False)

    assert problems(evolve(offer, parameters=(flag,)), {"flag": "x"}) == [
        ("flag", "Value must be one of: true")
    ]
