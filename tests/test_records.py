"""The data nouns: what they hold, what they stand for, what they show."""

import copy
import os
import pickle
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

from gmi_video.events import Succeeded
from gmi_video.records import (
    Failure,
    Media,
    Outcome,
    Record,
    Saved,
    Snapshot,
    Status,
    Video,
    VideoRequest,
    first_media,
    without_query,
)

CANARY = "canary-7f3a"
LINK = f"https://user:{CANARY}@storage.example.com/a/clip.mp4?X-Goog-Signature={CANARY}#{CANARY}"
CLIP = Media("https://storage.example.com/a/clip.mp4", id="0")
COVER = Media("https://storage.example.com/a/cover.jpg", kind="image")
DONE = Snapshot(
    request_id="r-1",
    model="Veo3",
    status=Status.SUCCESS,
    created_at=datetime(2025, 7, 25, 18, 35, 14, 250_000, tzinfo=UTC),
    updated_at=datetime(2025, 7, 25, 18, 37, tzinfo=UTC),
    outcome=Outcome(media=(CLIP,), thumbnail=COVER),
    org_id=CANARY,
    user_id=CANARY,
    is_public=False,
    payload={"prompt": CANARY},
    extra={"note": CANARY},
)
SAVED = Saved(path=Path("/videos/clip.mp4"), size=3, sha256="ab", media=CLIP)


@pytest.mark.parametrize(
    "record", [CLIP, DONE, SAVED, Video(snapshot=DONE), VideoRequest("Veo3", {"a": [1]})]
)
def test_records_copy_pickle_and_hash(record: Record) -> None:
    """Records survive copy, deepcopy and pickle as equal values, and may stand in a set."""
    assert {record} == {copy.copy(record), copy.deepcopy(record), pickle.loads(pickle.dumps(record))}


@pytest.mark.parametrize("record", [CLIP, DONE, SAVED, Video(snapshot=DONE), VideoRequest("Veo3", {})])
def test_records_are_frozen(record: Record) -> None:
    """No attribute of a record can be set."""
    kind = type(record)
    assert attrs.has(kind)
    name = attrs.fields(kind)[0].name

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(record, name, None)


@pytest.mark.parametrize(
    "record",
    [
        VideoRequest("Veo3", {"prompt": CANARY}),
        Media(LINK),
        Outcome(media=(Media(LINK),), thumbnail=Media(LINK + ".jpg")),
        Failure(message="bad", raw={"error": CANARY}),
        DONE,
        attrs.evolve(DONE, outcome=Outcome(media=(Media(LINK),), raw={"video_url": LINK})),
        Saved(path=Path("a.mp4"), size=1, sha256="ab", media=Media(LINK)),
        Video(snapshot=attrs.evolve(DONE, outcome=Outcome(media=(Media(LINK),)))),
    ],
    ids=lambda record: type(record).__name__,
)
def test_no_repr_shows_payload_or_query(record: Record) -> None:
    """The repr of a record holds neither payload, query, fragment, credentials nor raw answers."""
    assert CANARY not in repr(record)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example.com/x.mp4?sig=1#f", "https://a.example.com/x.mp4"),
        ("https://u:p@a.example.com:8443/x", "https://a.example.com:8443/x"),
        ("data:video/mp4;base64,AAAAIGZ0eXA=", "data:video/mp4;base64,…"),
        ("https://[::1/x", "<not a URL>"),
        ("x.mp4?sig=1", "x.mp4"),
    ],
)
def test_a_link_is_shown_without_its_secrets(url: str, shown: str) -> None:
    """`without_query` leaves out query, fragment, credentials, and the content of a data URL."""
    assert shown == without_query(url)


def test_the_payload_is_copied() -> None:
    """A caller's later edit of nested payload data does not change the request."""
    images = ["a"]
    payload: dict[str, Any] = {"images": images, "point": (1, 2), "deep": {"x": 1}}
    request = VideoRequest("Veo3", payload)
    images.append("b")
    payload["deep"]["x"] = 2

    assert request.payload == {"images": ["a"], "point": [1, 2], "deep": {"x": 1}}


def test_a_request_written_as_a_dict_holds_links() -> None:
    """What stands for a remote file in a payload is written as the link that would be sent."""
    request = VideoRequest("Veo3", {"image": COVER, "images": [SAVED, "x"], "deep": {"video": DONE}}, key=7)

    assert {
        "model": "Veo3",
        "payload": {"image": COVER.url, "images": [CLIP.url, "x"], "deep": {"video": CLIP.url}},
        "key": 7,
    } == request.as_dict()


