"""The poller: bounded looks that pull, for all watches of a session."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random

import pytest
from scene import ours, seen, turns

from gmi_video import errors
from gmi_video._inbox import Inbox
from gmi_video._line import Line
from gmi_video._poller import Poller
from gmi_video._sweep import Listed, Sheet, Sweep
from gmi_video.events import Event, Missed, Succeeded
from gmi_video.records import Snapshot
from gmi_video.settings import Pace
from gmi_video.testing import run

PACE = Pace(first=2, growth=1, longest=2, jitter=0)


class Queue:
    """A queue that answers looks after a while, and counts them."""

    def __init__(self, *, seconds: float = 0.5, ends_at: float = 1e9, most: int = 4) -> None:
        self.seconds = seconds
        self.ends_at = 1000 + ends_at
        self.looks: Counter[str] = Counter()
        self.flying = 0
        self.peak = 0
        self.poller = Poller(self.look, concurrency=most, rng=Random(0))

    async def look(self, request_id: str) -> Snapshot:
        self.looks[request_id] += 1
        self.flying += 1
        self.peak = max(self.peak, self.flying)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.flying -= 1
        done = asyncio.get_running_loop().time() >= self.ends_at
        return seen(request_id, "success" if done else "processing")

    def line(self, *ids: str, deadline: float | None = None) -> Line:
        line = Line(Inbox(deadline), PACE)
        self.poller.join(line)
        for request_id in ids:
            self.poller.add(line, request_id, None)
        self.poller.added(line)
        return line


def events(line: Line) -> list[Event]:
    """Everything that waits in a line."""
    found = []
    while (event := line.inbox.pop()) is not None:
        found.append(event)
    return found


def test_no_more_looks_than_lookers() -> None:
    """The number of lookers is the limit, whatever is due at once."""

    async def main() -> None:
        queue = Queue(most=4)
        queue.line(*(f"id-{number}" for number in range(50)))
        await asyncio.sleep(30)
        peak, looks = queue.peak, queue.looks.total()
        await queue.poller.aclose()

        assert peak == 4
        assert looks == 4 * 30 / 0.5

    run(main())


def test_an_idle_poller_has_no_task_and_no_timer() -> None:
    """Lookers are born when there is something to look at, and gone when nobody watches."""

    async def main() -> None:
        queue = Queue(ends_at=20)
        before = ours()
        line = queue.line("a", "b")
        await asyncio.sleep(10)
        during = ours()
        await asyncio.sleep(20)
        after = ours()

        assert (before, after) == ([], [])
        assert during == ["gmi_video look", "gmi_video look", "gmi_video poller"]
        assert [type(event) for event in events(line)][-1] is Succeeded
        assert queue.poller._timer is None

    run(main())


def test_one_look_serves_every_line() -> None:
    """Two lines that follow one id cost one look a slot, and both hear of it."""

    async def main() -> None:
        queue = Queue(seconds=0, ends_at=9)
        lines = [queue.line("a"), queue.line("a")]
        await asyncio.sleep(60)

        assert queue.looks["a"] == 6
        assert [[type(event).__name__ for event in events(line)] for line in lines] == [
            ["Progressed", "Succeeded"]
        ] * 2

    run(main())


def test_a_crew_is_born_again_after_a_rest() -> None:
    """A poller that fell idle looks again for the next line."""

    async def main() -> None:
        queue = Queue()
        for _ in range(3):
            line = queue.line("a")
            await asyncio.sleep(5)
            queue.poller.leave(line)
            await turns()
            assert ours() == []

        assert queue.looks["a"] >= 6

    run(main())


def test_an_id_whose_look_was_broken_off_is_looked_at_for_the_next_line() -> None:
    """Leaving breaks a look off; a line that comes before the look is gone is not left waiting for it."""

    async def main() -> None:
        queue = Queue(seconds=5)
        first = queue.line("a")
        await asyncio.sleep(1)
        queue.poller.leave(first)
        second = queue.line("a")
        await asyncio.sleep(6)
        told = events(second)
        await queue.poller.aclose()

        assert [type(event).__name__ for event in told] == ["Progressed"]
        assert queue.looks["a"] >= 2

    run(main())


def test_a_dropped_id_is_looked_at_no_more() -> None:
    """Dropping one id leaves the others alone."""

    async def main() -> None:
        queue = Queue(seconds=0)
        line = queue.line("a", "b")
        await asyncio.sleep(5)
        queue.poller.drop(line, "a")
        before = queue.looks["a"]
        await asyncio.sleep(20)
        await queue.poller.aclose()

        assert queue.looks["a"] == before == 3
        assert queue.looks["b"] > 10

    run(main())


def test_closing_ends_lines_and_waits_for_the_lookers() -> None:
    """After `aclose` there is no task, no look under way, and every line is closed, empty ones too."""

    async def main() -> None:
        queue = Queue(seconds=100)
        lines = [queue.line("a"), queue.line()]
        await asyncio.sleep(1)
        await queue.poller.aclose()
        late = queue.line()

        assert ours() == []
        assert queue.flying == 0
        assert [line.closed for line in (*lines, late)] == [True, True, True]
        with pytest.raises(errors.ConfigurationError, match="closed"):
            queue.poller.add(late, "a", None)

    run(main())


async def failing(look: Callable[[str], Awaitable[Snapshot]]) -> tuple[list[Line], Line]:
    """Two lines that follow something, and one that does not, after the first looks."""
    poller = Poller(look, concurrency=4, rng=Random(0))
    lines = [Line(Inbox(), PACE) for _ in range(3)]
    for line, ids in zip(lines, (("a", "b"), ("c",), ()), strict=True):
        poller.join(line)
        for request_id in ids:
            poller.add(line, request_id, None)
        poller.added(line)
    await asyncio.sleep(1)
    assert ours() == []
    return lines[:2], lines[2]


def test_a_dead_key_ends_every_line_with_an_error_of_its_own() -> None:
    """Each line that follows something gets its own plain `Unauthorized`; one without ids is left alone."""

    async def refused(request_id: str) -> Snapshot:
        await asyncio.sleep(0)
        raise errors.Unauthorized("the key has expired", status=401, request_id=request_id)

    async def main() -> None:
        (one, two), idle = await failing(refused)

        assert type(one.error) is type(two.error) is errors.Unauthorized
        assert one.error is not two.error
        assert (one.closed, two.closed, idle.closed, idle.error) == (True, True, False, None)

    run(main())


def test_a_fault_that_is_not_ours_is_raised_by_the_watches_as_it_is() -> None:
    """What a caller's own code raises ends the lines, plainly and not in a group."""

    async def broken(request_id: str) -> Snapshot:
        await asyncio.sleep(0)
        raise LookupError("the vault is sealed")

    async def main() -> None:
        (one, two), _ = await failing(broken)

        assert type(one.error) is type(two.error) is LookupError

    run(main())


