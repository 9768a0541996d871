"""The ids of one model as the list shows them: blocks of neighbours, each read at once, and whether that pays.

A block is due when the seconds that its members are likely to have lost together are worth its pages; a page is
worth as many looks as it has bytes to show for. Where the list is refused, unordered or poor in hits, its ids
are looked at alone again, and the list is tried ever more rarely.
"""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice
from math import log2, sqrt
from operator import attrgetter, itemgetter

from attrs import define, field

from gmi_video._cadence import Law
from gmi_video._lifetimes import Lifetimes
from gmi_video._sweep import Sweep
from gmi_video.settings import Pace

LEAST = 16
"""Ids of one model that must be followed before its list is tried."""
FIRST_ASKED = 100
"""Records asked for at first: what is used in the field."""
MOST_ASKED = 1000
"""Records that are asked for at most: the service's own limit is unknown, and is learnt from what it gives."""
BYTES = 65_536
"""A page of so many bytes costs as much again as the call itself."""
MOST_BYTES = 2**20
"""A page is not asked for that is likely to be bigger: its decoding takes some 10 ms."""
PER_CALL = 0.08
"""What a look is worth, in seconds of delay per second of `Pace.first`: at 2 s and 90 s of work, 2.5 s mean delay."""
RETRY = (300.0, 3600.0)
"""Seconds until a list that did not pay is tried again: at first, and at most."""
POOR_SWEEPS = 3
"""Sweeps in a row that cost more than the looks they stood for, after which they are given up."""
FADING = 0.7
"""What counts of the sweeps before, when it is asked whether pages come slower than looks would."""
SLOW = 10.0
"""Seconds of delay, over several ends, below which that is not asked: a single page may be late."""
SAMPLE = 16
"""Members of a block whose ages stand for all of them."""
UNKNOWN_RATE = 10.0
"""Pages per second that a model of which nothing is known is read with at most."""


@define(eq=False)
class Block:
    """Neighbours in the list. `ids` have the Unix time of their creation; `due` is None while they are read.

    `bottom` and `top` are the earliest and the latest creation that it ever had. `at` is where its first was
    seen in the list, when `before` ids of the flock had arrived; `length` is how far apart its ends were then.
    """

    flock: "Flock | None" = None
    ids: dict[str, float] = field(factory=dict)
    bottom: float = float("inf")
    top: float = float("-inf")
    due: float | None = None
    swept: float = float("-inf")
    interval: float = 0.0
    misses: int = 0
    flying: bool = False
    checked: float = float("-inf")
    at: int | None = None
    before: int = 0
    length: int = 0

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
        self.blocks: list[Block] = []
        self._fixed = False
        self._bytes = 750.0
        self._poor = 0
        self._off_until = float("-inf")
        self._tries = 0
        self._late = 0.0
        self._saved = 0.0

    def usable(self, now: float) -> bool:
        """Whether ids may be read by the list now."""
        return self.count >= LEAST and now >= self._off_until

    @property
    def most(self) -> int:
        """How many records are worth asking for, as far as is known."""
        return self.asked if self._fixed else min(MOST_ASKED, int(MOST_BYTES / max(self._bytes, 1.0)))

    @property
    def price(self) -> float:
        """What a page costs, in looks."""
        return 1 + self.asked * self._bytes / BYTES

    def join(self, request_id: str, created: float) -> Block:
        """The block that an id belongs to from now on: the last one, where ids come as they are created."""
        blocks = self.blocks
        if not blocks or created >= blocks[-1].top:
            self.arrived += 1
        place = bisect_right(blocks, created, key=_bottom) - 1
        last = len(blocks) - 1
        if place == last and (place < 0 or len(blocks[place].ids) >= self.asked):
            blocks.append(Block(flock=self))
            place += 1
        elif place < 0:
            if len(blocks[0].ids) >= self.asked:
                blocks.insert(0, Block(flock=self))
            place = 0
        elif len(blocks[place].ids) >= 2 * self.asked:
            place += 1
            blocks.insert(place, Block(flock=self))
        blocks[place].put(request_id, created)
        return blocks[place]

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
            if other.due is None or other.width + block.width > self.asked * 0.8:
                continue
            came = list(other.ids)
            merged = sorted((*block.ids.items(), *other.ids.items()), key=itemgetter(1))
            block.ids = dict(merged)
            block.bottom, block.top = min(block.bottom, other.bottom), max(block.top, other.top)
            block.swept, block.at, block.length = min(block.swept, other.swept), None, 0
            other.ids, other.due = {}, None
            del self.blocks[near]
            return came
        return []

    def pays(self, block: Block) -> bool:
        """Whether reading a block is cheaper than looking at each of it."""
        return len(block.ids) > max(1.0, block.width / self.asked) * self.price

    def sweep(self, block: Block) -> Sweep:
        """The walk that reads a block."""
        if block.at is None:
            younger = self.blocks[self.blocks.index(block) + 1 :]
            offset = sum(other.width for other in younger)
        else:
            offset = block.at + self.arrived - block.before
        margin = 3 + block.width // 20
        offset = max(0, offset - margin)
        return Sweep(
            model=self.model,
            wanted=block.ids,
            left=len(block.ids),
            offset=offset,
            limit=min(self.asked, max(20, block.width + 2 * margin)),
            newest=max(block.ids.values()),
            oldest=min(block.ids.values()),
        )

    def learn(
        self, block: Block, sweep: Sweep, now: float, *, look: float = 0.0, worth: float = 1.0
    ) -> bool:
        """What a walk taught of the list; False where its ids had better be looked at alone.

        A look takes `look` seconds, and is worth `worth` seconds of delay.
        """
        if sweep.count:
            self._bytes += 0.3 * (sweep.size / sweep.count - self._bytes)
        if sweep.longest is not None:
            self.asked, self._fixed = max(10, sweep.longest), True
        elif not self._fixed and not sweep.fault:
            self.asked = max(20, min(self.most, max(FIRST_ASKED, 2 * self.asked)))
        if sweep.first is not None and sweep.last is not None:
            block.at, block.before, block.length = sweep.first, self.arrived, sweep.last - sweep.first + 1
        cost = sweep.pages + sweep.size / BYTES
        self._poor = self._poor + 1 if len(sweep.seen) < cost else 0
        self._late = FADING * self._late + sweep.ended * max(0.0, sweep.slowest - look)
        self._saved = FADING * self._saved + max(0.0, len(sweep.seen) - cost) * worth
        slow = self._late > self._saved and self._late > SLOW
        if sweep.fault or slow or self._poor >= POOR_SWEEPS or (sweep.left >= LEAST and not sweep.seen):
            self.refuse(now)
            return False
        self._tries = 0
        return True

    def refuse(self, now: float) -> None:
        """The list is of no use: ids are looked at alone for a while, longer each time."""
        first, most = RETRY
        self._off_until = now + min(most, first * 2**self._tries)
        self._tries = min(self._tries + 1, 10)
        self._poor = 0
        self._late = self._saved = 0.0

    def allow(self) -> None:
        """Much has changed since the list was of no use: it may be tried again."""
        self._off_until = float("-inf")

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
        pages = max(1.0, block.width / self.asked)
        worth = rounded(PER_CALL * pace.first * pages * self.price / max(1, len(block.ids)))
        haste = number = 0.0
        for created in block.sample():
            haste += 1 / max(law.wait(max(0.0, server_now - created), worth), 0.01) ** 2
            number += 1
        return min(max(sqrt(number / haste), pace.first / 2), pace.longest)

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
