"""The sentences about a file that a model does not take."""

import pytest

from gmi_video._measures import _apart


@pytest.mark.parametrize(
    ("value", "limits", "text"),
    [
        (31.3, (3, 30), "31.3"),
        (30.04, (3, 30), "30.04"),
        (2.96, (3, 30), "2.96"),
        (2.9999, (3, 30), "2.9999"),
        (10.000001, (10,), "10.000001"),
        (1234.5678, (10,), "1,234.6"),
    ],
)
def test_no_number_looks_like_the_limit_that_it_breaks(
    value: float, limits: tuple[float, ...], text: str
) -> None:
    """One decimal, and as many more as tell it from what is taken."""
    assert _apart(value, *limits) == text
