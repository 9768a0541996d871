"""Files named inside JSON: `["@a.png", "@b.png"]` is a list of two pictures, as `-p key=@a.png` is one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gmi_video.inputs import Inline, is_media


def files_within(value: Any) -> Any:
    """A value of JSON in which each text `@path` or `data:@path` that names media stands for that file.

    Any other text stays as it is, for a prompt may well begin with @.
    """
    if isinstance(value, Mapping):
        return {name: files_within(item) for name, item in value.items()}
    if isinstance(value, list):
        return [files_within(item) for item in value]
    if not isinstance(value, str):
        return value
    inline, sign, path = value.partition("@")
    if not sign or inline not in {"", "data:"} or not is_media(path):
        return value
    return Inline(Path(path)) if inline else Path(path)


def meant(given: Sequence[object], value: Any) -> Any:
    """What was typed for one key: where that was JSON, its files as well. Other texts have said theirs before."""
    text = given[0] if len(given) == 1 else None
    return files_within(value) if isinstance(text, str) and text.lstrip().startswith(("[", "{")) else value
