import math
from collections.abc import Mapping
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from gmi_video.sandbox.behaviour import SILENT, Behaviour
from gmi_video.sandbox.queue import Life, Queue, Request, sorted_keys

DONE = Life(((0.0, "queued"), (4.0, "processing"), (10.0, "success")), "success")


def published(_: Request, __: float) -> tuple[object, Mapping[str, object]]:
    """One outcome for all."""
    return {"video_url": "https://x/v.mp4"}, {}


def a_queue(seed: int = 0) -> Queue:
    """An empty queue."""
    return Queue(Random(seed), published)


def add(queue: Queue, now: float, life: Life = DONE, model: str = "Veo3", **more: object) -> Request:
    """A request taken in."""
    behaviour = Behaviour(**more) if more else SILENT  # type: ignore[arg-type]  # fields by name
    return queue.add(now=now, model=model, payload={"prompt": "x"}, life=life, behaviour=behaviour)


def test_a_request_walks_from_queued_over_processing_to_success() -> None:
    """A request is queued, then processing, then a success, by nothing but the time that is asked about."""
    queue = a_queue()
    request = add(queue, 100.0)

    assert [queue.record(request, now)["status"] for now in (100, 103.9, 104, 109.9, 110, 1e9)] == [
        "queued", "queued", "processing", "processing", "success", "success",
    ]  # fmt: skip


def test_updated_at_equals_created_at_until_something_changes() -> None:
    """`updated_at` moves only when the status does, and times are whole Unix seconds."""
    queue = a_queue()
    request = add(queue, 100.7)

    assert queue.record(request, 104.6)["updated_at"] == 100
    assert queue.record(request, 109.0)["updated_at"] == 104
    assert queue.record(request, 500.0)["updated_at"] == 110
    assert queue.record(request, 500.0)["created_at"] == 100


def test_a_record_has_the_keys_of_production_in_their_order() -> None:
    """A record's keys stand in the order seen in production and `outcome` is null before the end."""
    queue = a_queue()
    record = queue.record(add(queue, 100.0), 105.0)

    assert list(record) == [
        "request_id", "org_id", "user_id", "model", "status", "is_public", "payload", "outcome",
        "created_at", "updated_at", "queued_at",
    ]  # fmt: skip
    assert record["outcome"] is None


def test_a_submission_is_answered_with_exactly_six_fields() -> None:
    """The answer to a submission is six fields whose three times are equal."""
    queue = a_queue()
    told = queue.accepted(add(queue, 100.2), 100.2)

    assert list(told) == ["request_id", "model", "status", "created_at", "updated_at", "queued_at"]
    assert told["created_at"] == told["updated_at"] == told["queued_at"] == 100


def test_the_list_is_newest_first_and_says_how_much_there_is() -> None:
    """Pages go from new to old, `total` counts all, `has_more` is false on the last page only."""
    queue = a_queue()
    ids = [add(queue, 100.0 + n).request_id for n in range(5)]

    first, last = queue.page(200, limit=3), queue.page(200, limit=3, offset=3)

    assert [r.request_id for r in (*first.requests, *last.requests)] == ids[::-1]
    assert (first.total, first.has_more, last.total, last.has_more) == (5, True, 5, False)


def test_the_list_of_one_model_holds_no_other() -> None:
    """A page for a model counts and shows that model's requests alone; an unknown one is empty."""
    queue = a_queue()
    for model in ("Veo3", "Luma-Ray2", "Veo3"):
        add(queue, 100.0, model=model)

    assert queue.page(200, model="Veo3", limit=9).total == 2
    assert queue.page(200, model="veo3", limit=9).requests == ()


def test_a_lagging_request_is_unknown_then_known() -> None:
    """An id that the replica does not know yet is not found, and found when the lag is over."""
    queue = a_queue()
    request = add(queue, 100.0, Life(DONE.changes, "success", unknown_for=3.0))

    assert queue.find(request.request_id, 102.9) is None
    assert queue.find(request.request_id, 103.0) is request


