"""What is shown is one safe line; what is aligned is whole."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from gmi_video.cli.plain import Column, lines_of, printable, size


@given(st.text())
def test_shown_text_holds_no_control_signs(text: str) -> None:
    """No text from elsewhere can move the cursor, break the line or turn it round."""
    shown = printable(text)

    assert shown.replace("\u200d", "").isprintable()
    assert len(shown) <= 2000


def test_escapes_and_overrides_are_taken_out() -> None:
    """An escape sequence loses its escape, a right-to-left override is gone, an emoji family stays."""
    assert printable("a\x1b[31mb\u202ec\n\td") == "a [31mb c d"
    assert printable("👩\u200d👧") == "👩\u200d👧"
    assert printable("x" * 50, 10) == "x" * 9 + "…"


def test_columns_are_aligned_by_what_is_seen() -> None:
    """Wide signs take two places, numbers stand to the right, and no line ends in blanks."""
    lines = lines_of(
        (Column("name"), Column("took", right=True), Column("")), [("狐", "9 s", ""), ("fox", "10 s", "x")]
    )

    assert lines == ["NAME  TOOK", "狐     9 s", "fox   10 s  x"]
    assert cell_len(lines[1]) == 10


def test_sizes_are_told_as_people_read_them() -> None:
    """Bytes are whole; larger units have one decimal."""
    assert [size(999), size(74_714), size(2_400_000), size(3 * 10**9)] == [
        "999 bytes",
        "74.7 kB",
        "2.4 MB",
        "3.0 GB",
    ]
