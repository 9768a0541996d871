"""What the answer to a submission proves: accepted, definitely refused, or nothing."""

import json
import pickle

import pytest
from attrs import evolve
from intents import intent, record

from gmi_video import Failure, VideoRequest, errors
from gmi_video._fate import Seen, no_capacity, read_fate, salvaged, uncertain, with_reason
from gmi_video.wire import Reply, submit_call

CALL = submit_call(VideoRequest("Veo3", {"prompt": "eagle"}))
ID = "0b9c6f9e-0000-4000-8000-000000000001"
ACCEPTED = {"request_id": ID, "model": "Veo3", "status": "queued", "created_at": 1_700_000_000}
HTML = b"<html><title>Oops</title></html>"


def reply(status: int, body: object) -> Reply:
    return Reply(status=status, body=body if isinstance(body, bytes) else json.dumps(body).encode())


def test_an_acceptance_is_a_snapshot_with_its_bytes() -> None:
    """The bytes are for the store: they are all that was ever said of this id."""
    fate = read_fate(CALL, reply(200, ACCEPTED))

    assert not isinstance(fate, Seen)
    assert (fate[0].request_id, fate[1]) == (ID, json.dumps(ACCEPTED).encode())


@pytest.mark.parametrize(
    ("status", "body", "leaf"),
    [
        (
            400,
            {"error": "invalid payload parameters: image (Required parameter is missing)"},
            errors.Rejected,
        ),
        (400, {"error": "the prompt violates our content policy"}, errors.ContentRefused),
        (422, {"message": "duration must be 5 or 10"}, errors.Rejected),
        (401, {"error": "Access token expired or invalid"}, errors.Unauthorized),
        (401, b"", errors.Unauthorized),
        (
            402,
            {"error": "Insufficient credits. Please add more credits to your account."},
            errors.InsufficientCredit,
        ),
        (403, HTML, errors.NotEntitled),
        (404, {"error": "model veo3 does not exist"}, errors.NotFound),
        (404, {"error": "you do not have access"}, errors.NotEntitled),
        (405, b"405 method not allowed", errors.Rejected),
        (413, HTML, errors.Rejected),
        (415, b"", errors.Rejected),
        (429, {"error": "Rate limit exceeded", "rate_limit": {"retry_after_ms": 29970}}, errors.RateLimited),
        (500, {"error": "Backend error (400). Please try again."}, errors.BackendRefused),
        (503, {"error": "Upstream capacity temporarily exhausted"}, errors.ServiceError),
        (
            503,
            {"error": "Service temporarily unavailable. All endpoints are overloaded."},
            errors.ServiceError,
        ),
    ],
)
def test_the_services_own_refusals_are_definite(
    status: int, body: object, leaf: type[errors.ResponseError]
) -> None:
    """They are said before a request is created: nothing was charged."""
    with pytest.raises(leaf) as caught:
        read_fate(CALL, reply(status, body))

    assert (caught.value.charged, caught.value.status) == ("no", status)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"upstream connect error"),
        (200, HTML),
        (200, {"status": "queued"}),
        (200, {"request_id": "a/b"}),
        (200, {"request_id": "x" * 129}),
        (201, [{"id": 1}]),
        (204, b""),
        (301, b""),
        (307, b""),
        (308, HTML),
        (400, HTML),
        (400, b""),
        (408, {"error": "timeout"}),
        (425, {"error": "too early"}),
        (499, {"error": "client closed request"}),
        (500, {"error": "internal error"}),
        (500, HTML),
        (500, {"error": "Backend error (502). Please try again."}),
        (502, HTML),
        (502, {"error": "bad gateway"}),
        (503, HTML),
        (503, b"no healthy upstream"),
        (503, {"error": "maintenance"}),
        (504, HTML),
        (520, HTML),
        (524, b""),
    ],
)
def test_anything_else_proves_nothing(status: int, body: object) -> None:
    """A proxy may give up after it has passed the POST on, and a 2xx that is not understood was an acceptance."""
    seen = read_fate(CALL, reply(status, body))

    assert isinstance(seen, Seen)
    assert seen.status == (None if 200 <= status < 300 else status)
    assert seen.candidates == ()


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"request_id":"r-1","model":"Veo3","sta', ("r-1",)),
        (b'{ "request_id" : "r-1" }{"request_id":"r-1"}', ("r-1",)),
        (b'{"request_id":"r-1","x":{"request_id":"r-2"}}', ()),
        (b'{"request_id":"r-1', ()),
        (b'{"request_id":"../x"}', ()),
        (b"x" * 70_000 + b'"request_id":"r-1"', ()),
        (b"", ()),
    ],
)
def test_a_whole_id_is_saved_from_a_broken_body(body: bytes, found: tuple[str, ...]) -> None:
    """One that is cut may be another's, and of two it is not known which is meant."""
    assert salvaged(body) == found