def test_a_failed_look_is_told_and_the_next_one_follows() -> None:
    """A look that failed is a `Missed`, and looking goes on."""
    failures = iter([errors.TimedOut("late"), errors.NotEntitled("no", status=403)])

    async def look(request_id: str) -> Snapshot:
        await asyncio.sleep(0)
        error = next(failures, None)
        if error is not None:
            raise error
        return seen(request_id, "success")

    async def main() -> None:
        poller = Poller(look, concurrency=1, rng=Random(0))
        line = Line(Inbox(), PACE)
        poller.join(line)
        poller.add(line, "a", "key")
        poller.added(line)
        told = []
        for _ in range(3):
            await line.wait()
            told.extend(events(line))

        assert [type(event) for event in told] == [Missed, Missed, Succeeded]
        assert [event.elapsed for event in told] == [0.0, 2.0, 4.0]

    run(main())


def test_a_deadline_ends_an_id_between_two_looks() -> None:
    """The alarm rings at the deadline itself, and the looks stop."""

    async def main() -> None:
        queue = Queue(seconds=0)
        line = queue.line("a", deadline=3)
        await asyncio.sleep(60)
        (first, last) = events(line)

        assert type(first).__name__ == "Progressed"
        assert type(last).__name__ == "GaveUp"
        assert last.elapsed == pytest.approx(3.0)
        assert queue.looks["a"] == 2
        assert ours() == []

    run(main())


def test_a_watch_of_many_ids_leaves_in_slices() -> None:
    """A closed line gives its ids back a thousand at a time, others get their turns meanwhile, and no task is left."""

    async def main() -> None:
        queue = Queue()
        line = queue.line(*(f"id-{number}" for number in range(3500)))
        other = queue.line("id-7", "mine")
        await asyncio.sleep(1)
        queue.poller.leave(line)
        left = []
        while len(queue.poller.schedule) > 2:
            left.append(len(queue.poller.schedule))
            await asyncio.sleep(0)
        followed = sorted(queue.poller.schedule._entries)
        await queue.poller.aclose()

        assert left == [2502, 1502, 502]
        assert followed == ["id-7", "mine"]
        assert other.closed
        assert ours() == []

    run(main())


def test_closing_lets_go_of_many_ids_in_slices() -> None:
    """A poller that is closed gives the loop its turns too, however many ids are followed."""

    async def main() -> None:
        queue = Queue()
        queue.line(*(f"id-{number}" for number in range(5000)))
        await asyncio.sleep(1)
        closing = asyncio.create_task(queue.poller.aclose())
        counted = 0
        while not closing.done():
            await asyncio.sleep(0)
            counted += 1
        await closing

        assert counted >= 3
        assert (len(queue.poller.schedule), queue.flying, ours()) == (0, 0, [])

    run(main())


def test_ids_that_are_gathered_hold_up_no_other_watch() -> None:
    """While one line's ids pour in, another line's id is looked at as soon as it comes."""

    async def main() -> None:
        queue = Queue()

        async def page(sweep: Sweep, _: object) -> Sheet:
            raise AssertionError

        poller = queue.poller = Poller(queue.look, page=page, concurrency=4, rng=Random(0))
        many = Line(Inbox(), PACE)
        poller.join(many)
        poller.gather(many)
        poller.add(many, "a", None)
        poller.added(many, more=True)
        await asyncio.sleep(1)
        before = dict(queue.looks)
        queue.line("b")
        await asyncio.sleep(0.1)
        looked = set(queue.looks)
        await poller.aclose()

        assert before == {}
        assert looked == {"a", "b"}

    run(main())


def test_a_walk_rests_while_the_service_asks_for_it() -> None:
    """A hold that begins between two pages is kept by the next page as it is by looks."""

    async def main() -> None:
        queue = Queue()
        pages: list[float] = []

        async def page(sweep: Sweep, _: object) -> Sheet:
            pages.append(asyncio.get_running_loop().time())
            if len(pages) == 1:
                poller.schedule.hold(pages[0] + 30)
            begin = sweep.offset
            names = range(begin, begin + 20) if len(pages) == 1 else range(20, 30)
            return Sheet(
                records=tuple(Listed(f"id-{name}", float(-name)) for name in names), more=len(pages) == 1
            )

        poller = queue.poller = Poller(queue.look, page=page, concurrency=4, rng=Random(0))
        queue.line(*(f"id-{number}" for number in range(30)))
        await asyncio.sleep(60)
        await poller.aclose()

        assert len(pages) >= 2
        assert pages[1] - pages[0] >= 30

    run(main())
