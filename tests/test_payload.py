"""What may stand in a payload, and the sentence about what may not."""

import enum
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gmi_video import wire
from gmi_video._payload import plain
from gmi_video.errors import PayloadInvalid
from gmi_video.events import Succeeded
from gmi_video.records import Media, Outcome, Saved, Snapshot, Status, Video, VideoRequest

CLIP = Media("https://a.example.com/clip.mp4?sig=1")
COVER = Media("https://a.example.com/cover.jpg", kind="image")
DONE = Snapshot(
    request_id="r", model="m", status=Status.SUCCESS, outcome=Outcome(media=(CLIP,), thumbnail=COVER)
)
QUEUED = Snapshot(request_id="r", model="m", status=Status.QUEUED)


class _Mode(enum.StrEnum):
    PRO = "pro"


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -5,
        2**63,
        0.5,
        "",
        "ü😀",
        [],
        {},
        [1, [2, {"a": None}]],
        {"a": {"b": ["c"]}},
        1.7e308,
        10**308,
    ],
)
def test_json_passes_as_it_is(value: object) -> None:
    """Whatever JSON can hold is sent unchanged, types included."""
    assert value == plain(value)
    assert type(value) is type(plain(value))


@pytest.mark.parametrize(
    "value",
    [
        CLIP,
        DONE,
        DONE.outcome,
        Video(snapshot=DONE),
        Saved(path=Path("clip.mp4"), size=1, sha256="ab", media=CLIP),
        Succeeded(request_id="r", snapshot=DONE),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_stands_for_a_file_becomes_its_link(value: object) -> None:
    """A made video goes into the next payload as its whole link, at any depth."""
    assert {"images": [CLIP.url]} == plain({"images": (value,)})


def test_words_of_an_enumeration_are_text() -> None:
    """A string enumeration is sent as its word."""
    assert b'"mode":"pro"' in (wire.submit_call(VideoRequest("m", {"mode": _Mode.PRO})).body or b"")


@pytest.mark.parametrize(
    ("value", "where"),
    [
        ({"a": float("nan")}, "payload.a: not a number"),
        ({"a": [1, float("inf")]}, "payload.a[1]: not a number"),
        ({"a": 10**5000}, "payload.a: not a number"),
        ({"a": {"b": [b"x"]}}, "payload.a.b[0]: a bytes"),
        ({"a": Path("clip.mp4")}, "payload.a: a file of this machine"),
        ({"a": {1, 2}}, "payload.a: a set"),
        ({"a": Decimal(1)}, "payload.a: a Decimal"),
        ({"a": object()}, "payload.a: a object"),
        ({"a": QUEUED}, "payload.a: it names no file"),
        ({"a": Outcome(thumbnail=COVER)}, "payload.a: it names no file"),
        ({"a": Video(snapshot=QUEUED)}, "payload.a: it names no file"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_place(value: dict[str, Any], where: str) -> None:
    """A value that JSON cannot hold is refused with its place, and the sentence says that nothing was sent."""
    with pytest.raises(PayloadInvalid) as caught:
        wire.submit_call(VideoRequest("m", value))

    assert str(caught.value).startswith(where)
    assert "nothing was sent" in str(caught.value)
    assert caught.value.charged == "no"


@pytest.mark.parametrize("value", [{"a": "\ud800"}, {"\udfff": 1}, {"a": ["x\udc00y"]}])
def test_half_of_a_pair_is_not_text(value: dict[str, Any]) -> None:
    """A lone surrogate cannot be sent as UTF-8: it is refused before anything is sent."""
    with pytest.raises(PayloadInvalid, match="surrogate"):
        wire.submit_call(VideoRequest("m", value))


def _from_below(depth: int, request: VideoRequest) -> bytes | None:
    """The body of a submission that is made far down the stack."""
    return _from_below(depth - 1, request) if depth else wire.submit_call(request).body


@pytest.mark.parametrize("below", range(0, 400, 20))
def test_a_deep_payload_is_sent_or_refused(below: int) -> None:
    """However deep a payload nests, it is sent whole or refused as ours; a `RecursionError` never comes out."""
    value: Any = "x"
    for _ in range(300):
        value = {"a": value}
    request = VideoRequest("m", value)

    came: bytes | str | None
    try:
        came = _from_below(below, request)
    except PayloadInvalid as error:
        came = str(error)

    assert came == "payload: it is nested too deeply; nothing was sent" or (
        isinstance(came, bytes) and came.count(b"{") == 301
    )
