"""One read of a list: how far back, what it shows, and whether its silence would mean anything."""

from collections.abc import Sequence

import pytest
from intents import BEGIN, record

from gmi_video import Snapshot, errors
from gmi_video._survey import DETAILS, PAGES, Survey, View
from gmi_video.testing import run
from gmi_video.wire import Page

SINCE = BEGIN + 100


class Listed:
    """A list by pages, and records by id; remembers what was asked."""

    def __init__(
        self, *pages: Page | Exception, alone: dict[str, Snapshot | Exception] | None = None
    ) -> None:
        self.pages = pages
        self.alone = alone or {}
        self.offsets: list[int] = []
        self.looked: list[str] = []

    async def fetch(self, model: str, offset: int) -> Page:
        self.offsets.append(offset)
        page = self.pages[min(len(self.offsets), len(self.pages)) - 1]
        if isinstance(page, Exception):
            raise page
        return page

    async def look(self, request_id: str) -> Snapshot:
        self.looked.append(request_id)
        found = self.alone[request_id]
        if isinstance(found, Exception):
            raise found
        return found

    def read(self, oldest: float | None = SINCE, ours: Sequence[str] = ()) -> View:
        """One read of it."""
        return run(Survey(self.fetch, self.look).read("Veo3", oldest, ours))


def page(*snapshots: Snapshot, more: bool | None = True, total: int | None = None, skipped: int = 0) -> Page:
    return Page(snapshots=snapshots, more=more, total=total, skipped=skipped)


def shown(name: str, at: float | None) -> Snapshot:
    return record(name, {"prompt": name}, at=at)


def names(view: View) -> list[str]:
    return [snapshot.request_id for snapshot in view.snapshots]


NEW, MID, OLD = shown("new", 200), shown("mid", 150), shown("old", 50)


def test_a_list_is_left_once_it_has_passed_the_moment() -> None:
    """Newest first all along, and older than what is looked for: the rest cannot matter."""
    listed = Listed(page(NEW, MID), page(OLD), page(shown("older", 40)))
    view = listed.read()

    assert (names(view), view.complete, listed.offsets) == (["new", "mid"], True, [0, 2])


@pytest.mark.parametrize(
    ("pages", "complete"),
    [
        ([page(NEW, more=False)], True),
        ([page(NEW, more=False, total=1)], True),
        ([page(NEW, more=False, total=2)], False),
        ([page(NEW, total=2), page(MID, more=False, total=3)], True),
        ([page(NEW), page(more=None)], False),
        ([page(NEW, total=1), page(more=None, total=1)], True),
        ([page(MID, more=None, total=2), page(NEW, more=False, total=3)], False),
        ([page(MID, more=None, total=2), page(NEW, more=False, total=2)], True),
        ([page(NEW, skipped=1), page(OLD)], False),
        ([page(NEW, more=False, skipped=1)], False),
        ([page(more=False, total=0)], True),
        ([page(shown("x", None), OLD), page(more=False, total=9)], False),
    ],
)
def test_silence_means_something_only_where_the_list_was_whole(pages: list[Page], complete: bool) -> None:
    """Passed in proven order, or as many as there are, and nothing in it that was not understood."""
    assert Listed(*pages).read().complete is complete


def test_an_unordered_list_is_read_to_its_end() -> None:
    """An old record proves nothing where the order does not hold."""
    listed = Listed(page(OLD, NEW), page(MID, more=False, total=3))
    view = listed.read()

    assert (names(view), view.complete, listed.offsets) == (["new", "mid"], True, [0, 2])


def test_requests_made_meanwhile_do_not_spoil_the_order() -> None:
    """They push known records to the next page, where those stand above older ones."""
    listed = Listed(page(NEW, MID), page(NEW, MID, OLD))

    assert (names(listed.read()), listed.read().complete) == (["new", "mid"], True)


