"""The service's own words: where they are found, and what is left out when they are shown."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmi_video._words import excerpt, one_line, reason_in, words_in

CANARY = "canary7f3a"


@pytest.mark.parametrize(
    "text",
    [
        f"GET https://a.example.com/x.mp4?X-Goog-Signature={CANARY}&X-Goog-Expires=900 failed",
        f"GET HTTPS://a.example.com/x.mp4?sig={CANARY}",
        f'{{"url": "https:\\/\\/a.example.com\\/x.mp4?sig={CANARY}\\u0026x=1"}}',
        f"https://a.example.com/x.mp4#token={CANARY}",
        f"https://user:{CANARY}@a.example.com/x.mp4",
        f"https://a.example.com/x.mp4?mail=a@{CANARY}",
        f"https://a.example.com/{'x' * 500}?sig={CANARY}",
        f"<a href='https://a.example.com/x?y={CANARY}'>",
        f"signed with X-Goog-Credential={CANARY}&X-Goog-Date=1",
        f"x-amz-security-token%3D{CANARY}",
        f"GoogleAccessId={CANARY}&Signature={CANARY}",
        f"Authorization: Bearer {CANARY}",
        f"authorization: basic {CANARY}",
        f"key eyJhbGciOiJIUzI1NiJ9.{CANARY}.{CANARY} is expired",
    ],
)
def test_no_secret_is_shown(text: str) -> None:
    """Queries, fragments and credentials of links, presigned parts, headers and tokens are left out."""
    assert CANARY not in one_line(text)
    assert CANARY not in excerpt(text.encode(), 2000)


def test_a_link_stays_recognisable() -> None:
    """Host and path of a link, and the words around it, are shown."""
    assert (
        one_line("GET https://u@a.example.com:8443/x.mp4?s=1 failed")
        == "GET https://a.example.com:8443/x.mp4 failed"
    )


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"", ""),
        (b" a\r\n\tb ", "a b"),
        (b"a\x00\x1b[31mb\x7f", "a [31mb"),
        ("a\u202eb\u2028c\u200bd".encode(), "a b c d"),
        (b"\xef\xbb\xbfa", "a"),
        (b"\xff\xfea", "��a"),
        ("ä€😀".encode(), "ä€😀"),
        (b"x" * 201, "x" * 199 + "…"),
        (b"x" * 200, "x" * 200),
        (b"\x00" * 5000 + b"a", ""),
    ],
)
def test_an_excerpt_is_one_short_printable_line(body: bytes, shown: str) -> None:
    """Control signs, direction marks and line breaks become blanks; the end is cut with an ellipsis."""
    assert shown == excerpt(body)


@given(
    st.binary(max_size=3000) | st.text(max_size=1000).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_any_excerpt_is_bounded_and_printable(body: bytes) -> None:
    """Whatever a body holds, its excerpt is at most 200 printable signs."""
    shown = excerpt(body)

    assert len(shown) <= 200
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("value", "words", "code"),
    [
        (None, "", None),
        (5, "", None),
        ("", "", None),
        (" boom \n", "boom", None),
        ({"message": "boom", "code": 400, "status": "INVALID_INPUT"}, "boom", "400"),
        ({"message": "boom", "status": "INVALID_INPUT"}, "boom", "INVALID_INPUT"),
        ({"message": "boom", "code": None, "type": "invalid_request_error"}, "boom", "invalid_request_error"),
        ({"error_message": "boom", "error_code": 7}, "boom", "7"),
        ({"error": {"message": "boom", "code": "inner"}, "code": "outer"}, "boom", "inner"),
        ({"error": {"message": "boom"}, "code": "outer"}, "boom", "outer"),
        ({"error": "", "reason": "boom"}, "boom", None),
        ([{"code": 5}, {"message": "boom"}], "boom", None),
        ([], "", None),
        ({"code": "alone"}, "", "alone"),
        ({"code": {"deep": 1}, "message": ["boom"]}, "boom", None),
        ({"error": {"error": {"error": {"error": {"error": "too deep"}}}}}, "", None),
    ],
)
def test_words_stand_in_many_places(value: object, words: str, code: str | None) -> None:
    """A reason is text, an object or a list of them; the code nearest to it belongs to it."""
    assert (words, code) == words_in(value)


def test_endless_nesting_ends_the_search() -> None:
    """An object nested a hundred thousand times is given up on, without a `RecursionError`."""
    value: Any = "boom"
    for _ in range(100_000):
        value = {"error": value}

    assert words_in(value) == ("", None)


@pytest.mark.parametrize(
    ("places", "found"),
    [
        (("boom", {"error": "later"}), ("boom", None)),
        (({"status": "failed", "error": ""}, {"status": "failed", "error": "boom"}), ("boom", None)),
        (({"error": "boom", "status": "failed"},), ("boom", None)),
        (({"error": "boom"}, {"error_code": 9}), ("boom", "9")),
        (({}, {}), ("", None)),
        (
            (None, {"message": f"see https://a.example.com/x?sig={CANARY}"}),
            ("see https://a.example.com/x", None),
        ),
        (({"error": "x" * 3000},), ("x" * 1999 + "…", None)),
    ],
)
def test_the_first_place_with_a_reason_wins(
    places: tuple[object, ...], found: tuple[str, str | None]
) -> None:
    """Places are asked in their order; a status word beside a reason is not its code; the words are safe to show."""
    assert found == reason_in(*places)
