"""Whether a file that is to be sent ends too early, by what its own container says. Pure.

Half a picture costs a job: models take it, and fail minutes later. Nothing but that is asked here; what is odd in
other ways is the model's to judge.
"""

from collections.abc import Callable, Mapping

from gmi_video._file_type import JPEG, MP4, PNG, FileType
from gmi_video._mp4 import read_mp4
from gmi_video._stills import ended_jpeg, read_png
from gmi_video._torn import At, Cut, Torn

_READERS: Mapping[FileType, Callable[[At, int], object]] = {JPEG: ended_jpeg, PNG: read_png, MP4: read_mp4}


def missing(kind: FileType, at: At, size: int) -> str | None:
    """How a file of that type shows that its end is missing; None where it does not."""
    reader = _READERS.get(kind)
    try:
        if reader is not None:
            reader(at, size)
    except Cut as cut:
        return str(cut)
    except Torn:
        return None
    return None
