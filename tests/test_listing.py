"""The walk through the list of requests, whatever the service's order."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve
from scene import EAGLE, seen, stage

from gmi_video import Session, Snapshot, errors
from gmi_video._listing import Order, walk
from gmi_video.sandbox import Behaviour, Script
from gmi_video.testing import run
from gmi_video.wire import Page

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def made(name: str, minutes: float | None) -> Snapshot:
    """A record that was created so many minutes after noon."""
    created = None if minutes is None else NOON + timedelta(minutes=minutes)
    return evolve(seen(name), created_at=created)


class Pages:
    """A list of pages by offset; remembers which offsets were asked for."""

    def __init__(self, *pages: Page) -> None:
        self.pages = pages
        self.offsets: list[int] = []

    async def __call__(self, offset: int) -> Page:
        self.offsets.append(offset)
        return self.pages[min(len(self.offsets), len(self.pages)) - 1]


def walked(pages: Pages, since: datetime | None = None) -> list[str]:
    async def main() -> list[str]:
        return [snapshot.request_id async for snapshot in walk(pages, since)]

    return run(main())


def page(*snapshots: Snapshot, more: bool | None = True, skipped: int = 0, total: int | None = None) -> Page:
    return Page(snapshots=snapshots, more=more, skipped=skipped, total=total)


def test_pages_follow_each_other_until_the_last() -> None:
    """Offsets count what the pages held, records that were not understood included."""
    pages = Pages(page(made("a", 3), made("b", 2), skipped=1), page(made("c", 1), more=False))

    assert walked(pages) == ["a", "b", "c"]
    assert pages.offsets == [0, 3]


def test_a_record_that_slid_to_the_next_page_comes_once() -> None:
    """Requests that are made during the walk push older ones on; they are met again and skipped."""
    pages = Pages(page(made("a", 3), made("b", 2)), page(made("b", 2), made("c", 1)), page(more=False))

    assert walked(pages) == ["a", "b", "c"]


@pytest.mark.parametrize("more", [True, None])
def test_a_page_that_brings_nothing_new_is_the_last(more: bool | None) -> None:
    """A service that says "more" for ever, or says nothing, ends the walk with a page of old acquaintances."""
    again = page(made("a", 1), more=more)
    pages = Pages(again, again, again)

    assert walked(pages) == ["a"]
    assert len(pages.offsets) == 2


def test_a_total_that_was_not_reached_outweighs_a_last_page() -> None:
    """Where "no more" and the number contradict each other, one more page is asked for; none is believed for ever."""
    pages = Pages(
        page(made("a", 3), more=False, total=2),
        page(made("b", 2), more=False, total=2),
        page(made("c", 1), more=False),
    )
    assert walked(pages) == ["a", "b"]

    wrong = page(made("a", 1), more=False, total=99)
    pages = Pages(wrong, wrong, wrong)
    assert walked(pages) == ["a"]
    assert len(pages.offsets) == 2


def test_a_page_of_broken_records_is_not_the_end() -> None:
    """A page whose records were not understood does not hide those that follow."""
    pages = Pages(page(made("a", 2)), page(skipped=100), page(made("b", 1), more=False))

    assert walked(pages) == ["a", "b"]


def test_an_old_record_ends_a_walk_that_was_newest_first() -> None:
    """With `since`, a sorted list is left as soon as it has passed the moment."""
    pages = Pages(page(made("a", 2), made("b", -1)), page(made("c", -2)))

    assert walked(pages, NOON) == ["a"]
    assert pages.offsets == [0]


@pytest.mark.parametrize(
    "first", [(made("a", -5), made("b", 2)), (made("a", 2), made("x", None), made("b", -5))]
)
def test_an_unsorted_list_is_walked_whole(first: Sequence[Snapshot]) -> None:
    """An old record proves nothing where the order did not hold; one without a date is kept."""
    pages = Pages(page(*first), page(made("c", 3), more=False))

    assert {"c"} < set(walked(pages, NOON))
    assert pages.offsets == [0, len(first)]


def test_order_knows_how_far_back_a_sorted_list_has_come() -> None:
    """Once out of order, always out of order."""
    order = Order()
    order.follow(page(made("a", 2), made("b", -1)))
    sorted_so_far = (order.is_past(NOON), order.is_past(None), order.is_before(NOON.timestamp()))
    order.follow(page(made("c", 5)))

    assert sorted_so_far == (True, False, True)
    assert (order.is_past(NOON), order.is_before(NOON.timestamp())) == (False, False)


async def some(session: Session, count: int) -> list[str]:
    return [(await session.submit(EAGLE)).request_id for _ in range(count)]


def test_a_session_lists_every_request_once() -> None:
    """Over real pages each request comes once, of one model where one is named, and page by page as it is read."""

    async def main() -> None:
        async with stage(Script(models={"*": Behaviour(seconds=1)}, longest_page=7)) as (sandbox, session):
            ids = await some(session, 20)
            every = [snapshot.request_id async for snapshot in session.requests()]
            of_model = [snapshot.request_id async for snapshot in session.requests("Veo3")]
            of_none = [snapshot.request_id async for snapshot in session.requests("sora-2-pro")]
            before = sandbox.count_calls("list")
            async for _ in session.requests():
                break

            assert sorted(every) == sorted(of_model) == sorted(ids)
            assert of_none == []
            assert sandbox.count_calls("list") == before + 1

    run(main())


def test_since_wants_an_aware_moment() -> None:
    """A moment without a zone is refused with an example."""

    async def main() -> None:
        async with stage() as (_, session):
            with pytest.raises(errors.ConfigurationError, match="aware"):
                await anext(session.requests(since=datetime(2026, 1, 1)))  # noqa: DTZ001  # the very mistake

    run(main())
