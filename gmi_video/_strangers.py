"""Ids of which nothing is known but the name: found on unfiltered pages of the list, else looked at alone. Pure.

Those that come while a page is read for others wait in a block of their own, so that nothing is ever moved from
one to another: there may be a million of them.
"""

from collections.abc import Iterator, Mapping

from attrs import define, field

from gmi_video._flock import Block, Flock
from gmi_video._shards import Row
from gmi_video._sweep import Sweep
from gmi_video.errors import GmiVideoError

MORE = 4
"""A list that was of no use is tried again at once where so many times as many ids have come since."""


@define(eq=False)
class Crowd(Block):
    """Unknown ids in the order in which they came; `walked` says that no page is to be read for them (any more)."""

    ids: Row = field(factory=Row)
    walked: bool = False


class _Either(Mapping[str, object]):
    """Those for whom a walk was begun, and those who came since: a page that shows either is worth its bytes."""

    def __init__(self, one: Mapping[str, object], other: Mapping[str, object]) -> None:
        self._one, self._other = one, other

    def __contains__(self, key: object) -> bool:
        return key in self._one or key in self._other

    def __getitem__(self, key: str) -> object:
        return self._one[key] if key in self._one else self._other[key]

    def __iter__(self) -> Iterator[str]:
        yield from self._one
        yield from self._other

    def __len__(self) -> int:
        return len(self._one) + len(self._other)


class Strangers:
    """All unknown ids of one schedule."""

    def __init__(self) -> None:
        self._list = Flock(None)
        self.new = Crowd()
        self._alone = Crowd(walked=True)
        self._refused_at = 0
        self._begun: list[Crowd] = []

    def crowds(self) -> tuple[Crowd, ...]:
        """All blocks in which anybody waits."""
        self._begun = [crowd for crowd in self._begun if crowd.ids]
        return (self.new, self._alone, *self._begun)

    def meet(self, request_id: str, *, alone: bool = False) -> Block:
        """The block that an unknown id waits in, for a page with others like it, or to be looked at `alone`."""
        block = self._alone if alone else self.new
        block.ids[request_id] = 0.0
        return block

    def worth_a_page(self, block: Block, now: float) -> bool:
        """Whether to read a page for a block, rather than to look at its first."""
        assert isinstance(block, Crowd)
        if block.walked:
            return False
        self._list.count = len(block.ids)
        if self._refused_at and len(block.ids) >= MORE * self._refused_at:
            self._list.worth.allow()
            self._refused_at = 0
        return self._list.usable(now)

    def begin(self, block: Block) -> Sweep:
        """The walk for a block; who comes from now on waits in another."""
        assert isinstance(block, Crowd)
        if block is self.new:
            self._begun = [*self.crowds()[2:], block]
            self.new = Crowd()
        wanted = _Either(block.ids, self.new.ids)
        return Sweep(
            model=None,
            wanted=wanted,
            left=len(block.ids),
            offset=0,
            limit=self._list.asked,
            most=self._list.most,
        )

    def first(self, block: Block) -> str | None:
        """Who is looked at alone next."""
        assert isinstance(block, Crowd)
        return block.ids.first()

    def shrink(self) -> bool:
        """The service refused to give so many at once; whether it is worth asking for fewer."""
        return self._list.shrink()

    def walked(self, block: Block, sweep: Sweep, now: float, error: GmiVideoError | None) -> None:
        """Pages were read for a block: whom they did not show is looked at alone."""
        assert isinstance(block, Crowd)
        block.walked = True
        if error is not None:
            self._list.worth.refuse(now)
        elif not self._list.learn(Block(), sweep, now):
            self._refused_at = sweep.left
