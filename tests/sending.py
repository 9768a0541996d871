"""Scripts of a storage host that uploads meet, and what they send."""

from typing import Any

from cargo import large

from gmi_video import Patience
from gmi_video._contents import AHEAD, BLOCK
from gmi_video.sandbox import Behaviour, Script
from gmi_video.sandbox.faults import Fault

AGAIN = Patience(first=1, jitter=0)
TWO_BLOCKS = large(BLOCK + BLOCK // 4)
"""One block of a file and a part of the next."""
MORE_BLOCKS = large((AHEAD + 3) * BLOCK + BLOCK // 4)
"""More than is read before the first of it is sent."""


def put(*faults: Fault | None, **more: Any) -> Script:
    """A script whose first PUTs meet these faults."""
    return Script(puts=[None if fault is None else Behaviour(fault=fault) for fault in faults], **more)
