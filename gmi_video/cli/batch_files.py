"""Files of this machine that lines of a batch name by `@`, where their model wants a file."""

from collections.abc import Mapping
from typing import Any

from gmi_video.catalog import Model
from gmi_video.cli.plain import printable
from gmi_video.cli.within import LINKS, deeper, files_within
from gmi_video.errors import ConfigurationError
from gmi_video.inputs import is_media

_FILES = frozenset({"image", "video", "audio", "file", "url"})
"""Types of parameters that are a file."""


def with_files(payload: Mapping[str, Any], model: Model | None) -> dict[str, Any]:
    """A payload with the files that are named by `@` or `data:@` where its model wants a file, as cells name them.

    Of a model that is not known the names of its parameters say what is wanted, and else the file itself.
    Raises `ConfigurationError` for a file that is named without the sign.
    """
    if model is None:
        return {name: files_within(value, deeper(name, "unsaid")) for name, value in payload.items()}
    linked = {problem.parameter for problem in model.check(payload) if problem.kind == "link"}
    made = {}
    for name, value in payload.items():
        parameter = model.parameter(name)
        a_file = name in linked or (parameter is not None and parameter.type in _FILES)
        made[name] = files_within(value, "file" if a_file or name.lower().endswith(LINKS) else "words")
        if name in linked:
            _refuse_bare(name, made[name])
    return made


def _refuse_bare(name: str, value: Any) -> None:
    """Raises `ConfigurationError` for the path of a file that would be sent as a word."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str) and is_media(item):
            shown = printable(item, 60)
            message = f"{name} is {shown!r}, a file of this machine; write @{shown} to upload it"
            raise ConfigurationError(message)
