"""`python -m benchmarks.chart`: draws `fleet.svg` from the points that line 5 wrote; needs the group `chart`."""

import json
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt  # after the backend was chosen
from matplotlib import ticker  # as above

_HOME = Path(__file__).resolve().parent
_OURS = {
    "gmi_video, looks alone": ("#1b7f5c", "o", "-"),
    "gmi_video, pages of 100": ("#2458a8", "s", "-"),
    "gmi_video, pages of 1000": ("#6b2fb3", "D", "-"),
}
_SHOWN = 0.02
"""Seconds at which a delay of none is drawn: a logarithmic axis has no zero."""


def draw(points: list[dict[str, float | str]], target: Path) -> None:
    """Calls per request against mean delay, both logarithmic: the nearer to the lower left, the better."""
    plt.rcParams.update(
        {"svg.fonttype": "none", "svg.hashsalt": "fleet", "font.family": "sans-serif", "font.size": 10}
    )
    figure, axes = plt.subplots(figsize=(7.6, 4.6), layout="constrained")
    for name, (colour, marker, line) in _OURS.items():
        own = sorted((float(p["delay"]), float(p["calls"])) for p in points if p["name"] == name)
        if own:
            axes.plot(
                [late for late, _ in own],
                [made for _, made in own],
                line,
                color=colour,
                marker=marker,
                markersize=5,
                label=name.replace("looks alone", "looks alone, known model"),
            )
    for point in points:
        name, delay, calls = str(point["name"]), float(point["delay"]), float(point["calls"])
        if name in _OURS:
            continue
        best = name == "oracle"
        x = max(delay, _SHOWN)
        axes.plot(
            [x],
            [calls],
            "*" if best else "x",
            color="#c07800" if best else "#666666",
            markersize=10 if best else 7,
        )
        axes.annotate(
            "oracle (0 s)" if best else name,
            (x, calls),
            xytext=(9, -4) if name.startswith("runway") else (7, 4),
            textcoords="offset points",
            color="#444444",
            fontsize=9,
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(_SHOWN * 0.8, 15)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("mean seconds until an end is seen")
    axes.set_ylabel("calls per finished request")
    axes.set_title("1,000 requests, ten a second, lognormal lives around 90 s", fontsize=11)
    axes.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)
    axes.legend(loc="upper right", frameon=False, fontsize=9)
    figure.savefig(target, metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    """The command."""
    draw(json.loads((_HOME / "fleet.json").read_text()), _HOME / "fleet.svg")


if __name__ == "__main__":
    main()
