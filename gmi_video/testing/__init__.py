"""For the tests of programs that use `gmi_video`: time that jumps."""

from gmi_video.testing._loop import VirtualLoop, run

__all__ = ["VirtualLoop", "run"]
