import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import pytest

from gmi_video.sandbox.catalog import offers
from gmi_video.sandbox.natures import NATURES

FIELDS = [
    "model", "org_id", "brief_description", "detailed_description", "model_type", "status", "host_type",
    "external_provider", "external_api_url", "external_api_endpoint", "internal_parameters", "modalities",
    "parameters", "price_info", "pricing_details", "delivery_mode", "tags", "qworkers", "icon_link",
    "background_image_url", "created_at", "updated_at",
]  # fmt: skip
PARAMETER = [
    "name", "display_name", "description", "type", "required", "default_value", "options", "min_value",
    "max_value",
]  # fmt: skip
TYPES = {"string", "enum", "integer", "float", "boolean", "image", "video", "array"}
NAMED = [
    "Veo3", "Veo3-Fast", "veo-3.1-generate-preview", "veo-3.1-fast-generate-001", "wan2.6-i2v", "wan2.6-t2v",
    "wan2.7-t2v", "Wan-AI_Wan2.1-T2V-14B", "Kling-Image2Video-V2.1-Master", "Kling-Text2Video-V2.1-Master",
    "kling-v2-6", "kling-v3-text-to-video", "kling-v3-image-to-video", "Luma-Ray2", "seedance-2-0-260128",
    "seedance-2-5-260628", "seedance-1-0-pro-fast-251015", "pixverse-v5.6-t2v", "pixverse-v5.6-i2v", "Minimax-Hailuo-2.3",
    "vidu-q3-pro-t2v", "sora-2-pro", "seedream-5.0-lite", "Z-Image",
]  # fmt: skip


def detail(model: str) -> Mapping[str, Any]:
    """What the service tells of a model."""
    return offers()[model].detail


def parameter(model: str, name: str) -> Mapping[str, Any]:
    """One parameter of a model."""
    found: Sequence[Mapping[str, Any]] = detail(model)["parameters"]
    return next(p for p in found if p["name"] == name)


def test_the_catalog_lists_the_real_models() -> None:
    """More than twenty real video models are on offer, each under its exact id."""
    assert sorted(offers()) == sorted(NAMED)
    assert sum(offer.detail["model_type"] == "video" for offer in offers().values()) >= 20


@pytest.mark.parametrize("model", NAMED)
def test_a_model_is_told_in_full(model: str) -> None:
    """Each model has every field of the service's model detail, and each parameter every field of its own."""
    told = detail(model)

    assert list(told) == FIELDS
    assert told["model"] == model
    for told_parameter in told["parameters"]:
        assert list(told_parameter) == PARAMETER
        assert told_parameter["type"] in TYPES
        assert (told_parameter["type"] == "enum") == bool(told_parameter["options"])


@pytest.mark.parametrize("model", NAMED)
def test_a_default_is_a_value_that_the_schema_accepts(model: str) -> None:
    """No model states a default that its own options or limits refuse."""
    for told in detail(model)["parameters"]:
        default = told["default_value"]
        if default is not None and told["options"]:
            assert default in told["options"], told["name"]
        if isinstance(default, int | float) and told["min_value"] is not None:
            assert told["min_value"] <= default <= told["max_value"], told["name"]


@pytest.mark.parametrize("model", NAMED)
def test_a_price_is_micro_dollars_for_a_unit(model: str) -> None:
    """Prices are whole micro-USD for a second, a video or an image."""
    price = detail(model)["price_info"]

    assert isinstance(price["price"], int)
    assert price["unit"] in {"second", "video", "image"}
    assert price["pricing_type"] == f"per_{price['unit']}"


def test_wan_2_6_i2v_is_as_its_page_says() -> None:
    """wan2.6-i2v has the eleven parameters of its page with their types, defaults and options."""
    rows = [
        (p["name"], p["type"], p["required"], p["default_value"], p["options"])
        for p in detail("wan2.6-i2v")["parameters"]
    ]

    assert rows == [
        ("prompt", "string", False, "", None),
        ("img_url", "image", True, None, None),
        ("audio_url", "string", False, None, None),
        ("negative_prompt", "string", False, "", None),
        ("resolution", "enum", False, "1080P", ["720P", "1080P"]),
        ("duration", "enum", False, 5, [5, 10, 15]),
        ("prompt_extend", "boolean", False, True, None),
        ("shot_type", "enum", False, "single", ["single", "multi"]),
        ("audio", "boolean", False, True, None),
        ("watermark", "boolean", False, False, None),
        ("seed", "integer", False, None, None),
    ]
    assert (parameter("wan2.6-i2v", "seed")["min_value"], parameter("wan2.6-i2v", "seed")["max_value"]) == (
        0,
        2147483647,
    )


@pytest.mark.parametrize(
    ("model", "name", "default"),
    [
        ("Veo3", "durationSeconds", "8"),
        ("veo-3.1-generate-preview", "durationSeconds", 6),
        ("sora-2-pro", "seconds", "8"),
        ("Luma-Ray2", "duration", "5s"),
        ("pixverse-v5.6-t2v", "duration", "5"),
        ("wan2.6-t2v", "duration", 5),
        ("Wan-AI_Wan2.1-T2V-14B", "video_length", 5),
        ("kling-v2-6", "duration", "5"),
    ],
)
def test_no_two_families_agree_on_a_duration(model: str, name: str, default: object) -> None:
    """A family's own name and type of the duration are kept: text, number, or text with an s."""
    told = parameter(model, name)["default_value"]

    assert (told, type(told)) == (default, type(default))


@pytest.mark.parametrize(
    ("model", "price", "details"),
    [
        ("seedance-2-0-260128", 152000, "Per second: 480p=$0.07, 720p=$0.152, 1080p=$0.374"),
        ("kling-v3-text-to-video", 168000, "$0.168 per second, with sound: $0.252 per second"),
        ("seedream-5.0-lite", 35000, "$0.035 per image"),
        ("veo-3.1-fast-generate-001", 150000, "$0.15 per second"),
        ("seedance-1-0-pro-fast-251015", 22000, "$0.022 per video"),
    ],
)
def test_a_price_that_is_known_is_stated(model: str, price: int, details: str) -> None:
    """Prices that users wrote down are the catalog's, and only those have a text beside them."""
    assert (detail(model)["price_info"]["price"], detail(model)["pricing_details"]) == (price, details)


def test_a_file_holds_nothing_of_the_sandbox() -> None:
    """The JSON files hold what the service tells and nothing else; they are named after their model."""
    for entry in (files("gmi_video.sandbox") / "models").iterdir():
        told = json.loads(entry.read_bytes())

        assert entry.name == f"{told['model']}.json"
        assert list(told) == FIELDS


def test_what_the_sandbox_knows_belongs_to_a_model_on_offer() -> None:
    """No nature is kept for a model that is not on offer."""
    assert set(NATURES) <= set(offers())


def test_defaults_fill_what_the_caller_left_open() -> None:
    """A payload is completed with defaults; a null counts as left open; what was said stays."""
    filled = offers()["Veo3"].filled({"prompt": "x", "aspectRatio": "9:16", "durationSeconds": None})

    assert filled["durationSeconds"] == "8"
    assert filled["aspectRatio"] == "9:16"
    assert "seed" not in filled
