"""The plots of a report, as SVG that stands inside a page: no script, no font and nothing else from elsewhere.

Needs pygal (the extra `report`): pure Python of 1.3 MB, where matplotlib brings a hundred.
"""

import re
import sys
from collections.abc import Sequence

_STRANGERS = frozenset(map(id, sys.meta_path))

import pygal  # noqa: E402  # what it does to the interpreter is undone below
from pygal.style import Style  # noqa: E402

from gmi_video.batch.figures import Spread  # noqa: E402

sys.meta_path[:] = [
    finder for finder in sys.meta_path if id(finder) in _STRANGERS or type(finder).__module__ != "pygal"
]
# The finder that pygal adds is for its plug-ins, of which none is used here; Python 3.11 warns of it at every
# import that fails. Where the program had loaded pygal itself, the finder is the program's and stays.

_STYLE = Style(
    background="transparent",
    plot_background="transparent",
    foreground="currentColor",
    foreground_strong="currentColor",
    foreground_subtle="currentColor",
    guide_stroke_color="#8886",
    major_guide_stroke_color="#888a",
    opacity=".55",
    opacity_hover=".8",
    stroke_width=2,
    label_font_size=13,
    major_label_font_size=13,
    title_font_size=15,
    font_family="system-ui, sans-serif",
    colors=("#3d7dd8", "#d8663d"),
)
_SCRIPT = re.compile(r"<script\b.*?</script>|<!--.*?-->", re.DOTALL)
_SIGNS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot hold."""
_BOX = (5, 25, 25, 50, 75, 75, 95)
"""The percentiles from which pygal, which takes the middle of each half, draws its quartiles at 25 and 75."""
_SCALES = ((3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))
_LEAST = 3.0
"""Units that an axis shows at least, else it is told in the next smaller one."""
_WIDEST = 40
"""Models in one plot; the page has a table of all."""


def durations(spreads: Sequence[Spread]) -> str:
    """A box for each model: half of its lines within the box, the whiskers at the 5th and 95th percentile."""
    shown = spreads[:_WIDEST]
    chart = pygal.Box(
        **_common(
            "durations", height=max(320, 220 + 8 * max((len(item.model) for item in shown), default=0))
        ),
        box_mode="extremes",
        x_label_rotation=30 if len(shown) > 4 else 0,
        y_title="seconds",
        range=(0, max((item.late for item in shown), default=1.0) * 1.05 or 1.0),
    )
    chart.x_labels = [_text(item.model, 32) for item in shown]
    for item in shown:
        chart.add(_text(item.model, 60), [item.whole[place] for place in _BOX])
    return _drawn(chart)


def spending(points: Sequence[tuple[float, float]], budget: float | None, until: float | None = None) -> str:
    """Dollars spent from the first submission `until` the end of the batch, in steps, under the line of the budget."""
    begun = points[0][0]
    took = max(until or begun, points[-1][0], begun + 1.0) - begun
    unit, word = next(scale for scale in _SCALES if took >= _LEAST * scale[0] or scale[0] == 1.0)
    line, before = [], 0.0
    for moment, dollars in [*points, (begun + took, points[-1][1])]:
        at = (moment - begun) / unit
        line += [(at, before), (at, dollars)]
        before = dollars
    chart = pygal.XY(
        **_common("spending", height=320),
        fill=True,
        show_dots=len(points) < 2,
        x_title=f"{word} since the first submission",
        y_title="US dollars",
        include_x_axis=True,
    )
    chart.add("spent", line)
    if budget is not None:
        chart.add("budget", [(0.0, budget), (took / unit, budget)], fill=False)
    return _drawn(chart)


def _common(name: str, height: int) -> dict[str, object]:
    return {
        "style": _STYLE,
        "js": (),
        "show_legend": False,
        "width": 960,
        "height": height,
        "margin": 12,
        "classes": ("pygal-chart", name),
        "disable_xml_declaration": True,
        "pretty_print": False,
        "truncate_label": -1,
        "value_formatter": _number,
    }


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.2g}"


def _text(words: str, limit: int) -> str:
    words = _SIGNS.sub(" ", words)
    return words if len(words) <= limit else words[: limit - 1] + "…"


def _drawn(chart: pygal.graph.graph.Graph) -> str:
    chart.uuid = chart.config.classes[-1]  # pygal's own is random, and equal reports should be equal files
    return _SCRIPT.sub("", chart.render(is_unicode=True))
