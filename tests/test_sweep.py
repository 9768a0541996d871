"""One walk through a part of the list: where to read next, and when it is enough."""

from collections.abc import Iterable

import pytest

from gmi_video._sweep import PROBES, Listed, Sheet, Sweep

EVERYTHING = [Listed(f"r-{number}", float(number)) for number in range(1000)][::-1]


def a_walk(wanted: Iterable[int], *, offset: int = 0, limit: int = 100) -> Sweep:
    """A walk for requests of a list of a thousand, one a second, newest first."""
    ids = {f"r-{number}": float(number) for number in wanted}
    return Sweep(
        model="Veo3",
        wanted=ids,
        left=len(ids),
        offset=offset,
        limit=limit,
        newest=max(ids.values()),
        oldest=min(ids.values()),
    )


def walked(sweep: Sweep, records: list[Listed] = EVERYTHING, *, silent: bool = False) -> list[int]:
    """Reads to the end; the offsets that were asked for."""
    offsets = []
    while not sweep.done:
        offsets.append(sweep.offset)
        found = records[sweep.offset : sweep.offset + sweep.limit]
        told = (None, None) if silent else (len(records), sweep.offset + sweep.limit < len(records))
        sweep.read(Sheet(records=tuple(found), total=told[0], more=told[1], size=10 * len(found)))
    return offsets


def test_it_ends_where_every_id_was_seen() -> None:
    """One page is enough where it shows all; its place is remembered."""
    sweep = a_walk(range(950, 980))

    assert walked(sweep) == [0]
    assert (len(sweep.seen), sweep.first, sweep.last) == (30, 20, 49)


def test_it_ends_where_the_list_has_moved_past_the_oldest() -> None:
    """What should have been there and was not is not sought further."""
    sweep = a_walk([950, 960, 970])
    records = [listed for listed in EVERYTHING if listed.request_id != "r-960"]

    assert walked(sweep, records) == [0]
    assert sweep.seen == {"r-950", "r-970"}


@pytest.mark.parametrize("silent", [True, False])
@pytest.mark.parametrize("offset", [0, 100, 480, 600, 900])
def test_it_finds_its_place(offset: int, silent: bool) -> None:
    """From a wrong place it goes to the right one by the times of what it reads, not page by page."""
    sweep = a_walk(range(420, 480), offset=offset)

    assert len(walked(sweep, silent=silent)) <= 5
    assert len(sweep.seen) == 60


def test_it_does_not_search_for_ever() -> None:
    """After some pages without a hit it ends."""
    sweep = a_walk([10_000, 10_001])
    endless = [Listed(f"x-{number}", 10_000.0) for number in range(10_000)]

    assert len(walked(sweep, endless)) == PROBES


def test_a_list_without_order_is_believed_in_what_it_shows_only() -> None:
    """A page that is not newest first ends the walk; nothing is concluded from what it lacks."""
    sweep = a_walk([10, 500])

    assert walked(sweep, EVERYTHING[:50][::-1] + EVERYTHING[50:]) == [0]
    assert sweep.fault == "unordered"


def test_a_list_that_does_not_turn_its_pages_is_noticed() -> None:
    """The same page again, where another was asked for, ends the walk."""
    sweep = a_walk(range(800, 990))
    page = Sheet(records=tuple(EVERYTHING[:50]))
    sweep.read(page)
    sweep.read(page)

    assert sweep.done
    assert sweep.fault == "repeats"


def test_a_part_that_is_read_again_is_no_fault() -> None:
    """Others come while a walk goes on: its last page shows a few known ones again, or it passes where it was."""
    sweep = a_walk(range(880, 990))
    for begin in (0, 50):
        sweep.read(Sheet(records=tuple(EVERYTHING[begin : begin + 50])))
    sweep.read(Sheet(records=tuple(EVERYTHING[98:100])))
    back = a_walk(range(500, 560), offset=420)
    back.read(Sheet(records=tuple(EVERYTHING[420:470])))
    back.offset = 430
    back.read(Sheet(records=tuple(EVERYTHING[420:470])))

    assert (sweep.done, sweep.fault) == (True, None)
    assert (back.done, back.fault) == (True, None)


