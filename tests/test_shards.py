"""Mappings that grow in small steps: they say what a dict says, whatever is put in and taken out."""

import gc
from collections import deque

import pytest
from hypothesis import strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from searching import search

from gmi_video._shards import PIECE, WHOLE, Row, Shards

NAMES = strategies.integers(0, 40).map(str)


class MappingMachine(RuleBasedStateMachine):
    """Both mappings beside a plain dict, small and after they were large."""

    def __init__(self) -> None:
        super().__init__()
        self.shards: Shards[int] = Shards()
        self.row = Row()
        self.model: dict[str, int] = {}
        self.grown = False

    @rule(name=NAMES, value=strategies.integers())
    def put(self, name: str, value: int) -> None:
        self.shards[name] = value
        self.model[name] = value
        self.row[name] = 0.0

    @rule(name=NAMES)
    def leave(self, name: str) -> None:
        assert self.shards.pop(name, None) == self.model.pop(name, None)
        self.row.pop(name, None)

    @rule()
    def grow(self) -> None:
        """It becomes large once, and small again."""
        if self.grown:
            return
        self.grown = True
        for number in range(WHOLE + 1):
            self.shards[f"many-{number}"] = number
            self.row[f"many-{number}"] = 0.0
        for number in range(WHOLE + 1):
            del self.shards[f"many-{number}"]
            del self.row[f"many-{number}"]

    @invariant()
    def both_say_what_a_dict_says(self) -> None:
        """Length, membership and values are the dict's; the first of the row is the one that came first."""
        assert dict(self.shards) == self.model
        assert list(self.row) == list(self.model)
        assert len(self.shards) == len(self.row) == len(self.model)
        assert self.row.first() == next(iter(self.model), None)
        assert all((name in self.shards) == (name in self.row) == (name in self.model) for name in "0123")
        assert self.shards.get("absent") is None


TestMappings = MappingMachine.TestCase
TestMappings.settings = search(15, of=30, stateful_step_count=30)


def test_a_large_mapping_is_in_parts() -> None:
    """No dict of many names is larger than some of them would make it, so that none takes long to grow."""
    shards: Shards[None] = Shards()
    for number in range(10 * WHOLE):
        shards[f"r-{number}"] = None

    assert max(len(part) for part in shards.parts) < WHOLE / 10


def test_a_row_keeps_no_piece_that_is_empty() -> None:
    """Whoever leaves from its front, its middle or its end, what is left is as long as what is in it."""
    row = Row()
    row["stays"] = 0.0
    for number in range(20 * PIECE):
        row[f"r-{number}"] = 0.0
        del row[f"r-{number}"]
    for number in range(20 * PIECE):
        row[f"s-{number}"] = 0.0
    for number in reversed(range(20 * PIECE)):
        del row[f"s-{number}"]

    assert list(row) == ["stays"]
    assert len(row._pieces) <= 2


def test_names_are_nothing_that_the_collector_walks_through() -> None:
    """A hundred thousand names make no more than some hundreds of objects that a garbage collection has to visit."""
    gc.collect()
    before = len(gc.get_objects())
    row = Row()
    for number in range(100_000):
        row[f"r-{number}"] = 0.0

    assert len(gc.get_objects()) - before < 1000


@pytest.mark.parametrize("kind", [Shards, Row])
def test_what_is_not_there_is_a_key_error(kind: type[Shards[float]] | type[Row]) -> None:
    """As of a dict, whether it is read or removed."""
    mapping = kind()

    with pytest.raises(KeyError):
        mapping["a"]
    with pytest.raises(KeyError):
        del mapping["a"]
    assert deque(mapping) == deque()
