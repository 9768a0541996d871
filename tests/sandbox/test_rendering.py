from io import BytesIO
from itertools import pairwise

import pytest

pytest.importorskip("av")
pytest.importorskip("PIL")

import av
from PIL import Image

from gmi_video.sandbox.clips import Clip
from gmi_video.sandbox.rendering import still, video

EAGLE = Clip("video", 320, 180, 2, "Veo3", "An eagle over a valley at dawn")


@pytest.mark.parametrize(
    ("width", "height", "seconds"),
    [(320, 180, 2), (180, 320, 1), (202, 202, 3), (2560, 1440, 1), (3840, 2160, 1)],
)
def test_a_video_is_h264_of_the_asked_size_and_length(width: int, height: int, seconds: float) -> None:
    """Whatever size and length is asked for, the MP4 has it, in H.264, and decodes to its last frame."""
    made = video(Clip("video", width, height, seconds, "Veo3", "x"))

    with av.open(BytesIO(made), "r") as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", width, height)
        assert container.duration is not None
        assert container.duration / av.time_base == pytest.approx(seconds, abs=0.05)
        assert len(list(container.decode(stream))) == stream.frames > 0


def test_a_video_can_be_played_while_it_arrives() -> None:
    """The index stands before the pictures, so that a player begins with the first bytes."""
    made = video(EAGLE)

    assert made[4:8] == b"ftyp"
    assert 0 < made.index(b"moov") < made.index(b"mdat")


def test_equal_clips_have_equal_bytes_and_others_do_not() -> None:
    """The same clip rendered twice is the same file; another prompt is another."""
    other = Clip("video", 320, 180, 2, "Veo3", "A train in the snow")

    assert video(EAGLE) == video(EAGLE) != video(other)


def test_the_frame_counter_moves() -> None:
    """No two neighbouring frames look alike, and the ground stays the same."""
    with av.open(BytesIO(video(EAGLE)), "r") as container:
        frames = [bytes(frame.planes[0]) for frame in container.decode(video=0)]

    assert all(one != two for one, two in pairwise(frames))
    assert max(abs(one - two) for one, two in zip(frames[0][:9000], frames[-1][:9000], strict=True)) < 12


def test_a_still_is_a_jpeg_of_the_asked_size() -> None:
    """A picture, or a thumbnail, is a JPEG of its clip's size."""
    with Image.open(
        BytesIO(still(Clip("image", 640, 360, 0, "seedream-5.0-lite", "A quiet harbour")))
    ) as picture:
        assert (picture.format, picture.size) == ("JPEG", (640, 360))


@pytest.mark.parametrize("size", [(64, 64), (640, 360)])
@pytest.mark.parametrize("prompt", ["", "x" * 400, "WWMW WMWM " * 36, "猫が海を見ている", "a\nb\tc"])
def test_any_prompt_can_be_shown(prompt: str, size: tuple[int, int]) -> None:
    """Empty, endless, wide and foreign prompts are drawn into pictures of any size."""
    assert still(Clip("image", *size, 0, "m", prompt))[:2] == b"\xff\xd8"
