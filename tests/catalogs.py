"""A catalog whose models take seconds, and callers with little patience."""

from typing import Any

from scene import SECONDS

from gmi_video.sandbox import Script
from gmi_video.settings import Patience

ONCE = Patience(attempts=1)


def script(**parts: Any) -> Script:
    """A script with short lives."""
    return Script(models={"*": SECONDS}, **parts)
