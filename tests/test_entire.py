"""Files that end too early: refused before a byte moves. What is odd in other ways is not refused."""

from pathlib import Path
from typing import Any

import pytest
from cargo import large, placed
from films import film, still
from hypothesis import given
from hypothesis import strategies as st
from scene import stage

from gmi_video import VideoRequest, errors, inputs
from gmi_video._entire import missing
from gmi_video._file_type import HEAD, seen_as
from gmi_video.sandbox import Script
from gmi_video.testing import run

BODIES = {
    "a.png": still("png"),
    "a.jpg": still("jpeg"),
    "a.mp4": film("mp4"),
    "b.mp4": film("fast"),
    "c.mov": film("mov"),
}
MOTION = still("jpeg") + film("mp4") + bytes(200_000)
"""A photo of a phone that keeps a film behind it, and no sign of the photo's end in the last 64 KiB."""


def why(body: bytes) -> str | None:
    kind = seen_as(body[:HEAD])
    assert kind is not None
    return missing(kind, lambda at, length: body[at : at + length], len(body))


@given(st.sampled_from(sorted(BODIES)), st.data())
def test_a_file_cut_anywhere_is_found_out(name: str, data: st.DataObject) -> None:
    """Wherever it ends before its last byte, a picture or a film shows it; whole it shows nothing."""
    body = BODIES[name]
    end = data.draw(st.integers(24, len(body) - 1))

    assert why(body) is None
    assert why(body[:end]) is not None


@pytest.mark.parametrize(
    "body",
    [
        MOTION,
        still("jpeg") + b"\0" * 100_000,
        still("png") + b"more",
        film("mp4") + b"SEFT of a camera, behind the film" * 9,
        film("pieces"),
        b"\xff\xd8\xff\xe0\x00\x04JFnothing of a picture",
        large(5000),
    ],
)
def test_what_follows_the_end_is_no_matter(body: bytes) -> None:
    """Cameras write their own behind a picture, and some files are odd: the model may take them."""
    assert why(body) is None


@pytest.mark.parametrize("name", sorted(BODIES))
def test_nothing_of_half_a_file_leaves_the_machine(name: str, tmp_path: Path) -> None:
    """By `upload` of a path or bytes, in a payload at any depth, and as a data URI: a sentence, and no call."""
    half = BODIES[name][: len(BODIES[name]) - 20]
    path = placed(tmp_path, name, half)
    nested: dict[str, Any] = {"prompt": "p", "image_list": [{"image": path}]}

    async def main() -> None:
        async with stage(Script()) as (sandbox, session):
            for source in (path, half):
                with pytest.raises(
                    errors.ConfigurationError, match=r"not sent: it is an? \w+ .* not complete"
                ):
                    await session.upload(source)
            with pytest.raises(
                errors.PayloadInvalid, match=r"payload\.image_list\[0\]\.image: .*not complete"
            ):
                await session.submit(VideoRequest("kling-v3-omni", nested))

            assert [call.operation for call in sandbox.calls] == []

    run(main())
    if name != "c.mov":
        with pytest.raises(errors.ConfigurationError, match="not complete"):
            inputs.data_uri(path)
