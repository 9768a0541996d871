"""How long the service asks to wait, in all the ways that it may say so."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from searching import search

from gmi_video._refusal import retry_after

DATE = "Fri, 25 Jul 2025 18:35:14 GMT"


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        ({"rate_limit": {"retry_after_ms": 29970}}, {"retry-after": "7"}, 29.97),
        ({"rate_limit": {"retry_after_ms": "29970"}}, {}, 29.97),
        ({"rate_limit": {"retry_after_ms": 0}}, {"retry-after": "7"}, 0),
        ({"rate_limit": {"retry_after_ms": -5}}, {}, 0),
        ({"rate_limit": {"retry_after_ms": None}}, {"retry-after": "7"}, 7),
        ({"rate_limit": {"retry_after_ms": True}}, {"retry-after": "7"}, 7),
        ({"rate_limit": {"retry_after_ms": "soon"}}, {"retry-after": "7"}, 7),
        ({"rate_limit": {"retry_after_ms": float("inf")}}, {"retry-after": "7"}, 7),
        ({"rate_limit": {"retry_after_ms": float("nan")}}, {"retry-after": "7"}, 7),
        ({"rate_limit": {"retry_after_ms": 10**400}}, {"retry-after": "7"}, 7),
        ({"rate_limit": [1]}, {"retry-after": "7"}, 7),
        (None, {}, None),
        ([], {"retry-after": ""}, None),
        (None, {"retry-after": "12"}, 12),
        (None, {"retry-after": " 1.5 "}, 1.5),
        (None, {"retry-after": "0"}, 0),
        (None, {"retry-after": "-3"}, 0),
        (None, {"retry-after": "1000000000"}, 1e9),
        (None, {"retry-after": "30, 60"}, 30),
        (None, {"retry-after": "soon"}, None),
        (None, {"retry-after": "nan"}, None),
        (None, {"retry-after": "inf"}, None),
        (None, {"retry-after": "1e400"}, None),
        (None, {"retry-after": "9" * 5000}, None),
        (None, {"retry-after": "Fri, 25 Jul 2025 18:36:14 GMT", "date": DATE}, 60),
        (None, {"retry-after": "Fri, 25 Jul 2025 20:36:14 +0200", "date": DATE}, 60),
        (None, {"retry-after": "Fri, 25 Jul 2025 18:35:00 GMT", "date": DATE}, 0),
        (None, {"retry-after": "Fri, 25 Jul 2025 18:36:14 GMT"}, None),
        (None, {"retry-after": "Fri, 25 Jul 2025 18:36:14 GMT", "date": "today"}, None),
        (None, {"retry-after": "Fri, 25 Jul 2025 18:36:14 -0000", "date": DATE}, None),
        (None, {"retry-after": "Fri, 25 Jul 99999999999999999999 18:36:14 GMT", "date": DATE}, None),
    ],
)
def test_how_long_to_wait_is_read_from_body_then_header(
    body: Any, headers: dict[str, str], seconds: float | None
) -> None:
    """The body's milliseconds come first, the header second; dates are relative to the reply's own; junk is None."""
    assert seconds == retry_after(body, headers)


@search(50, of=100)
@given(st.text(max_size=40), st.text(max_size=40))
def test_any_header_is_a_wait_or_none(after: str, date: str) -> None:
    """No header makes the reader fail or gives a wait that is negative or endless."""
    found = retry_after(None, {"retry-after": after, "date": date})

    assert found is None or 0 <= found < float("inf")
