from typing import Any

import pytest

from gmi_video.sandbox.catalog import offers
from gmi_video.sandbox.clips import Clip, clip_of, seconds_of


def made(model: str, **payload: Any) -> Clip:
    """The clip a payload asks a model for."""
    return clip_of("video", model, offers()[model].filled({"prompt": "x", **payload}))


@pytest.mark.parametrize(
    ("model", "payload", "size"),
    [
        ("Veo3", {}, (1280, 720)),
        ("Veo3", {"aspectRatio": "9:16"}, (720, 1280)),
        ("wan2.6-t2v", {}, (1920, 1080)),
        ("wan2.6-t2v", {"size": "1248*1632"}, (1248, 1632)),
        ("sora-2-pro", {}, (1792, 1024)),
        ("Wan-AI_Wan2.1-T2V-14B", {}, (832, 480)),
        ("wan2.7-t2v", {"ratio": "1:1", "resolution": "720P"}, (720, 720)),
        ("wan2.7-t2v", {"ratio": "3:4"}, (1080, 1440)),
        ("pixverse-v5.6-t2v", {"quality": "360p", "aspect_ratio": "9:16"}, (360, 640)),
        ("Luma-Ray2", {"resolution": "4k", "aspect_ratio": "21:9"}, (5040, 2160)),
        ("seedance-2-0-260128", {"ratio": "adaptive", "resolution": "480p"}, (854, 480)),
        ("Minimax-Hailuo-2.3", {}, (1366, 768)),
        ("Veo3", {"aspectRatio": "0:9"}, (1280, 720)),
    ],
)
def test_a_clip_has_the_size_that_was_asked_for(
    model: str, payload: dict[str, Any], size: tuple[int, int]
) -> None:
    """Size, tier and shape are understood under each family's own names, and sides are even."""
    clip = made(model, **payload)

    assert (clip.width, clip.height) == size


@pytest.mark.parametrize(
    ("model", "payload", "seconds"),
    [
        ("Veo3", {}, 8),
        ("Luma-Ray2", {"duration": "9s"}, 9),
        ("wan2.6-t2v", {"duration": 15}, 15),
        ("Wan-AI_Wan2.1-T2V-14B", {"video_length": 7}, 7),
        ("sora-2-pro", {"seconds": "12"}, 12),
    ],
)
def test_a_clip_lasts_as_long_as_was_asked_for(model: str, payload: dict[str, Any], seconds: float) -> None:
    """The duration is understood as number, as text, and as text with an s."""
    assert made(model, **payload).seconds == seconds


@pytest.mark.parametrize(
    ("payload", "seconds"),
    [
        ({}, 5),
        ({"duration": "long"}, 5),
        ({"duration": True}, 5),
        ({"duration": -1}, 1),
        ({"duration": 1e9}, 60),
    ],
)
def test_a_strange_duration_stays_within_reason(payload: dict[str, Any], seconds: float) -> None:
    """Where no sensible duration is named a clip lasts five seconds, and never longer than a minute."""
    assert seconds_of(payload) == seconds


def test_a_picture_has_two_thousand_lines_and_a_prompt_is_bounded() -> None:
    """A picture is as tall as the tier says, and a clip keeps no more of a prompt than it can show."""
    clip = clip_of("image", "seedream-5.0-lite", {"size": "2K", "prompt": "x" * 5000})

    assert (clip.width, clip.height, len(clip.prompt)) == (2560, 1440, 400)


def test_a_payload_without_a_prompt_makes_a_clip_too() -> None:
    """A prompt that is missing or no text is shown as none."""
    assert clip_of("video", "m", {"prompt": ["x"]}).prompt == ""
