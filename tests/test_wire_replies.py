"""Replies to values or errors: submissions, looks, lists, the catalog, and bytes that nobody expects."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from searching import search

from gmi_video import wire
from gmi_video.catalog import Model
from gmi_video.errors import GmiVideoError, MalformedResponse, NotFound, ResponseError
from gmi_video.records import Outcome, Snapshot, Status, VideoRequest
from gmi_video.wire import Call, Page, Reply

Recorded = Callable[[str], Reply]
Reader = Callable[[Call, Reply], Any]

SUBMIT = wire.submit_call(VideoRequest("Veo3", {"prompt": "a river"}))
READERS: list[tuple[Reader, Call]] = [
    (wire.read_submission, SUBMIT),
    (wire.read_snapshot, wire.snapshot_call("r-7")),
    (wire.read_requests, wire.requests_call(None, limit=100, offset=0)),
    (wire.read_models, wire.models_call()),
    (wire.read_model, wire.model_call("Veo3")),
]
READ = ("request_id", "status", "outcome", "error", "message", "media_urls", "video_url", "requests", "total")
KEYS = st.sampled_from(
    (*READ, "model_ids", "model", "parameters", "name", "price_info", "price", "modalities")
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["r-7", "success", "failed", "queued", "Veo3", 1e400, "../x"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=12,
)


def _json(data: object, status: int = 200) -> Reply:
    return Reply(status=status, body=json.dumps(data).encode())


@pytest.mark.parametrize(
    ("name", "request_id", "model", "status"),
    [
        ("veo3-dispatched", "5a7a5466-7948-47d8-8578-cff4b9581feb", "Veo3", Status.DISPATCHED),
        ("wan2.6-queued", "550e8400-e29b-41d4-a716-446655440000", "wan2.6-i2v", Status.QUEUED),
        ("vidu-short", "0c1f2a9e-8f0e-4d39-a9b7-1f0e5f0f7a11", "vidu-q3-pro-t2v", Status.QUEUED),
    ],
)
def test_an_accepted_submission_is_a_snapshot(
    recorded: Recorded, name: str, request_id: str, model: str, status: Status
) -> None:
    """The short records of the vendor's pages give id, model and state."""
    snapshot = wire.read_submission(SUBMIT, recorded(f"submit/{name}"))

    assert (request_id, model, status) == (snapshot.request_id, snapshot.model, snapshot.status)
    assert snapshot.created_at is not None
    assert UTC is snapshot.created_at.tzinfo


def test_a_synchronous_model_answers_with_its_end(recorded: Recorded) -> None:
    """A POST may bring the finished record: then the snapshot is final and has its media."""
    snapshot = wire.read_submission(SUBMIT, recorded("submit/seedream-synchronous"))

    assert snapshot.final
    assert snapshot.outcome is not None
    assert [media.kind for media in snapshot.outcome.media] == ["image"]


def test_a_submission_without_a_model_is_the_one_that_was_asked_for() -> None:
    """Where the answer names no model, the call does."""
    assert wire.read_submission(SUBMIT, _json({"request_id": "r-1"})).model == "Veo3"


def test_a_full_record_is_read(recorded: Recorded) -> None:
    """The vendor's record of a running request gives times, echo, owner and no outcome."""
    call = wire.snapshot_call("6fb2b474-fb3a-480f-a142-f200537c6de4")

    snapshot = wire.read_snapshot(call, recorded("snapshot/processing"))

    assert (
        snapshot.status,
        snapshot.outcome,
        snapshot.failure,
        snapshot.is_public,
    ) == (Status.PROCESSING, None, None, False)
    assert snapshot.created_at == snapshot.updated_at == datetime(2025, 7, 25, 18, 35, 14, tzinfo=UTC)
    assert snapshot.payload is not None
    assert snapshot.payload["durationSeconds"] == "8"
    assert snapshot.org_id == "63729242-1870-4ff4-80b0-d485980ae31c"
    assert json.loads(recorded("snapshot/processing").body) == snapshot.as_dict() | {"outcome": None}


