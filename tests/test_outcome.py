"""Outcomes and failures in every shape that the models answer in."""

from collections.abc import Callable

import pytest

from gmi_video import wire
from gmi_video._outcome import outcome_of
from gmi_video.records import Failure, Kind, Media, MediaKind, Outcome, Snapshot, Status
from gmi_video.wire import Reply

Recorded = Callable[[str], Reply]

ID = "6fb2b474-fb3a-480f-a142-f200537c6de4"
STORE = (
    "https://storage.googleapis.com/gmi-video-assests-prod/user-assests/63729242-1870-4ff4-80b0-d485980ae31c"
)


def _look(recorded: Recorded, name: str) -> Snapshot:
    return wire.read_snapshot(wire.snapshot_call(ID), recorded(name))


def _at(path: str, kind: MediaKind = "video", name: str | None = None) -> Media:
    return Media(f"{STORE}/{path}", kind=kind, id=name)


@pytest.mark.parametrize(
    ("name", "media", "thumbnail"),
    [
        ("video-url", (_at("1/sample_0.mp4"),), None),
        (
            "video-url-thumbnail",
            (Media("https://storage.googleapis.com/bucket/generated-video.mp4"),),
            Media("https://storage.googleapis.com/bucket/thumbnail.jpg", kind="image"),
        ),
        ("media-urls", (_at("2/video_0.mp4", name="0"),), _at("2/thumb.jpg", "image")),
        ("media-urls-strings", (_at("3/a.mp4"), _at("3/b.mp4")), None),
        ("media-urls-mixed", (_at("4/a.mp4"), _at("4/b.mp4", name="1")), None),
        ("media-urls-no-list", (_at("5/read.mp4"),), None),
        ("both-same", (_at("6/a.mp4", name="0"),), None),
        ("both-different", (_at("7/a.mp4", name="0"), _at("7/b.mp4")), None),
        ("audio", (_at("8/speech.mp3", "audio"),), None),
        ("medias", (_at("9/a.webm", name="m"),), _at("9/a.webp", "image")),
        ("video-url-camel", (_at("10/a.mp4"),), None),
        ("image-url", (_at("11/a.png", "image"),), None),
        ("url", (_at("12/a"),), None),
        ("thumbnail-only", (), _at("13/a.jpg", "image")),
        ("empty", (), None),
        ("echoed-links", (_at("16/out.mp4"),), None),
    ],
)
def test_links_are_read_by_name(
    recorded: Recorded, name: str, media: tuple[Media, ...], thumbnail: Media | None
) -> None:
    """Each shape gives its links in order, each once; the video is never its own thumbnail, an echo no link."""
    outcome = _look(recorded, f"success/{name}").outcome

    assert outcome is not None
    assert (media, thumbnail) == (outcome.media, outcome.thumbnail)


@pytest.mark.parametrize("name", ["null", "list", "string"])
def test_a_success_without_an_object_has_no_outcome(recorded: Recorded, name: str) -> None:
    """An outcome that is no object is none; what it was is kept in `extra` and written again."""
    snapshot = _look(recorded, f"success/{name}")

    assert (snapshot.status, snapshot.outcome) == (Status.SUCCESS, None)
    assert (name == "null") == ("outcome" not in snapshot.extra)
    assert snapshot == Snapshot.from_dict(snapshot.as_dict())


def test_the_services_object_is_kept_whole(recorded: Recorded) -> None:
    """`raw` is the outcome as it came, keys that nobody reads included."""
    outcome = _look(recorded, "success/audio").outcome

    assert outcome is not None
    assert outcome.raw["duration_ms"] == 1200
    assert outcome == Outcome.from_dict(outcome.as_dict())


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://a.example.com/x.MP4?sig=a.png", "video"),
        ("https://a.example.com/x.jpeg", "image"),
        ("https://a.example.com/x.wav", "audio"),
        ("https://a.example.com/png", "video"),
        ("https://a.example.com/x.bin", "video"),
        ("https://mp3", "video"),
    ],
)
def test_the_kind_of_a_file_is_in_its_name(url: str, kind: MediaKind) -> None:
    """The suffix of the path decides what a file is, else the field that it stood in."""
    outcome = outcome_of({"media_urls": [url], "audio_url": "https://a.example.com/speech"})

    assert outcome is not None
    assert (kind, "audio") == tuple(media.kind for media in outcome.media)


@pytest.mark.parametrize(
    ("thumbnail", "found"), [("", None), (5, None), ([], None), ("https://a.example.com/t.jpg", "image")]
)
def test_odd_thumbnails_are_left_out(thumbnail: object, found: str | None) -> None:
    """A thumbnail is a link or nothing."""
    outcome = outcome_of({"thumbnail_image_url": thumbnail})

    assert outcome is not None
    assert found == (outcome.thumbnail.kind if outcome.thumbnail else None)


@pytest.mark.parametrize(
    ("name", "kind", "message", "code"),
    [
        ("outcome-error-string", "rate", "Music generation failed: rate limit exceeded(RPM)", None),
        (
            "outcome-error-object",
            "input",
            "Generation rejected; please review the prompt and parameters then retry",
            "400",
        ),
        ("outcome-error-code", "input", "Image pixel is invalid", "1301"),
        ("outcome-message", "input", "Failed to download media", None),
        ("outcome-error-message", "input", "content must include at least one text item", None),
        ("outcome-fail-reason", "input", "seed must be in [0,2147483647] (code: InvalidParameter)", None),
        ("outcome-string", "content", "the prompt violates our content policy", None),
        ("outcome-list", "input", "Backend error (404). Please try again.", None),
        ("error", "credit", "Insufficient credits. Please add more credits to your account.", None),
        ("error-object", "access", "you do not have access", "Forbidden"),
        ("error-message", "service", "Upstream capacity temporarily exhausted", None),
        ("reason", "unknown", "the sky fell", "E7"),
        ("nested", "input", "too many reference images", "TooMany"),
        ("code-only", "rate", "", "RATE_LIMIT_EXCEEDED"),
        ("nothing", "unknown", "", None),
        ("echoes-a-link", "input", "Failed to download https://example.com/in.jpg", None),
    ],
)
def test_a_failure_is_found_wherever_it_stands(
    recorded: Recorded, name: str, kind: Kind, message: str, code: str | None
) -> None:
    """Text, object or list, in the outcome or beside it: words, code and kind come out, safe to show."""
    snapshot = _look(recorded, f"failed/{name}")

    assert snapshot.failure is not None
    assert (snapshot.status, snapshot.outcome) == (Status.FAILED, None)
    assert (kind, message, code) == (snapshot.failure.kind, snapshot.failure.message, snapshot.failure.code)
    assert "canary" not in repr(snapshot)
    assert snapshot == Snapshot.from_dict(snapshot.as_dict())
    assert snapshot.failure == Failure.from_dict(snapshot.failure.as_dict())


def test_a_cancelled_request_may_say_why(recorded: Recorded) -> None:
    """A cancelled record carries its reason like a failed one."""
    snapshot = _look(recorded, "snapshot/cancelled")

    assert snapshot.failure is not None
    assert (snapshot.status, snapshot.failure.message) == (Status.CANCELLED, "Request was manually cancelled")
