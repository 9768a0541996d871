"""Each reply that is not a success is exactly one error of the tree, with the service's words and no secret."""

import pickle
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmi_video import errors, wire
from gmi_video._refusal import malformed, refusal
from gmi_video.errors import Charged, ResponseError
from gmi_video.records import Kind, VideoRequest
from gmi_video.wire import Call, Reply

Recorded = Callable[[str], Reply]

SUBMIT = wire.submit_call(VideoRequest("Veo3", {"prompt": "a river"}))
LOOK = wire.snapshot_call("r-7")
DATE = "Fri, 25 Jul 2025 18:35:14 GMT"


def _refused(call: Call, reply: Reply) -> ResponseError:
    with pytest.raises(ResponseError) as caught:
        wire.record(call, reply)
    return caught.value


@pytest.mark.parametrize(
    ("name", "leaf", "kind", "words"),
    [
        (
            "400-required",
            errors.Rejected,
            "input",
            "invalid payload parameters: image (Required parameter is missing)",
        ),
        ("400-too-many", errors.Rejected, "input", "too many reference images: at most 9 are allowed"),
        (
            "400-synchronous",
            errors.Rejected,
            "input",
            "Generation rejected; please review the prompt and parameters then retry",
        ),
        ("400-moderation", errors.ContentRefused, "content", "the prompt was refused by content moderation"),
        ("401-token", errors.Unauthorized, "access", "Access token expired or invalid"),
        (
            "402-credits",
            errors.InsufficientCredit,
            "credit",
            "Insufficient credits. Please add more credits to your account.",
        ),
        (
            "403-entitlement",
            errors.NotEntitled,
            "access",
            "model flux-kontext-pro is not enabled for your organization",
        ),
        ("403-cloudflare", errors.NotEntitled, "access", ""),
        ("403-line", errors.NotEntitled, "access", ""),
        ("404-model", errors.NotFound, "input", "model kling-image2video-v2.1-master does not exist"),
        ("404-access", errors.NotEntitled, "access", "you do not have access"),
        ("404-request", errors.NotFound, "input", "Request not found"),
        ("405-wrong-host", errors.Rejected, "input", ""),
        ("408-empty", errors.ServiceError, "service", ""),
        ("422-detail", errors.Rejected, "input", "duration is out of range"),
        (
            "429-rpm",
            errors.RateLimited,
            "rate",
            "Rate limit exceeded for model seedream-5.0-lite: 2 requests per 60 seconds. Retry in 29970 ms.",
        ),
        ("429-header", errors.RateLimited, "rate", "rate_limit_exceeded"),
        ("500-backend-400", errors.BackendRefused, "input", "Backend error (400). Please try again."),
        ("500-backend-401", errors.BackendRefused, "access", "Backend error (401). Please try again."),
        ("500-backend-403", errors.BackendRefused, "access", "Backend error (403). Please try again."),
        ("500-backend-404", errors.BackendRefused, "input", "Backend error (404). Please try again."),
        ("500-backend-503", errors.ServiceError, "service", "Backend error (503). Please try again."),
        ("500-temporary", errors.ServiceError, "service", "temporary backend error"),
        ("502-html", errors.ServiceError, "service", ""),
        ("503-capacity", errors.ServiceError, "service", "Upstream capacity temporarily exhausted"),
        (
            "503-overloaded",
            errors.ServiceError,
            "service",
            "Service temporarily unavailable. All endpoints are overloaded.",
        ),
        ("504-line", errors.ServiceError, "service", ""),
        ("307-elsewhere", errors.ServiceError, "service", ""),
        ("500-number", errors.ServiceError, "service", ""),
        ("500-string", errors.ServiceError, "service", "all is lost"),
    ],
)
def test_each_answer_is_its_own_leaf(
    recorded: Recorded, name: str, leaf: type[ResponseError], kind: Kind, words: str
) -> None:
    """Every refusal seen in production has its class, its kind and the service's words."""
    reply = recorded(f"refusal/{name}")

    error = _refused(SUBMIT, reply)

    assert (leaf, kind, words, reply.status) == (type(error), error.kind, error.message, error.status)
    assert words in str(error)
    assert str(reply.status) in str(error)
    assert bool(error.excerpt) == (not words and bool(reply.body))


@pytest.mark.parametrize(
    ("status", "leaf"),
    [
        (0, errors.ServiceError),
        (100, errors.ServiceError),
        (301, errors.ServiceError),
        (304, errors.ServiceError),
        (400, errors.Rejected),
        (405, errors.Rejected),
        (409, errors.Rejected),
        (413, errors.Rejected),
        (415, errors.Rejected),
        (422, errors.Rejected),
        (425, errors.ServiceError),
        (451, errors.Rejected),
        (499, errors.ServiceError),
        (500, errors.ServiceError),
        (503, errors.ServiceError),
        (522, errors.ServiceError),
        (999, errors.ServiceError),
    ],
)
@pytest.mark.parametrize(
    "body", [b"", b"null", b"{}", b"[]", b"<html>", b'{"error": null}', b"\xff\xfe", b"[" * 9999]
)
def test_a_status_alone_decides_where_the_body_says_nothing(
    status: int, leaf: type[ResponseError], body: bytes
) -> None:
    """Empty, odd or broken bodies leave the class to the status."""
    error = _refused(LOOK, Reply(status=status, body=body))

    assert (leaf, "", "r-7") == (type(error), error.message, error.request_id)


