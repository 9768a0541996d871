"""Ids of which nothing is known: pages first, looks for whom they did not show, and nothing moved in bulk."""

from gmi_video._flock import FIRST_ASKED, MOST_ASKED
from gmi_video._strangers import MORE, Strangers
from gmi_video._sweep import Listed, Sheet, Sweep
from gmi_video._worth import LEAST
from gmi_video.errors import Interrupted


def crowd(strangers: Strangers, count: int, begin: int = 0) -> None:
    for number in range(begin, begin + count):
        strangers.meet(f"r-{number}")


def shown(sweep: Sweep, names: range, more: bool = True) -> None:
    """A page that shows these ids, newest first."""
    records = tuple(Listed(f"r-{number}", float(-number)) for number in names)
    sweep.read(Sheet(records=records, more=more, size=500 * len(records)))


def test_who_comes_during_a_walk_waits_in_another_block() -> None:
    """Nobody is moved: the walked block's rest is looked at alone, the new one gets a walk of its own."""
    strangers = Strangers()
    crowd(strangers, LEAST)
    block = strangers.new
    sweep = strangers.begin(block)
    crowd(strangers, LEAST, 100)
    shown(sweep, range(5, 25), more=False)
    strangers.walked(block, sweep, 1.0, None)

    assert sweep.done
    assert not strangers.worth_a_page(block, 1.0)
    assert strangers.first(block) == "r-0"
    assert strangers.new is not block
    assert strangers.worth_a_page(strangers.new, 1.0)


def test_ids_that_leave_are_not_looked_for() -> None:
    """The first is the one that came first of those that are still there, in whatever order others left."""
    strangers = Strangers()
    crowd(strangers, 5)
    for name in ("r-0", "r-3", "r-1"):
        del strangers.new.ids[name]

    assert strangers.first(strangers.new) == "r-2"


def test_ids_that_come_and_go_leave_nothing_behind() -> None:
    """A block is as long as what waits in it."""
    strangers = Strangers()
    for number in range(10_000):
        strangers.meet(f"r-{number}")
        del strangers.new.ids[f"r-{number}"]

    assert len(list(strangers.new.ids)) == 0
    assert len(strangers.new.ids._pieces) <= 1


def test_a_useless_list_is_tried_again_once_many_more_ids_have_come() -> None:
    """A walk that showed nobody of a few says little of four times as many."""
    strangers = Strangers()
    crowd(strangers, 100)
    block = strangers.new
    sweep = strangers.begin(block)
    shown(sweep, range(5000, 5100))
    strangers.walked(block, sweep, 0.0, None)
    crowd(strangers, 100, 1000)
    soon = strangers.worth_a_page(strangers.new, 1.0)
    crowd(strangers, MORE * 100, 2000)

    assert sweep.done
    assert not soon
    assert strangers.worth_a_page(strangers.new, 1.0)


def test_a_list_that_breaks_down_is_left_for_a_while() -> None:
    """After an error those who waited are looked at alone, and so is who comes next."""
    strangers = Strangers()
    crowd(strangers, LEAST)
    block = strangers.new
    sweep = strangers.begin(block)
    strangers.walked(block, sweep, 0.0, Interrupted("the connection broke"))
    crowd(strangers, LEAST, 100)

    assert not strangers.worth_a_page(block, 1.0)
    assert not strangers.worth_a_page(strangers.new, 1.0)
    assert strangers.worth_a_page(strangers.new, 1e6)


def test_many_ids_are_asked_for_with_longer_pages() -> None:
    """While pages come full the next asks for twice as many, to a thousand; what the service gives is remembered."""
    strangers = Strangers()
    crowd(strangers, 5000)
    sweep = strangers.begin(strangers.new)
    asked = []
    while sweep.offset < 4000 and not sweep.done:
        asked.append(sweep.limit)
        shown(sweep, range(sweep.offset, sweep.offset + sweep.limit))

    assert asked == [FIRST_ASKED, 200, 400, 800, MOST_ASKED, MOST_ASKED, MOST_ASKED]

    shown(sweep, range(sweep.offset, sweep.offset + 50))

    assert (sweep.limit, sweep.longest) == (50, 50)


def test_a_few_pages_may_be_read_in_vain_for_many_ids() -> None:
    """The more ids are looked for, the more pages without one of them are worth the search."""
    few, many = Strangers(), Strangers()
    crowd(few, LEAST)
    crowd(many, 4000)
    short, long = few.begin(few.new), many.begin(many.new)
    for walk in (short, long):
        shown(walk, range(9000, 9100))

    assert short.done
    assert not long.done
