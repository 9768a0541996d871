"""The early page on the wire: its paths, its headers, and every envelope that it has or may have."""

import json
from typing import Any

import pytest

from gmi_video import Snapshot, Status, VideoRequest, errors
from gmi_video._door import DOORS
from gmi_video.settings import Settings
from gmi_video.wire import Call, Reply

DOOR = DOORS["early"]
SETTINGS = Settings(door="early")


def reply(body: Any, status: int = 200) -> Reply:
    return Reply(status=status, body=json.dumps(body).encode())


def stands(body: Any) -> Snapshot:
    """The snapshot of a status."""
    return DOOR.read_snapshot(DOOR.snapshot_call("r-1"), reply(body))


def ended(status: Snapshot, body: Any, code: int = 200) -> Snapshot:
    """The snapshot after its result."""
    call = DOOR.result_call(status)
    assert call is not None
    return DOOR.read_result(status, call, reply(body, code))


def test_a_submission_is_the_payload_itself() -> None:
    """The model is in the path, escaped, and the body holds nothing but the payload."""
    call = DOOR.sign(DOOR.submit_call(VideoRequest("Wan-AI/Wan2.1", {"prompt": "a ball"})), SETTINGS, "k-1")

    assert (call.method, call.url) == ("POST", "https://queue.gmi-serving.com/video/Wan-AI%2FWan2.1")
    assert call.body == b'{"prompt":"a ball"}'
    assert call.headers["Authorization"] == "Key k-1"


@pytest.mark.parametrize(
    ("call", "url", "scheme"),
    [
        (DOOR.snapshot_call("r-1"), "https://queue.gmi-serving.com/video/requests/r-1/status", "Key"),
        (
            DOOR.result_call(stands({"status": "success"})),
            "https://queue.gmi-serving.com/video/requests/r-1",
            "Key",
        ),
        (DOOR.models_call(), "https://api.gmi-serving.com/video/models", "Bearer"),
    ],
)
def test_each_call_goes_to_its_host_with_its_scheme(call: Call, url: str, scheme: str) -> None:
    """The queue takes `Key`, the list of models at the other host `Bearer`."""
    signed = DOOR.sign(call, SETTINGS, "k-1")

    assert (signed.url, signed.headers["Authorization"]) == (url, f"{scheme} k-1")


@pytest.mark.parametrize("model", ["", ".", "..", "a\nb"])
def test_a_model_that_cannot_stand_in_a_path_is_refused(model: str) -> None:
    """Nothing is sent to another path than a model's."""
    with pytest.raises((errors.ConfigurationError, ValueError)):
        DOOR.submit_call(VideoRequest(model, {}))


def test_an_acceptance_needs_no_more_than_an_id() -> None:
    """The page shows an id and nothing else: the request is queued, and its model is the one asked for."""
    call = DOOR.submit_call(VideoRequest("Wan2_1", {}))
    snapshot = DOOR.read_submission(call, reply({"request_id": "r-1"}))

    assert (snapshot.request_id, snapshot.model, snapshot.status) == ("r-1", "Wan2_1", Status.QUEUED)
    with pytest.raises(errors.MalformedResponse, match="request_id"):
        DOOR.read_submission(call, reply({"status": "queued"}))


def test_a_status_needs_no_more_than_a_word() -> None:
    """Its id may be left out, and must not be another one."""
    assert stands({"status": "processing"}).request_id == "r-1"
    with pytest.raises(errors.MalformedResponse, match="another request"):
        stands({"request_id": "r-2", "status": "processing"})


@pytest.mark.parametrize("word", ["queued", "processing", "cancelled", "strange"])
def test_only_what_ended_has_a_result(word: str) -> None:
    """While a request runs, or where it was cancelled, one call says all."""
    assert DOOR.result_call(stands({"status": word})) is None


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"video": {"url": "https://a.example/v.mp4"}}, "video"),
        ({"image": {"url": "https://a.example/v.png"}}, "image"),
        ({"outcome": {"video_url": "https://a.example/v.mp4"}}, "video"),
        ({"video_url": "https://a.example/v.mp4"}, "video"),
    ],
)
def test_a_result_becomes_an_outcome(body: Any, kind: str) -> None:
    """The page's own shape and those of the later pages are read, and survive being written down."""
    snapshot = ended(stands({"status": "success"}), body)

    assert snapshot.outcome is not None
    assert [media.kind for media in snapshot.outcome.media] == [kind]
    assert Snapshot.from_dict(snapshot.as_dict()).outcome == snapshot.outcome


def test_a_failure_tells_its_reason_in_either_call() -> None:
    """A reason in the status spares the result; without one the result is asked, and may be a refusal."""
    told = stands({"status": "failed", "error": "prompt refused"})
    mute = stands({"status": "failed"})

    assert told.failure is not None
    assert told.failure.message == "prompt refused"
    assert DOOR.result_call(told) is None
    by_result = ended(mute, {"error": {"message": "too long", "code": "E7"}})
    assert by_result.failure is not None
    assert (by_result.failure.message, by_result.failure.code) == ("too long", "E7")
    assert ended(mute, {"error": "no such result"}, 404) == mute


@pytest.mark.parametrize("code", [401, 429, 500, 503])
def test_a_result_that_could_not_be_had_is_an_error_of_the_call(code: int) -> None:
    """What speaks of the call and not of the request is raised, so that the look is made again."""
    with pytest.raises(errors.ResponseError):
        ended(stands({"status": "failed"}), {"error": "later"}, code)
    with pytest.raises(errors.ResponseError):
        ended(stands({"status": "success"}), {"error": "later"}, code)


def test_the_list_of_models_is_read_as_the_page_shows_it() -> None:
    """The page's example leaves `id` empty and names the model under `object`; both are understood, each once."""
    items = [
        {"id": "", "object": "Wan-AI/Wan2.1", "created": 1687530000, "owned_by": "Wan-AI"},
        {"id": "Veo3", "object": "model"},
        {"id": "Veo3", "object": "model"},
    ]
    offered = DOOR.read_offered(DOOR.models_call(), reply({"object": "list", "data": items}))

    assert (offered.ids, offered.models) == (("Wan-AI/Wan2.1", "Veo3"), ())
