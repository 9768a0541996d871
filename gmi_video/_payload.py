"""A payload as JSON can hold it, or a sentence about the place that it cannot."""

import sys
from collections.abc import Mapping
from typing import Any

from gmi_video._local import is_local
from gmi_video.errors import PayloadInvalid
from gmi_video.records import Media, Outcome, Snapshot, Video, first_media

_FARTHEST = sys.float_info.max  # what lies beyond it, no JSON reader makes a number of


def plain(value: Any, path: str = "payload", *, local: bool = False) -> Any:
    """A payload value as JSON can hold it; things that stand for a remote file become their link.

    With `local`, files of this machine stay as they are: their links are still to come. Raises `PayloadInvalid` that names the place of anything else; its traceback shows no part of the payload.
    """
    try:
        return _plain(value, path, local=local)
    except PayloadInvalid as error:
        sentence = str(error)
    del value
    raise PayloadInvalid(sentence)


def _plain(value: Any, path: str, *, local: bool) -> Any:
    if value is None or isinstance(value, str | bool) or (local and is_local(value)):
        return value
    if isinstance(value, int | float):
        if -_FARTHEST <= value <= _FARTHEST:
            return value
        what = "not a number that JSON knows"
    elif isinstance(value, Mapping):
        return {str(name): _plain(item, f"{path}.{name}", local=local) for name, item in value.items()}
    elif isinstance(value, list | tuple):
        return [_plain(item, f"{path}[{index}]", local=local) for index, item in enumerate(value)]
    elif (media := first_media(value)) is not None:
        return media.url
    elif isinstance(value, Outcome | Snapshot | Media | Video):
        what = "it names no file yet, so it stands for no link"
    elif is_local(value):
        what = "a file of this machine has no link yet; submit it with a session, which uploads it"
    else:
        what = f"a {type(value).__name__} cannot be sent; give text, a number, a list, an object or a link"
    raise PayloadInvalid(f"{path}: {what}; nothing was sent")