def test_a_page_that_repeats_a_record_is_in_order() -> None:
    """An id's place is where it comes first on a page; that it comes again says nothing of the order."""
    sweep = a_walk(range(900, 990))
    records = (*EVERYTHING[:50], EVERYTHING[3], EVERYTHING[30])
    sweep.read(Sheet(records=records))

    assert (sweep.done, sweep.fault, sweep.offset) == (False, None, 50)


def test_a_page_that_is_cut_short_is_not_the_last() -> None:
    """Where fewer records come than were asked for and nobody says that it is the end, the walk goes on behind them."""
    sweep = a_walk(range(900, 990))
    sweep.read(Sheet(records=tuple(EVERYTHING[:50])))
    first = (sweep.done, sweep.offset, sweep.longest)
    sweep.read(Sheet(records=tuple(EVERYTHING[50:100])))

    assert first == (False, 50, None)
    assert sweep.longest == 50


def test_the_end_of_a_silent_list_is_not_the_length_of_its_pages() -> None:
    """A short page tells how long pages are only where the list turns out to go on behind it."""
    sweep = a_walk(range(3), offset=990)
    sweep.read(Sheet(records=tuple(EVERYTHING[990:997])))
    sweep.read(Sheet(records=()))

    assert sweep.longest is None


def test_an_unfiltered_walk_ends_where_pages_are_of_no_interest() -> None:
    """A page of other people's requests ends the search for ids of which nothing is known."""
    ids = {f"r-{number}": 0.0 for number in (*range(900, 1000), 5)}
    sweep = Sweep(model=None, wanted=ids, left=len(ids), offset=0, limit=100)

    assert walked(sweep) == [0, 100]
    assert len(sweep.seen) == 100


def test_ids_that_are_there_twice_count_once() -> None:
    """A page that repeats records is no richer for it."""
    sweep = a_walk([990, 500])
    sweep.read(Sheet(records=(EVERYTHING[9], EVERYTHING[9], EVERYTHING[9])))

    assert sweep.seen == {"r-990"}
    assert sweep.first == 0


ONE_SECOND = [Listed(f"r-{number}", 7.0) for number in range(1000)][::-1]


def test_beyond_the_end_of_the_list_it_turns_back() -> None:
    """A place that was guessed too far down shows nothing, and is no reason to give up the list."""
    sweep = a_walk(range(10, 40), offset=1200)

    offsets = walked(sweep)

    assert len(offsets) <= 3
    assert (len(sweep.seen), sweep.fault) == (30, None)


@pytest.mark.parametrize(("offset", "pages"), [(540, [540, 440]), (440, [440, 540])])
def test_of_one_second_it_goes_the_way_that_the_hits_show(offset: int, pages: list[int]) -> None:
    """Where hundreds were created in one second their order tells nothing; hits at an edge of a page do."""
    sweep = Sweep(
        model="Veo3",
        wanted={f"r-{number}": 7.0 for number in range(400, 480)},
        left=80,
        offset=offset,
        limit=100,
        newest=7.0,
        oldest=7.0,
    )

    assert walked(sweep, ONE_SECOND) == pages
    assert len(sweep.seen) == 80


def test_of_one_second_a_few_that_are_elsewhere_are_not_sought() -> None:
    """One that is not among its neighbours costs no walk through all that were created with it."""
    wanted = dict.fromkeys((*(f"r-{number}" for number in range(420, 470)), "r-3"), 7.0)
    sweep = Sweep(model="Veo3", wanted=wanted, left=51, offset=500, limit=100, newest=7.0, oldest=7.0)

    assert walked(sweep, ONE_SECOND) == [500]
    assert len(sweep.seen) == 50


def test_no_page_is_read_twice() -> None:
    """What was passed as older is not read again on the way back: no repetition is mistaken for a fault."""
    sweep = a_walk(range(480, 600), offset=530)

    offsets = walked(sweep)

    assert len(set(offsets)) == len(offsets)
    assert (len(sweep.seen), sweep.fault) == (120, None)
