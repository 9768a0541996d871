"""What is remembered of a watched request: its form, shared by all that look like it, and its times."""

import gc
from datetime import UTC, datetime
from random import Random

from attrs import evolve

from gmi_video import Snapshot, Status
from gmi_video._entry import Entry
from gmi_video._forms import MOST, Forms
from gmi_video._schedule import Schedule
from gmi_video.settings import Pace

WHOLE = Snapshot(
    request_id="r-1",
    model="Veo3",
    status=Status.PROCESSING,
    created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    updated_at=datetime(2026, 1, 2, 3, 4, 9, 250_000, tzinfo=UTC),
    queued_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    org_id="org",
    user_id="user",
    is_public=False,
    payload={"prompt": "an eagle " * 100},
    extra={"qworker_id": 7},
)


def numbered(number: int) -> Snapshot:
    """A record as it comes from the wire, of which every part is an object of its own."""
    return evolve(
        WHOLE,
        request_id=f"r-{number:034}",
        org_id=b"org".decode(),
        payload={"prompt": f"an eagle, number {number} " * 100},
        extra={"worker": number},
    )


def test_requests_that_look_alike_share_a_form() -> None:
    """Whatever differs by request is not in it; another word is another form."""
    forms = Forms()

    assert forms.of(numbered(1)) is forms.of(numbered(2))
    assert forms.of(numbered(1)) is not forms.of(evolve(WHOLE, word="rendering", status=Status.UNKNOWN))
    assert forms.of(numbered(1)).payload is None


def test_a_service_with_a_word_for_each_record_fills_no_memory() -> None:
    """The forms that are kept for sharing are bounded."""
    forms = Forms()
    for number in range(3 * MOST):
        forms.of(evolve(WHOLE, word=f"step {number}", status=Status.UNKNOWN))

    assert len(forms) <= MOST


def test_the_last_snapshot_is_told_again_without_what_nobody_was_promised() -> None:
    """Who comes second hears id, model, state, owner and times; the payload's echo was in the first event."""
    schedule = Schedule(Random(0))
    schedule.add("r-1", "reader", Pace(), 0.0)
    assert schedule.take(0.0) == "r-1"
    (first,) = schedule.observe("r-1", WHOLE, 0.0).events
    (again,) = schedule.add("r-1", "another", Pace(), 1.0)

    assert first.snapshot == WHOLE  # type: ignore[attr-defined]  # a Progressed
    assert first.snapshot.payload == WHOLE.payload  # type: ignore[attr-defined]  # as above
    assert again.snapshot == evolve(WHOLE, payload=None, extra={})  # type: ignore[attr-defined]  # as above


def test_a_fleet_holds_one_object_for_each_id() -> None:
    """However much a record says, a watched id is one entry, which is all that the garbage collector walks over."""
    schedule = Schedule(Random(0))
    for number in range(300):
        schedule.add(numbered(number).request_id, "reader", Pace(), 0.0)
        schedule.learn(numbered(number), 0.0)
    gc.collect()
    mine = [thing for thing in gc.get_objects() if isinstance(thing, Snapshot) and thing.org_id == "org"]
    entries = [thing for thing in gc.get_objects() if isinstance(thing, Entry)]

    assert len(entries) == len(schedule) == 300
    assert len(mine) < 10