def test_the_record_of_another_request_is_refused(recorded: Recorded) -> None:
    """A look that brings another id is no look at this request."""
    with pytest.raises(MalformedResponse, match="another request") as caught:
        wire.read_snapshot(wire.snapshot_call("r-7"), recorded("snapshot/processing"))

    assert caught.value.request_id == "r-7"


@pytest.mark.parametrize(
    ("body", "what", "path"),
    [
        (b"", "not JSON", "$"),
        (b"<html><title>ok</title></html>", "not JSON", "$"),
        (b'{"request_id": "r-7", "sta', "not JSON", "$"),
        (b"[" * 50_000, None, "$"),
        (b"null", "not an object", "$"),
        (b"[]", "not an object", "$"),
        (b"{}", "missing", "request_id"),
        (b'{"error": "odd"}', "missing", "request_id"),
        (b'{"request_id": null}', "missing", "request_id"),
        (b'{"request_id": 7}', "not a request id", "request_id"),
        (b'{"request_id": "../x"}', "not a request id", "request_id"),
        (b'{"request_id": "a/b"}', "not a request id", "request_id"),
        (b'{"request_id": "a\\u0000"}', "not a request id", "request_id"),
        (b'{"request_id": "' + b"x" * 10_000 + b'"}', "not a request id", "request_id"),
    ],
)
@pytest.mark.parametrize(("read", "call"), READERS[:2])
def test_a_success_that_is_not_understood_names_the_place(
    read: Reader, call: Call, body: bytes, what: str | None, path: str
) -> None:
    """A 2xx without a proper id is a `MalformedResponse` that says what is wrong where, with a short excerpt."""
    with pytest.raises(MalformedResponse) as caught:
        read(call, Reply(status=200, body=body))

    assert path == caught.value.path
    assert what is None or what == caught.value.what
    assert f"@ {path}" in str(caught.value)
    assert len(caught.value.excerpt) <= 200
    assert caught.value.__context__ is None


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206])
def test_every_two_hundred_is_read_for_its_record(status: int) -> None:
    """The body decides, not which 2xx it is; an empty one is not understood."""
    assert wire.read_snapshot(READERS[1][1], _json({"request_id": "r-7"}, status)).request_id == "r-7"
    with pytest.raises(MalformedResponse):
        wire.read_snapshot(READERS[1][1], Reply(status=status))


@pytest.mark.parametrize(("read", "call"), READERS)
def test_every_reader_raises_the_refusal(recorded: Recorded, read: Reader, call: Call) -> None:
    """A refusal is the same error whatever was asked."""
    with pytest.raises(NotFound):
        read(call, recorded("refusal/404-request"))


def test_a_page_of_the_list_is_read(recorded: Recorded) -> None:
    """Records come in the service's order, with the total and whether more follow."""
    page = wire.read_requests(READERS[2][1], recorded("list/page"))

    assert [snapshot.request_id for snapshot in page.snapshots] == ["r-1", "r-2", "r-3"]
    assert [snapshot.status for snapshot in page.snapshots] == [Status.SUCCESS, Status.FAILED, Status.QUEUED]
    assert (page.skipped, page.total, page.more) == (0, 143, True)
    assert page == Page.from_dict(page.as_dict())


@pytest.mark.parametrize(("name", "count", "total"), [("data", 3, None), ("bare", 3, None), ("null", 0, 0)])
def test_a_list_comes_in_several_envelopes(
    recorded: Recorded, name: str, count: int, total: int | None
) -> None:
    """`data`, a bare array and a null list are lists too; what the service does not say is None."""
    page = wire.read_requests(READERS[2][1], recorded(f"list/{name}"))

    assert (count, 0, total, None) == (len(page.snapshots), page.skipped, page.total, page.more)


def test_one_odd_item_does_not_cost_the_page(recorded: Recorded) -> None:
    """What is no record is counted and left out; odd totals are not guessed at."""
    page = wire.read_requests(READERS[2][1], recorded("list/one-odd"))

    assert [snapshot.request_id for snapshot in page.snapshots] == ["r-1", "r-2"]
    assert (page.skipped, page.total, page.more) == (3, None, None)