def test_a_request_listed_late_takes_its_place_by_age() -> None:
    """A request that the list shows late stands where its age puts it, not on top."""
    queue = a_queue()
    late = add(queue, 100.0, Life(DONE.changes, "success", unlisted_for=50.0))
    early = add(queue, 101.0)

    assert queue.page(149, limit=9).requests == (early,)
    assert queue.page(150, limit=9).requests == (early, late)
    assert queue.page(150, model="Veo3", limit=9).total == 2


def test_an_outcome_told_late_moves_updated_at_again() -> None:
    """Where the outcome comes after `success`, it is null until then and `updated_at` moves with it."""
    queue = a_queue()
    request = add(queue, 100.0, Life(DONE.changes, "success", told=15.0))

    before, after = queue.record(request, 114.0), queue.record(request, 115.0)

    assert (before["status"], before["outcome"], before["updated_at"]) == ("success", None, 110)
    assert (after["outcome"], after["updated_at"]) == ({"video_url": "https://x/v.mp4"}, 115)


def test_an_outcome_told_never_stays_null() -> None:
    """A success whose outcome never comes shows null for ever."""
    queue = a_queue()
    request = add(queue, 100.0, Life(DONE.changes, "success", told=math.inf))

    assert queue.record(request, 1e12)["outcome"] is None


def test_an_empty_echo_shows_no_payload() -> None:
    """A model that echoes nothing shows `{}` for the payload."""
    queue = a_queue()

    assert queue.record(add(queue, 100.0, echo="empty"), 100)["payload"] == {}
    assert queue.record(add(queue, 100.0), 100)["payload"] == {"prompt": "x"}


def test_equal_seeds_give_equal_ids() -> None:
    """Ids come from the seed and from nothing else."""
    one, same, other = a_queue(7), a_queue(7), a_queue(8)

    assert add(one, 1.0).request_id == add(same, 2.0).request_id != add(other, 1.0).request_id


def test_the_echo_sorts_keys_at_every_depth() -> None:
    """Objects come back with their keys in order, as a Go map does; arrays keep theirs."""
    told = sorted_keys({"b": [{"z": 1, "a": 2}], "a": None})

    assert repr(told) == "{'a': None, 'b': [{'a': 2, 'z': 1}]}"


def test_a_request_is_at_work_between_its_last_step_and_its_end() -> None:
    """`working` is true exactly while the status before the end stands."""
    request = add(a_queue(), 100.0)

    assert [request.working(now) for now in (103.9, 104.0, 109.9, 110.0)] == [False, True, True, False]


@given(
    steps=st.lists(st.floats(0, 1e4), min_size=1, max_size=5),
    looks=st.lists(st.floats(0, 2e4), min_size=2, max_size=20),
    lag=st.floats(0, 1e3),
)
def test_what_a_record_says_never_goes_back(steps: list[float], looks: list[float], lag: float) -> None:
    """Whenever one looks, a later look shows the same or a later status, and no earlier `updated_at`."""
    moments = [0.0, *sorted(steps)]
    life = Life(tuple((at, str(n)) for n, at in enumerate(moments)), "success", told=moments[-1] + lag)
    queue = a_queue()
    request = add(queue, 1e9, life)
    seen = [queue.record(request, 1e9 + look) for look in sorted(looks)]

    standings = [(int(str(r["status"])), r["updated_at"], r["outcome"] is not None) for r in seen]
    assert standings == sorted(standings)


def test_a_queue_of_a_hundred_thousand_is_walked_by_pages() -> None:
    """All of 100,000 requests are found by id, and by pages, each exactly once."""
    queue = a_queue()
    ids = [add(queue, 100.0).request_id for _ in range(100_000)]

    listed: list[str] = []
    while (page := queue.page(200, limit=1000, offset=len(listed))).requests:
        listed += [request.request_id for request in page.requests]

    assert listed == ids[::-1]
    assert len(queue) == 100_000
    assert all(queue.find(request_id, 200) is request for request_id, request in zip(ids, queue, strict=True))
