"""The table that people read: one row a figure, columns as wide as they must be."""

from collections.abc import Iterable, Sequence

from benchmarks.figures import Figure

_TITLES = ("line", "what", "against", "figure", "target", "")


def shown(value: float) -> str:
    """A number with three significant digits, and no exponent."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3g}"


def _measured(value: float, unit: str) -> str:
    """A value with its unit; what is counted out of so many has no digits behind the point."""
    return f"{value:,.0f} {unit}" if unit.startswith("of ") else f"{shown(value)} {unit}"


def row(number: int, figure: Figure) -> tuple[str, ...]:
    """The cells of a figure."""
    sign = "≥" if figure.more_is_better else "≤"
    return (
        str(number),
        figure.what,
        figure.against,
        "-" if figure.value is None else _measured(figure.value, figure.unit),
        "" if figure.target is None else f"{sign} {_measured(figure.target, figure.unit)}",
        figure.verdict,
    )


def table(rows: Iterable[Sequence[str]]) -> str:
    """The rows under their titles, in columns."""
    lines = [_TITLES, *rows]
    widths = [max(len(cells[column]) for cells in lines) for column in range(len(_TITLES))]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        for cells in lines
    )