def test_what_was_salvaged_is_a_candidate() -> None:
    """It stood in the answer, whatever the rest of it was."""
    seen = read_fate(CALL, reply(200, b'{"request_id":"r-1","sta'))

    assert isinstance(seen, Seen)
    assert (seen.salvaged, seen.candidates) == (("r-1",), ("r-1",))


def test_no_capacity_is_said_by_the_queue_itself() -> None:
    """The same status of a proxy is no promise, and other errors are none either."""
    ours = errors.ServiceError("x", status=503, words="All endpoints are overloaded")

    assert no_capacity(ours)
    assert not no_capacity(errors.ServiceError("x", status=503, words=""))
    assert not no_capacity(errors.ServiceError("x", status=500, words="capacity"))
    assert not no_capacity(errors.Unreachable("capacity"))


REFUSED = errors.BackendRefused(
    "GMI refused (500)", status=500, words="Backend error (400)", key="k", attempts=2
)


@pytest.mark.parametrize(
    ("words", "leaf", "kind"),
    [
        ("prompt is too long", errors.BackendRefused, "input"),
        ("rejected by moderation", errors.ContentRefused, "content"),
    ],
)
def test_a_failed_record_gives_a_refusal_its_reason(
    words: str, leaf: type[errors.ResponseError], kind: str
) -> None:
    """Its words, its kind and its id; content is a class of its own."""
    failed = evolve(record("r-1", status="failed"), failure=Failure(message=words))
    told = with_reason(REFUSED, failed)

    assert type(told) is leaf
    assert (told.message, told.kind, told.request_id) == (words, kind, "r-1")
    assert (told.key, told.attempts, told.status) == ("k", 2, 500)
    assert words in str(told)


@pytest.mark.parametrize("found", [None, record("r-1", status="failed")])
def test_without_a_reason_a_refusal_stays_as_it_is(found: object) -> None:
    """No record, or one that does not say why."""
    assert with_reason(REFUSED, found) is REFUSED  # type: ignore[arg-type]  # a parameter of either kind


def test_an_uncertain_one_is_told_in_words_to_act_on() -> None:
    """What was seen, which ids it may be, that it was not sent again; and it survives a pickle."""
    lost = intent("a", key="row-7", attempt=1)
    seen = Seen(evidence="the connection broke", candidates=("r-1", "r-2"))
    error = uncertain(lost, seen)
    again = pickle.loads(pickle.dumps(error))

    assert (error.intent, error.key, error.candidates, error.attempts) == (lost, "row-7", ("r-1", "r-2"), 1)
    assert (error.charged, error.retryable, error.request_id) == ("maybe", False, None)
    assert str(error) == (
        "the answer to a submission to Veo3 was lost (the connection broke). GMI may be running it, and may "
        "charge for it. It may be r-1 or r-2. It was not sent again; look at the list of your requests before "
        "you do"
    )
    assert (again.intent, str(again)) == (lost, str(error))


def test_only_an_id_that_stood_in_the_answer_is_told_as_its_own() -> None:
    """A lone candidate of the list may be a stranger's."""
    listed = uncertain(intent("a"), Seen(evidence="x", candidates=("r-1",)))
    answered = uncertain(intent("a"), Seen(evidence="x", salvaged=("r-1",)))
    neither = uncertain(intent("a"), Seen(evidence="x"))

    assert (listed.request_id, answered.request_id, neither.request_id) == (None, "r-1", None)
    assert "may be" not in str(neither).replace("GMI may be running", "")
