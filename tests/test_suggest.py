"""What may have been meant by a name that is not known."""

import pytest

from gmi_video._suggest import did_you_mean, nearest_ids, nearest_names

IDS = (
    "Kling-Image2Video-V2.1-Master",
    "Kling-Text2Video-V2.1-Master",
    "Veo3",
    "Veo3-Fast",
    "seedance-1-0-pro-250528",
    "seedance-1-0-pro-fast-251015",
    "seedance-2-0-260128",
    "wan2.6-i2v",
    "wan2.6-t2v",
    "wan2.7-t2v",
)


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("kling-image2video-v2.1-master", "Kling-Image2Video-V2.1-Master"),
        ("KLING_IMAGE2VIDEO_V2_1_MASTER", "Kling-Image2Video-V2.1-Master"),
        ("veo3-fast", "Veo3-Fast"),
        ("seedance-1-0-pro-fast", "seedance-1-0-pro-fast-251015"),
        ("seedance-1-0-pro", "seedance-1-0-pro-250528"),
        ("seedance-2-0-251231", "seedance-2-0-260128"),
        ("wan2.6i2v", "wan2.6-i2v"),
        ("wan26-t2v", "wan2.6-t2v"),
        ("veo-3", "Veo3"),
        ("seedance-2-0-26128", "seedance-2-0-260128"),
    ],
)
def test_the_nearest_model_comes_first(asked: str, first: str) -> None:
    """Another case, a build without its date or with another one, a slip: each finds its model."""
    assert nearest_ids(asked, IDS)[0] == first


@pytest.mark.parametrize("asked", ["", "x", "gpt-image-2", "\u4e07\u76f8"])
def test_nothing_near_is_no_suggestion(asked: str) -> None:
    """A model that the list has nothing like is not answered with a guess."""
    assert nearest_ids(asked, IDS) == ()


def test_a_model_is_never_suggested_in_its_own_place() -> None:
    """An id that the list has and the service refused is not offered again."""
    assert "Veo3" not in nearest_ids("Veo3", IDS)


def test_the_latest_build_comes_first() -> None:
    """Builds of one name rotate; the newest is the likeliest to work."""
    assert nearest_ids("a-b", ["a-b-250101", "a-b-260101"])[:2] == ("a-b-260101", "a-b-250101")


def test_suggestions_are_few() -> None:
    """Three names are help, ten are noise."""
    assert len(nearest_ids("model-77", [f"model-{number}" for number in range(40)])) == 3


@pytest.mark.parametrize(
    ("given", "known", "first"),
    [
        ("aspect_ratio", ["prompt", "ratio"], "ratio"),
        ("aspectRatio", ["aspect_ratio", "ratio"], "aspect_ratio"),
        ("duration", ["durationSeconds", "seed"], "durationSeconds"),
        ("image", ["img_url", "prompt"], "img_url"),
        ("first_frame", ["input_reference", "seconds"], "input_reference"),
        ("image_tail", ["first_frame", "last_frame"], "last_frame"),
        ("promt", ["negative_prompt", "prompt"], "prompt"),
        ("Seed", ["seed"], "seed"),
        ("video_length", ["seconds"], "seconds"),
        ("sound", ["generate_audio"], "generate_audio"),
    ],
)
def test_the_nearest_parameter_comes_first(given: str, known: list[str], first: str) -> None:
    """The same word in another spelling, then another family's word for the same thing, then a slip."""
    assert nearest_names(given, known)[0] == first


def test_a_parameter_like_none_has_no_suggestion() -> None:
    """A name of no family is not turned into one."""
    assert nearest_names("zzz", ["prompt", "seed"]) == ()


def test_the_question_is_asked_only_where_there_is_one() -> None:
    """No names, no words."""
    assert did_you_mean(["a", "b"]) == "; did you mean a or b?"
    assert did_you_mean([]) == ""
