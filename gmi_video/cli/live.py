"""A view that draws itself anew on the terminal, and leaves its last picture there."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from gmi_video.cli.desk import Desk

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live


def begun(desk: Desk, draw: Callable[[int, int], "RenderableType"], per_second: float) -> "Live":
    """A view that is on already: `draw` gets the width and the height that there are. To be stopped at the end."""
    from rich.live import Live  # noqa: PLC0415  # not needed for plain lines

    console = desk.console
    live = Live(
        console=console,
        get_renderable=lambda: draw(console.width, console.height),
        refresh_per_second=per_second,
        vertical_overflow="crop",
    )
    live.start(refresh=True)
    return live
