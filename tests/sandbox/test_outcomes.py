import pytest

from gmi_video.sandbox.behaviour import Behaviour, FailurePlace, OutcomeShape
from gmi_video.sandbox.outcomes import failure, kind_of, success

V, T = "http://m/a.mp4", "http://m/a_thumbnail.jpg"


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ("video_url", {"video_url": V, "thumbnail_image_url": T}),
        ("media_urls", {"media_urls": [{"id": "0", "url": V}], "thumbnail_image_url": T}),
        ("media_strings", {"media_urls": [V], "thumbnail_image_url": T}),
        ("both", {"media_urls": [{"id": "0", "url": V}], "video_url": V, "thumbnail_image_url": T}),
        ("empty", {}),
    ],
)
def test_a_success_speaks_in_the_shape_of_its_model(shape: OutcomeShape, told: object) -> None:
    """Each success shape seen in production can be had."""
    assert success(Behaviour(outcome=shape), "video", "http://m/a".__add__) == told


def test_a_thumbnail_may_be_missing_or_be_the_video_again() -> None:
    """The thumbnail is a JPEG, the MP4 itself, or absent."""
    assert success(Behaviour(thumbnail="video"), "video", "http://m/a".__add__) == {
        "thumbnail_image_url": V,
        "video_url": V,
    }
    assert success(Behaviour(thumbnail="none"), "video", "http://m/a".__add__) == {"video_url": V}


def test_sound_is_told_with_its_format() -> None:
    """An audio outcome has a link, a format and a status of its own, and no thumbnail."""
    behaviour = Behaviour(outcome="audio_url")

    assert kind_of(behaviour, "video") == "audio"
    assert success(behaviour, "audio", "http://m/a".__add__) == {
        "audio_url": "http://m/a.wav",
        "format": "wav",
        "status": "success",
    }


def test_a_picture_is_an_image_whatever_the_shape() -> None:
    """Image models, and the flat image shape, link to a picture."""
    assert kind_of(Behaviour(outcome="media_urls"), "image") == "image"
    assert kind_of(Behaviour(outcome="image_url"), "video") == "image"
    assert success(Behaviour(outcome="image_url", thumbnail="none"), "image", "http://m/a".__add__) == {
        "image_url": "http://m/a.jpeg"
    }


@pytest.mark.parametrize(
    ("place", "outcome", "top"),
    [
        (None, {"error": "no"}, {}),
        ("outcome.error", {"error": "no"}, {}),
        ("outcome.message", {"message": "no"}, {}),
        ("outcome.error_message", {"error_message": "no"}, {}),
        ("outcome.fail_reason", {"fail_reason": "no"}, {}),
        ("error", None, {"error": "no"}),
        ("error_message", None, {"error_message": "no"}),
        ("reason", None, {"reason": "no"}),
        ("nowhere", None, {}),
    ],
)
def test_a_failure_says_why_in_any_place(place: FailurePlace | None, outcome: object, top: object) -> None:
    """The reason of a failure can stand in each place where clients look for it, or nowhere."""
    assert failure(Behaviour(fails="no", failure=place)) == (outcome, top)


def test_a_failure_may_be_an_object() -> None:
    """Some models give `{code, message, status}` instead of a string."""
    told, _ = failure(Behaviour(fails="no", failure="outcome.error.object", code="E7"))

    assert told == {"error": {"code": "E7", "message": "no", "status": "INVALID_INPUT"}}
