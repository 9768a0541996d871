"""The API as functions: values to calls, replies to values or errors."""

from collections.abc import Callable
from typing import Any

import pytest

from gmi_video import wire
from gmi_video.errors import ConfigurationError
from gmi_video.records import Media, VideoRequest
from gmi_video.settings import DEFAULT_BASE_URL, Secret, Settings
from gmi_video.wire import Call, Reply

Recorded = Callable[[str], Reply]
Reader = Callable[[Call, Reply], Any]

CANARY = "canary-7f3a"
EAGLE = VideoRequest(
    "Veo3", {"prompt": "A majestic eagle soaring through a mountain landscape", "seed": None}
)
SUBMIT = wire.submit_call(EAGLE)


def _signed(call: Call) -> Call:
    return wire.signed(
        call,
        base_url=DEFAULT_BASE_URL,
        key=CANARY,
        organization=f"org-{CANARY}",
        user_agent="gmi_video/0.1",
        timeout=30,
    )


def test_a_submission_is_the_vendors_example() -> None:
    """POST /requests carries model and payload as UTF-8 JSON, nothing left out and nothing of the caller's key."""
    call = wire.submit_call(VideoRequest("Veo3", {"prompt": "ein Fluß 😀", "seed": None}, key=CANARY))

    assert (call.method, call.url, call.operation, call.subject) == ("POST", "/requests", "submit", "Veo3")
    assert call.headers == {"Content-Type": "application/json"}
    assert '{"model":"Veo3","payload":{"prompt":"ein Fluß 😀","seed":null}}'.encode() == call.body


def test_a_look_names_the_request() -> None:
    """GET /requests/{id} has the id in its path."""
    call = wire.snapshot_call("5a7a5466-7948-47d8-8578-cff4b9581feb")

    assert (call.method, call.url, call.body) == (
        "GET",
        "/requests/5a7a5466-7948-47d8-8578-cff4b9581feb",
        None,
    )


@pytest.mark.parametrize(
    "request_id",
    [
        "",
        "../x",
        "a/b",
        "x?y",
        "x#y",
        "%2e%2e",
        ".",
        "..",
        "a b",
        "r\n",
        "r\x00",
        "ü",
        "x" * 129,
        "x" * 10_000,
        None,
        5,
        b"r",
    ],
)
def test_a_wrong_id_never_reaches_a_path(request_id: Any) -> None:
    """What cannot be a request id is refused before there is a call, in a short sentence."""
    with pytest.raises(ConfigurationError, match="is not a request id") as caught:
        wire.snapshot_call(request_id)

    assert len(str(caught.value)) < 200


def test_a_page_of_the_list_is_asked_for_by_query() -> None:
    """The list is filtered by `model_id`, escaped, and paged by limit and offset; its cap is larger."""
    call = wire.requests_call("a/b ü&x", limit=100, offset=200)

    assert call.url == "/requests?model_id=a%2Fb+%C3%BC%26x&limit=100&offset=200"
    assert wire.requests_call(None, limit=10, offset=0).url == "/requests?limit=10&offset=0"
    assert (call.cap, SUBMIT.cap) == (wire.LIST_CAP, wire.BODY_CAP)


@pytest.mark.parametrize(
    ("model_id", "path"),
    [
        ("Veo3", "Veo3"),
        ("wan2.6-i2v", "wan2.6-i2v"),
        ("a/b", "a%2Fb"),
        ("../x", "..%2Fx"),
        ("ü", "%C3%BC"),
        ("a?b#c", "a%3Fb%23c"),
        ("a%2Fb", "a%252Fb"),
        ("a b", "a%20b"),
    ],
)
def test_a_model_id_is_escaped_whole(model_id: str, path: str) -> None:
    """Whatever signs a model id holds, it stays one segment of the path."""
    assert f"/models/{path}" == wire.model_call(model_id).url


@pytest.mark.parametrize("model_id", ["", ".", "..", "a\nb", "a\x00", "\ud800", None, 5])
def test_a_wrong_model_id_never_reaches_a_call(model_id: Any) -> None:
    """An empty, relative or unprintable model id is refused for a description and for a list."""
    with pytest.raises(ConfigurationError, match="is not a model id"):
        wire.model_call(model_id)
    if model_id is not None:
        with pytest.raises(ConfigurationError, match="is not a model id"):
            wire.requests_call(model_id, limit=1, offset=0)


def test_a_signed_call_carries_the_credentials() -> None:
    """Signing makes the URL absolute and adds key, organisation, agent and time limit."""
    call = _signed(SUBMIT)

    assert f"{DEFAULT_BASE_URL}/requests" == call.url
    assert {
        "Accept": "application/json",
        "User-Agent": "gmi_video/0.1",
        "Content-Type": "application/json",
        "Authorization": f"Bearer {CANARY}",
        "X-Organization-ID": f"org-{CANARY}",
    } == call.headers
    assert (30, SUBMIT.body) == (call.timeout, call.body)


def test_no_organization_no_header() -> None:
    """The header of the organisation is sent only where there is one."""
    call = wire.signed(
        wire.models_call(),
        base_url="https://a.example.com",
        key="k",
        organization=None,
        user_agent="u",
        timeout=1,
    )

    assert "X-Organization-ID" not in call.headers


def test_a_file_is_fetched_without_credentials() -> None:
    """The call to the storage host has the whole link and no header that names anybody."""
    call = wire.media_call(Media(f"https://a.example.com/x.mp4?sig={CANARY}"), timeout=9)

    assert (f"https://a.example.com/x.mp4?sig={CANARY}", {"Accept-Encoding": "identity"}, 9) == (
        call.url,
        call.headers,
        call.timeout,
    )
    assert CANARY not in call.subject


@pytest.mark.parametrize(
    "value",
    [
        _signed(SUBMIT),
        _signed(wire.submit_call(VideoRequest("Veo3", {"prompt": CANARY}))),
        wire.media_call(Media(f"https://u:{CANARY}@a.example.com/x.mp4?sig={CANARY}")),
        Reply(status=500, headers={"set-cookie": CANARY}, body=CANARY.encode()),
        Settings(api_key=CANARY, organization=CANARY),
        _signed(SUBMIT).headers["Authorization"],
        dict(_signed(SUBMIT).headers),
    ],
)
def test_no_repr_shows_key_payload_or_query(value: object) -> None:
    """Calls, replies, settings and headers may be logged."""
    assert CANARY not in repr(value)


def test_headers_hold_secrets_as_such() -> None:
    """Key and organisation are `Secret` in the headers, so that no traceback with locals shows them."""
    headers = _signed(SUBMIT).headers

    assert isinstance(headers["Authorization"], Secret)
    assert isinstance(headers["X-Organization-ID"], Secret)


@pytest.mark.parametrize(
    ("status", "ok"), [(199, False), (200, True), (201, True), (299, True), (300, False), (404, False)]
)
def test_two_hundreds_are_successes(status: int, ok: bool) -> None:
    """Any 2xx is a success, nothing else is."""
    assert ok is Reply(status=status).ok
