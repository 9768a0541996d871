"""The ids of one model as the list shows them: blocks of neighbours, each read at once, and whether that pays.

A block is due when the seconds that its members are likely to have lost together are worth its pages; a page is
worth as many looks as it has bytes to show for. Where the list is refused, unordered or poor in hits, its ids
are looked at alone again, and the list is tried ever more rarely.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, MutableMapping
from itertools import islice
from math import ceil, log2, sqrt
from operator import attrgetter, itemgetter

from attrs import define, field

from gmi_video._cadence import Law
from gmi_video._lifetimes import Lifetimes
from gmi_video._sweep import Sweep
from gmi_video._worth import BYTES, LEAST, Worth
from gmi_video.settings import Pace

FIRST_ASKED = 100
"""Records asked for at first: what is used in the field."""
MOST_ASKED = 1000
"""Records that are asked for at most: the service's own limit is unknown, and is learnt from what it gives."""
MOST_BYTES = 2**20
"""A page is not asked for that is likely to be bigger: its decoding takes some 10 ms."""
PER_CALL = 0.08
"""What a look is worth, in seconds of delay per second of `Pace.first`: at 2 s and 90 s of work, 2.5 s mean delay."""
SAMPLE = 16
"""Members of a block whose ages stand for all of them."""
UNKNOWN_RATE = 10.0
"""Pages per second that a model of which nothing is known is read with at most."""


