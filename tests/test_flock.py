"""Blocks of neighbours: however ids come, each stands among those that the list shows beside it."""

from random import Random

import pytest

from gmi_video._flock import Flock


def placed(*created: float) -> Flock:
    """A model whose ids came in this order."""
    flock = Flock("Veo3")
    for number, moment in enumerate(created):
        flock.count += 1
        flock.join(f"r-{number}", moment)
    return flock


def runs(rng: Random) -> list[float]:
    """Times of creation that rise and fall by turns, some of them shared, from wherever a run begins."""
    moments: list[float] = []
    while len(moments) < 1500:
        moment, way = rng.randrange(2000), rng.choice([-1, 1])
        for _ in range(rng.randrange(1, 300)):
            moments.append(float(moment))
            moment += way * rng.choice([0, 1, 1, 3])
    return moments


@pytest.mark.parametrize("seed", range(20))
def test_blocks_stand_in_the_order_of_their_times(seed: int) -> None:
    """Whatever order ids come in, none is lost, and the blocks are sorted: their place is found by halving."""
    created = runs(Random(seed))
    flock = placed(*created)
    bottoms = [block.bottom for block in flock.blocks]

    assert bottoms == sorted(bottoms)
    assert sum(len(block.ids) for block in flock.blocks) == len(created)


def test_the_newest_come_back_beside_the_newest() -> None:
    """A list was read newest first, and its first ids were looked at alone: they do not join a block far below them."""
    rng = Random(7)
    for _ in range(20):
        heads = [float(moment) for moment in range(987, 1000)]
        rng.shuffle(heads)
        flock = placed(*map(float, range(986, 0, -1)), *heads)

        assert max(block.top - block.bottom for block in flock.blocks) <= flock.room


def test_ids_of_one_second_that_fall_come_below_those_before() -> None:
    """Read newest first, those that share a second with a full block's oldest are listed behind it."""
    flock = placed(*[5.0] * 200)

    assert [next(iter(block.ids)) for block in flock.blocks] == [
        "r-0",
        f"r-{flock.room}",
        f"r-{2 * flock.room}",
    ]

    flock = placed(9.0, *[5.0] * 200)

    assert [next(iter(block.ids)) for block in flock.blocks][-1] == "r-0"