def test_a_sentence_says_what_was_tried_and_what_came(recorded: Recorded) -> None:
    """The text names the call's subject, the status, the words, and what to do where that is known."""
    assert str(_refused(SUBMIT, recorded("refusal/402-credits"))) == (
        "GMI refused to submit a request to Veo3 (402): Insufficient credits. Please add more credits to your "
        "account.; add credits to the account, or ask for something cheaper"
    )
    assert (
        str(_refused(LOOK, recorded("refusal/404-request")))
        == "GMI refused to show request r-7 (404): Request not found"
    )
    assert "base_url" in str(_refused(wire.models_call(), recorded("refusal/405-wrong-host")))
    assert "an empty body" in str(_refused(LOOK, recorded("refusal/408-empty")))
    assert "GMI refused to say where to put x.png (500)" in str(refusal("upload", "x.png", 500, {}, b""))
    assert "GMI refused to measure x.png (500)" in str(refusal("measure", "x.png", 500, {}, b""))


def test_a_page_of_an_edge_is_told_by_its_title(recorded: Recorded) -> None:
    """HTML is not quoted as a whole: its title is; a blocked client is told so, by page or by line."""
    blocked = "error 1010: the edge refuses this client"

    assert "'502 Bad Gateway'" in str(_refused(LOOK, recorded("refusal/502-html")))
    assert blocked not in str(_refused(LOOK, recorded("refusal/502-html")))
    assert "Access denied" in str(_refused(LOOK, recorded("refusal/403-cloudflare")))
    assert blocked in str(_refused(LOOK, recorded("refusal/403-cloudflare")))
    assert blocked in str(_refused(LOOK, recorded("refusal/403-line")))


def test_a_redirect_is_not_followed_and_not_repeated(recorded: Recorded) -> None:
    """A 3xx says that calls with a key go nowhere else, and does not show where."""
    error = _refused(LOOK, recorded("refusal/307-elsewhere"))

    assert "not redirected" in str(error)
    assert not error.retryable
    assert "canary" not in repr(error)


@pytest.mark.parametrize("subject", [SUBMIT, LOOK, wire.models_call()])
def test_an_echoing_page_shows_no_secret(recorded: Recorded, subject: Call) -> None:
    """A page that echoes a presigned link and a header shows neither, and no control sign, in any text of the error."""
    error = _refused(subject, recorded("refusal/500-echo"))

    texts = (str(error), repr(error), error.excerpt, error.message, pickle.dumps(error).decode("latin-1"))

    assert not any("canary" in text for text in texts)
    assert str(error).isprintable()
    assert error.excerpt.isprintable()
    assert len(error.excerpt) <= 200
    assert "https://storage.example.com/a.mp4" in error.excerpt


@pytest.mark.parametrize(
    ("name", "request_id"),
    [
        ("400-synchronous", "0b6d0f0e-5e0e-4e39-a9b7-1f0e5f0f7a11"),
        ("400-odd-id", None),
        ("400-required", None),
    ],
)
def test_the_record_of_a_refused_submission_is_named(
    recorded: Recorded, name: str, request_id: str | None
) -> None:
    """The id in an error body is carried where it may be one, and dropped where it may not."""
    assert request_id == _refused(SUBMIT, recorded(f"refusal/{name}")).request_id


@pytest.mark.parametrize(
    ("name", "charged", "retryable"),
    [
        ("400-required", "no", False),
        ("402-credits", "no", False),
        ("404-model", "no", False),
        ("429-rpm", "no", True),
        ("500-backend-400", "no", False),
        ("503-capacity", "no", True),
        ("500-temporary", "maybe", False),
        ("500-backend-503", "maybe", False),
        ("502-html", "maybe", False),
        ("504-line", "maybe", False),
        ("408-empty", "maybe", False),
        ("307-elsewhere", "maybe", False),
    ],
)
def test_a_refused_submission_says_whether_it_may_cost(
    recorded: Recorded, name: str, charged: Charged, retryable: bool
) -> None:
    """Where an edge answers for the queue, the request may exist: `charged` is "maybe" and nothing is repeated."""
    submitted = _refused(SUBMIT, recorded(f"refusal/{name}"))
    looked = _refused(LOOK, recorded(f"refusal/{name}"))

    assert (charged, retryable) == (submitted.charged, submitted.retryable)
    assert looked.charged == "no"


@pytest.mark.parametrize(
    ("name", "seconds"), [("429-rpm", 29.97), ("429-header", 12.0), ("503-capacity", None)]
)
def test_errors_carry_the_wait(recorded: Recorded, name: str, seconds: float | None) -> None:
    """`retry_after` of the error is what the reply asked for."""
    assert seconds == _refused(SUBMIT, recorded(f"refusal/{name}")).retry_after


@given(
    st.integers(0, 999),
    st.binary(max_size=400),
    st.dictionaries(st.sampled_from(["retry-after", "date"]), st.text()),
)
def test_any_refusal_is_one_error(status: int, body: bytes, headers: dict[str, str]) -> None:
    """Whatever a refusal holds, it becomes a `ResponseError` whose excerpt is short and printable."""
    error = refusal("submit", "Veo3", status, headers, body)

    assert status == error.status
    assert len(error.excerpt) <= 200
    assert len(error.message) <= 500
    assert str(error).isprintable()


def test_a_success_that_is_not_understood_may_cost() -> None:
    """A 2xx to a submission was an acceptance, understood or not; to a look it costs nothing."""
    submitted = malformed("submit", "Veo3", "missing", "request_id", b"{}")
    looked = malformed("snapshot", "r-7", "missing", "request_id", b"{}")

    assert (submitted.charged, submitted.retryable, submitted.request_id) == ("maybe", False, None)
    assert (looked.charged, looked.retryable, looked.request_id) == ("no", True, "r-7")
    assert "missing @ request_id" in str(looked)
