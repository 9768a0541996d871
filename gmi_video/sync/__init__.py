"""The same session for programs without an event loop: scripts, notebooks, threads.

`Session`, `Watch` and `Stream` have the names, arguments, records, events and errors of the async ones, and are nothing
but a blocking face over them: each session runs in one thread with a loop of its own.
"""

from gmi_video.sync.session import Session
from gmi_video.sync.stream import Stream
from gmi_video.sync.watch import Watch

__all__ = ["Session", "Stream", "Watch"]