def test_a_payload_that_holds_itself_is_refused() -> None:
    """An endless payload is a `ValueError` with a sentence, not a `RecursionError`."""
    endless: dict[str, Any] = {}
    endless["again"] = endless

    with pytest.raises(ValueError, match="holds itself"):
        VideoRequest("Veo3", endless)


@pytest.mark.parametrize("payload", [None, [], "prompt", {1: "x"}, [("prompt", "x")]])
def test_a_payload_is_a_mapping_of_names(payload: Any) -> None:
    """Anything but a mapping with text keys is refused at once."""
    with pytest.raises(TypeError, match=r"VideoRequest\.payload"):
        VideoRequest("Veo3", payload)


@pytest.mark.parametrize("model", ["", ".", "..", "a\nb", "a\x00", "\ud800", "x" * 257])
def test_a_model_id_is_printable_and_no_path(model: str) -> None:
    """A model that cannot be an id is refused with its beginning."""
    with pytest.raises(ValueError, match=r"VideoRequest\.model"):
        VideoRequest(model, {})


def test_a_model_is_named_by_text() -> None:
    """A model that is no string is refused by type."""
    with pytest.raises(TypeError, match="not int"):
        VideoRequest(5, {})  # type: ignore[arg-type]  # the very mistake


@pytest.mark.parametrize("status", Status)
def test_only_three_states_are_final(status: Status) -> None:
    """Success, failed and cancelled end a request; nothing else does, unknown words least of all."""
    ended = status in {Status.SUCCESS, Status.FAILED, Status.CANCELLED}

    assert ended == status.final
    assert ended == Snapshot(request_id="r", model="m", status=status).final


def test_a_snapshot_made_by_hand_spells_its_status() -> None:
    """`word` is the documented spelling where nobody gives another."""
    assert Snapshot(request_id="r", model="m", status=Status.PROCESSING).word == "processing"


def test_an_outcome_made_by_hand_reads_as_the_services() -> None:
    """`raw` of an outcome or failure that was not read but made is what the service would have written."""
    assert {
        "media_urls": [{"id": "0", "url": CLIP.url, "kind": "video"}],
        "thumbnail_image_url": COVER.url,
    } == Outcome(media=(CLIP,), thumbnail=COVER).raw
    assert Outcome().raw == {}
    assert Failure().raw is None
    assert Failure(kind="rate", message="slow down").raw == {
        "error": "slow down",
        "code": None,
        "kind": "rate",
    }


def test_a_failure_reads_as_a_sentence() -> None:
    """`str` of a failure is the service's words, or says that there are none."""
    assert str(Failure(message="seed must be in range")) == "seed must be in range"
    assert str(Failure()) == "the service gave no reason"


@pytest.mark.parametrize(
    "what",
    [
        CLIP,
        SAVED,
        DONE,
        DONE.outcome,
        Video(snapshot=DONE),
        Succeeded(request_id="r-1", snapshot=DONE),
        Outcome(media=(CLIP, COVER)),
    ],
    ids=lambda what: type(what).__name__,
)
def test_everything_with_media_stands_for_its_first(what: object) -> None:
    """Media, outcomes, snapshots, videos, files and events stand for the video, never for the thumbnail."""
    assert first_media(what) == CLIP


@pytest.mark.parametrize(
    "what",
    [
        Outcome(thumbnail=COVER),
        Video(snapshot=attrs.evolve(DONE, outcome=None)),
        attrs.evolve(DONE, outcome=None),
        None,
        "https://a.example.com/x.mp4",
        5,
    ],
    ids=lambda what: type(what).__name__,
)
def test_what_has_no_media_stands_for_none(what: object) -> None:
    """A thumbnail alone is not the video, and text is not media."""
    assert first_media(what) is None


def test_a_video_knows_its_first_link_and_file() -> None:
    """`url` and `path` are those of the first media and file, or None."""
    empty = Video(snapshot=attrs.evolve(DONE, outcome=None))
    full = Video(snapshot=DONE, files=(SAVED,))

    assert (empty.url, empty.path, empty.media) == (None, None, ())
    assert (CLIP.url, SAVED.path, (CLIP,)) == (full.url, full.path, full.media)
    assert (CLIP.url, None) == (Outcome(media=(CLIP,)).url, Outcome().url)


def test_a_saved_file_is_a_path() -> None:
    """`Saved` may stand wherever the standard library takes a path."""
    assert os.fspath(SAVED) == "/videos/clip.mp4"
    assert Path(SAVED).suffix == ".mp4"


def test_media_read_as_their_link() -> None:
    """`str` of a media is the whole link, query included: it is what a reader must follow."""
    assert str(Media(LINK)) == LINK
