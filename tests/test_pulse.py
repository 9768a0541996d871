"""Whether a body still comes: a kibibyte a second, over half a minute of waiting."""

from hypothesis import given
from hypothesis import strategies as st

from gmi_video._pulse import SLOWEST, STALL, Pulse


def test_waiting_is_counted_until_enough_has_come() -> None:
    """Small pieces use the patience up; enough of them bring it back."""
    pulse = Pulse()
    pulse.beat(29.0, 1)
    assert pulse.patience == 1.0
    pulse.beat(1.0, 1)
    assert pulse.patience == 0.0
    pulse.beat(0.0, 30 * 1024)
    assert pulse.patience == STALL


@given(st.lists(st.tuples(st.floats(0, 60), st.integers(0, 100_000)), max_size=60))
def test_patience_is_never_more_than_a_stall_nor_less_than_nothing(beats: list[tuple[float, int]]) -> None:
    """Whatever comes when, no wait is longer than half a minute."""
    pulse = Pulse()
    for waited, size in beats:
        pulse.beat(waited, size)
        assert 0.0 <= pulse.patience <= STALL


@given(st.floats(0.01, 29.0), st.floats(1.1, 100.0))
def test_a_body_that_keeps_the_rate_is_never_cut(interval: float, factor: float) -> None:
    """At more than a kibibyte a second, in pieces however far apart, patience lasts for the next piece."""
    pulse = Pulse()
    for _ in range(2000):
        if interval * 2 <= STALL:  # pieces further apart than half the time may meet its end
            assert pulse.patience >= interval
        pulse.beat(interval, int(interval * SLOWEST * factor * 2) + 1)