@define(eq=False)
class Block:
    """Neighbours in the list. `ids` have the Unix time of their creation; `due` is None while they are read.

    `bottom` and `top` are the earliest and the latest creation that it ever had. `at` is where its first was
    seen in the list, when `before` ids of the flock had arrived; `length` is how far apart its ends were then. `late`
    are those that the last page did not show yet, with when they were seen; all others were seen when the walk was begun
    that `swept` it. None of them was seen before `since`, or, if one was, it is an id that left or was seen alone in the meantime.
    """

    flock: "Flock | None" = None
    ids: MutableMapping[str, float] = field(factory=dict)
    bottom: float = float("inf")
    top: float = float("-inf")
    due: float | None = None
    swept: float = float("-inf")
    since: float = float("inf")
    begun: float = float("inf")
    interval: float = 0.0
    misses: int = 0
    flying: bool = False
    checked: float = float("-inf")
    at: int | None = None
    before: int = 0
    length: int = 0
    late: dict[str, float] = field(factory=dict)

    def put(self, request_id: str, created: float) -> None:
        """One more belongs to it."""
        self.ids[request_id] = created
        self.bottom, self.top = min(self.bottom, created), max(self.top, created)

    def sample(self) -> Iterator[float]:
        """When some of them were created, evenly chosen."""
        return islice(self.ids.values(), 0, None, max(1, len(self.ids) // SAMPLE))

    @property
    def width(self) -> int:
        """How many records a walk through it passes, as far as is known."""
        return max(len(self.ids), self.length)


class Flock:
    """All followed ids of one model whose place in the list can be known."""

    def __init__(self, model: str | None) -> None:
        self.model = model
        self.asked = FIRST_ASKED
        self.count = 0
        self.arrived = 0
        self.slack = 3.0
        self.blocks: list[Block] = []
        self._given = FIRST_ASKED
        self.worth = Worth()
        self._fixed = False
        self._bytes = 750.0
        self._joined = float("-inf")
        self._falling = False

    def usable(self, now: float) -> bool:
        """Whether ids may be read by the list now."""
        return self.count >= LEAST and now >= self.worth.off_until

    @property
    def most(self) -> int:
        """How many records are worth asking for, as far as is known."""
        return self.asked if self._fixed else min(MOST_ASKED, int(MOST_BYTES / max(self._bytes, 1.0)))

    @property
    def reach(self) -> int:
        """How many records of a page can be counted on."""
        return min(self.asked, self._given)

    @property
    def price(self) -> float:
        """What a page costs, in looks."""
        return 1 + self.reach * self._bytes / BYTES

    @property
    def margin(self) -> int:
        """Records read on either side of a block, for others may have been listed meanwhile."""
        return 1 + ceil(self.slack)

    @property
    def room(self) -> int:
        """How many ids a block holds, so that one page shows all of it."""
        return max(1, self.reach - 2 * self.margin)

    def join(self, request_id: str, created: float) -> Block:
        """The block that an id belongs to from now on.

        Ids come as they are created, or as the list shows them, newest first: times are whole seconds, so of many
        in one second only the order in which they come tells their order in the list.
        """
        blocks = self.blocks
        if created != self._joined:
            self._falling, self._joined = created < self._joined, created
        newest = not blocks or (created >= blocks[-1].top and not self._falling)
        self.arrived += newest
        place = self._place(created)
        nearest = max(place, 0)
        if not blocks or self._is_full(blocks[nearest], created):
            older = place < 0 or (self._falling and created == blocks[nearest].bottom)
            nearest = nearest if older else place + 1
            blocks.insert(nearest, Block(flock=self))
        block = blocks[nearest]
        if newest and (block.at is not None or not block.ids):  # it heads the list, and the block with it
            end = block.at + self.arrived - block.before + block.length if block.at is not None else 1
            block.at, block.before, block.length = 0, self.arrived, end
        block.put(request_id, created)
        return block

    def _is_full(self, block: Block, created: float) -> bool:
        """Whether an id would make a block longer than a page; one that comes back to its place does not."""
        returns = block.bottom <= created <= block.top and len(block.ids) < block.length
        return block.width >= self.room and not returns

    def _place(self, created: float) -> int:
        """The block whose span a time falls into; of those that share a second the one that was filled last."""
        if not self._falling:
            return bisect_right(self.blocks, created, key=_bottom) - 1
        place = bisect_left(self.blocks, created, key=_bottom)
        return place if place < len(self.blocks) and self.blocks[place].bottom == created else place - 1

    def leave(self, block: Block, request_id: str) -> None:
        """An id is in its block no longer."""
        block.ids.pop(request_id, None)
        if not block.ids and block in self.blocks:
            block.due = None
            self.blocks.remove(block)

    def absorb(self, block: Block) -> list[str]:
        """Takes in a neighbour that fits on the same page; returns the ids that came."""
        place = self.blocks.index(block)
        for near in (place + 1, place - 1):
            if not 0 <= near < len(self.blocks):
                continue
            other = self.blocks[near]
            if other.due is None or other.width + block.width > self.room:
                continue
            came = list(other.ids)
            merged = sorted((*block.ids.items(), *other.ids.items()), key=itemgetter(1))
            block.ids = dict(merged)
            block.bottom, block.top = min(block.bottom, other.bottom), max(block.top, other.top)
            block.swept, block.since = min(block.swept, other.swept), min(block.since, other.since)
            block.late |= other.late
            self._span(block, other)
            other.ids, other.due = {}, None
            del self.blocks[near]
            return came
        return []

    def _span(self, block: Block, other: Block) -> None:
        """The place of two blocks that are one now, where both were known."""
        if block.at is None or other.at is None:
            block.at, block.length = None, 0
            return
        begins = [each.at + self.arrived - each.before for each in (block, other) if each.at is not None]
        end = max(begin + each.length for begin, each in zip(begins, (block, other), strict=True))
        block.at, block.before, block.length = min(begins), self.arrived, end - min(begins)

    def pays(self, block: Block) -> bool:
        """Whether reading a block is cheaper than looking at each of it."""
        return len(block.ids) > max(1.0, block.width / self.reach) * self.price

    def sweep(self, block: Block) -> Sweep:
        """The walk that reads a block."""
        margin = max(1, min(self.margin, (self.reach - block.width) // 2))
        width = min(self.reach, max(20, block.width + 2 * margin))
        return Sweep(
            model=self.model,
            wanted=block.ids,
            left=len(block.ids),
            offset=max(0, self._position(block) - margin),
            limit=self.asked if self.reach < min(self.asked, max(self.count, self.arrived)) else width,
            newest=max(block.ids.values()),
            oldest=min(block.ids.values()),
        )

    def _position(self, block: Block) -> int:
        """Where a block begins in the list: where it was, or behind the next younger one whose place is known."""
        behind = 0
        for other in self.blocks[self.blocks.index(block) :]:
            if other.at is not None:
                begin = other.at + self.arrived - other.before
                return begin if other is block else begin + other.length + behind
            behind += other.width if other is not block else 0
        return behind

    def learn(
        self,
        block: Block,
        sweep: Sweep,
        now: float,
        *,
        look: float = 0.0,
        worth: float = 1.0,
        young: bool = False,
    ) -> bool:
        """What a walk taught of the list; False where its ids had better be looked at alone.

        A look takes `look` seconds, and is worth `worth` seconds of delay; its ids may be too `young` to be listed.
        """
        if sweep.count:
            self._bytes += 0.3 * (sweep.size / sweep.count - self._bytes)
        self._given = max(self._given, sweep.given)
        if sweep.longest is not None:
            self.asked, self._fixed = max(10, sweep.longest), True
        elif not self._fixed and not sweep.fault:
            self.asked = max(20, min(self.most, max(FIRST_ASKED, 2 * self.reach)))
        if sweep.first is not None and sweep.last is not None:
            if block.at is not None and block.width <= self.room:
                self.slack = min(2 * self.slack + 1, self.asked / 4) if sweep.pages > 1 else 0.9 * self.slack
            block.at, block.before, block.length = sweep.first, self.arrived, sweep.last - sweep.first + 1
        return self.worth.pays(sweep, now, look=look, worth=worth, young=young)

    def shrink(self) -> bool:
        """The service refused to give so many at once; whether it is worth asking for fewer."""
        if self.asked <= FIRST_ASKED:
            return False
        self.asked, self._fixed = FIRST_ASKED, True
        return True

    def wait(self, block: Block, pace: Pace, law: Law | None, server_now: float) -> float:
        """Seconds until a block is worth reading again, at most `pace.longest`."""
        if law is None:
            most = max(4 * pace.first, len(self.blocks) / UNKNOWN_RATE)
            block.interval = min(max(pace.first, block.interval * pace.growth), most, pace.longest)
            return block.interval
        pages = max(1.0, block.width / self.reach)
        worth = rounded(PER_CALL * pace.first * pages * self.price / max(1, len(block.ids)))
        haste = number = 0.0
        for created in block.sample():
            haste += 1 / max(law.wait(max(0.0, server_now - created), worth), 0.01) ** 2
            number += 1
        # until its oldest is as old as the first that ever ended, nothing of it has, as far as is known
        idle = law.least - (server_now - block.bottom)
        return min(max(sqrt(number / haste), pace.first / 2, idle), pace.longest)

    def lived(self, block: Block, lifetimes: Lifetimes, server_now: float, now: float) -> None:
        """A block was read: those of it that still run were alive since it was read before."""
        ago = now - block.swept
        sampled = list(block.sample())
        for created in sampled:
            age = server_now - created
            if age >= ago:  # it was there already
                lifetimes.lived(age - ago, age, len(block.ids) / len(sampled))


_bottom = attrgetter("bottom")


def rounded(worth: float) -> float:
    """The nearest power of √2: the tables of a law are made for these only."""
    return float(2 ** (round(2 * log2(worth)) / 2))
