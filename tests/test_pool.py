"""Memory that is used again only where nobody can read in it any more."""

import pytest

from gmi_video._pool import Pool, memory


def test_a_block_is_handed_out_again_once_its_last_view_is_gone() -> None:
    """As long as any view of it lives, however small and however made, its bytes stay what they are."""
    pool = Pool(1000)
    first = pool.take()
    first[:] = b"a" * 1000
    sent = first[100:200].toreadonly()
    del first

    second = pool.take()
    second[:] = b"b" * 1000
    assert bytes(sent) == b"a" * 100

    del sent
    third = pool.take()
    assert bytes(third) == b"a" * 1000
    assert bytes(second) == b"b" * 1000


def test_two_blocks_in_turn_are_enough_for_one_who_lets_go() -> None:
    """Memory does not grow with what goes through it."""
    pool = Pool(64)
    kept = pool.take()
    seen: set[int] = set()
    for _ in range(100):
        kept = pool.take()
        seen.add(id(kept.obj))

    assert len(seen) <= 2


@pytest.mark.parametrize("size", [0, 1, 1000, 1 << 20])
def test_a_block_has_the_size_that_was_asked_for(size: int) -> None:
    """All of it can be written to and read."""
    for block in (memory(size), Pool(size).take()):
        block[:] = b"x" * size

        assert (len(block), block.readonly) == (size, False)
        assert bytes(block) == b"x" * size