def test_a_page_of_nothing_but_known_records_is_not_the_end() -> None:
    """A hundred requests may be made while a page is on its way; a list that ignores the offset is left soon."""
    pushed = Listed(page(NEW, MID), page(NEW, MID), page(OLD))
    stuck = Listed(page(NEW, MID))

    assert (names(pushed.read()), pushed.offsets) == (["new", "mid"], [0, 2, 4])
    assert (stuck.read().complete, len(stuck.offsets)) == (False, 4)


def test_a_list_without_an_end_is_left_and_proves_no_absence() -> None:
    """Twenty thousand records are enough for one read."""
    listed = Listed(*(page(shown(f"r{number}", 200)) for number in range(PAGES + 5)))
    view = listed.read()

    assert (len(view.snapshots), view.complete, len(listed.offsets)) == (PAGES, False, PAGES)


def test_without_a_moment_the_list_is_read_whole() -> None:
    """An intent that does not know when it was sent may be anywhere."""
    listed = Listed(page(NEW), page(OLD, more=False))

    assert names(listed.read(None)) == ["new", "old"]


def test_other_models_and_older_records_are_left_out() -> None:
    """A service that ignores the filter lists everything."""
    other = record("other", {"prompt": "x"}, at=150, model="sora-2-pro")
    bare = record("bare", {"prompt": "x"}, at=150, model="")

    assert names(Listed(page(NEW, other, bare, OLD)).read()) == ["new", "bare"]


def test_a_list_that_breaks_off_shows_what_it_showed() -> None:
    """Presence is proven by one page, absence by none."""
    view = Listed(page(NEW), errors.ServiceError("503")).read()

    assert (names(view), view.complete) == (["new"], False)


def test_a_list_that_shows_nothing_raises_its_error() -> None:
    """So that it can be told why."""
    with pytest.raises(errors.NotEntitled):
        Listed(errors.NotEntitled("403")).read()


# Records that echo nothing in the list


def test_a_silent_record_is_looked_at_alone() -> None:
    """It may echo there; one that 404s was made in the console; one of ours needs no look."""
    mute = [record(name, at=200 - number) for number, name in enumerate("abcd")]
    alone: dict[str, Snapshot | Exception] = {
        "a": shown("a", 200),
        "b": errors.NotFound("404"),
        "c": mute[2],
        "d": mute[3],
    }
    listed = Listed(page(*mute, NEW, more=False), alone=alone)
    view = listed.read(ours=["d"])

    assert (names(view), listed.looked) == (["a", "c", "d", "new"], ["a", "b", "c"])
    assert [bool(snapshot.payload) for snapshot in view.snapshots] == [True, False, False, True]


def test_a_record_that_is_silent_alone_is_not_looked_at_again() -> None:
    """A model without an echo does not cost a look per record and read."""
    listed = Listed(
        page(record("a"), record("b"), more=False), alone={"a": record("a"), "b": errors.NotFound("404")}
    )
    survey = Survey(listed.fetch, listed.look)

    async def main() -> None:
        for _ in range(3):
            await survey.read("Veo3", SINCE)

    run(main())

    assert listed.looked == ["a", "b", "b", "b"]


def test_looks_that_fail_end_the_looking() -> None:
    """A service in trouble is not asked fifty times more; what is not known stays silent."""
    listed = Listed(page(record("a"), record("b"), more=False), alone={"a": errors.ServiceError("503")})

    assert (names(listed.read()), listed.looked) == (["a", "b"], ["a"])


def test_a_crowd_of_silent_records_is_not_looked_at() -> None:
    """They are judged by time and number."""
    listed = Listed(page(*(record(f"r{number}") for number in range(DETAILS + 1)), more=False))

    assert (len(listed.read().snapshots), listed.looked) == (DETAILS + 1, [])


def test_little_is_remembered_of_silent_records() -> None:
    """The oldest are forgotten, and would be looked at again."""
    survey = Survey(Listed().fetch, Listed().look)
    for number in range(10_050):
        survey._remember(record(f"r{number}"))

    assert len(survey._silent) == 10_000
    assert "r0" not in survey._silent
