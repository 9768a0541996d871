"""A picture that is sent inside a payload is measured before it is sent."""

import base64
import struct
from typing import Any

import pytest
from models import MODELS


def png(width: int, height: int) -> str:
    """The beginning of a PNG of that size, as a `data:` URL."""
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height)
    return "data:image/png;base64," + base64.b64encode(head + bytes(9)).decode()


def jpeg(width: int, height: int) -> str:
    """The beginning of a JPEG of that size, as bare base64."""
    head = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(10) + b"\xff\xc2\x00\x11\x08"
    return base64.b64encode(head + struct.pack(">HH", height, width) + bytes(300)).decode()


@pytest.mark.parametrize("make", [png, jpeg])
@pytest.mark.parametrize(
    ("width", "height", "words"),
    [(360, 2000, ""), (359, 800, "359x800"), (800, 2001, "800x2001")],
)
def test_an_inline_picture_is_measured(make: Any, width: int, height: int, words: str) -> None:
    """wan2.6-i2v takes 360 to 2000 pixels a side; what is sent as base64 can be seen to break that."""
    found = MODELS["wan2.6-i2v"].check({"img_url": make(width, height)})

    assert [problem.kind for problem in found] == (["picture"] if words else [])
    assert all(words in problem.sentence for problem in found)


@pytest.mark.parametrize(
    "text",
    ["data:image/png;base64,***", "data:image/png;base64,AAAA", "data:image/webp;base64,UklGRg==", "x" * 300],
)
def test_an_inline_picture_that_cannot_be_read_is_let_pass(text: str) -> None:
    """A format that we cannot measure is no reason to object."""
    assert MODELS["wan2.6-i2v"].check({"img_url": text}) == ()