@pytest.mark.parametrize(
    ("total", "more", "read"),
    [(True, 1, (None, None)), (1.5, "no", (None, None)), (0, False, (0, False)), (None, None, (None, None))],
)
def test_totals_are_read_by_type(total: object, more: object, read: tuple[object, object]) -> None:
    """`total` is a whole number and `has_more` a boolean, or they are not said."""
    page = wire.read_requests(READERS[2][1], _json({"requests": [], "total": total, "has_more": more}))

    assert read == (page.total, page.more)


@pytest.mark.parametrize("data", [None, 5, "x", {}, {"requests": "x"}, {"requests": {}}, {"error": "odd"}])
@pytest.mark.parametrize(("read", "call"), READERS[2:4])
def test_what_holds_no_list_is_refused(read: Reader, call: Call, data: object) -> None:
    """An answer without a list is not an empty list: that would prove an absence."""
    with pytest.raises(MalformedResponse, match=r"no list of .* @ \$"):
        read(call, _json(data))


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        (
            "apikey",
            (
                "Kling-Image2Video-V2.1-Master",
                "Kling-Text2Video-V2.1-Master",
                "Luma-Ray2",
                "Veo3",
                "Veo3-Fast",
            ),
        ),
        ("repeated", ("Veo3", "Gemini-batch-inference", "Luma-Ray2")),
        ("session", ("Veo3", "Luma-Ray2")),
    ],
)
def test_the_ids_of_the_catalog_come_once_each(recorded: Recorded, name: str, ids: tuple[str, ...]) -> None:
    """Both surfaces give ids in the service's order, each once."""
    assert ids == wire.read_models(READERS[3][1], recorded(f"models/{name}"))


def test_odd_items_of_the_catalog_are_left_out() -> None:
    """What names no model is skipped; a null list is an empty one."""
    odd: list[object] = [
        "Veo3",
        "",
        None,
        5,
        [],
        {},
        {"model": 5},
        {"id": "Luma-Ray2"},
        {"model": "", "id": "Sora"},
    ]

    assert wire.read_models(READERS[3][1], _json({"model_ids": odd})) == ("Veo3", "Luma-Ray2", "Sora")
    assert wire.read_models(READERS[3][1], _json({"model_ids": None})) == ()


def test_a_description_is_a_model(recorded: Recorded) -> None:
    """GET /models/{id} gives the model of the vendor's example."""
    assert wire.read_model(wire.model_call("Veo3"), recorded("model/veo3")).id == "Veo3"


@pytest.mark.parametrize(("read", "call"), READERS)
@search(40, of=100)
@given(
    body=st.binary(max_size=300) | JSON.map(lambda data: json.dumps(data).encode()),
    status=st.sampled_from([200, 201, 302, 400, 404, 429, 500, 503]),
)
def test_any_reply_is_a_value_or_our_error(read: Reader, call: Call, body: bytes, status: int) -> None:
    """Whatever bytes come back, a reader returns its value or raises ours, with a short printable excerpt."""
    try:
        came = read(call, Reply(status=status, body=body))
    except GmiVideoError as error:
        came = error
    excerpt = getattr(came, "excerpt", "")

    assert isinstance(came, GmiVideoError) or 200 <= status < 300
    assert isinstance(came, Snapshot | Page | tuple | Model | MalformedResponse | ResponseError)
    assert len(excerpt) <= 200
    assert excerpt.isprintable()
    assert not isinstance(came, GmiVideoError) or str(came).isprintable()


def test_an_outcome_is_read_from_every_reader_alike(recorded: Recorded) -> None:
    """A record means the same in the answer to a submission, to a look, and in a list."""
    record = json.loads(recorded("success/media-urls").body)
    look = wire.snapshot_call(record["request_id"])

    submitted = wire.read_submission(SUBMIT, _json(record))

    assert submitted == wire.read_snapshot(look, _json(record))
    assert (submitted,) == wire.read_requests(READERS[2][1], _json([record])).snapshots
    assert isinstance(submitted.outcome, Outcome)
