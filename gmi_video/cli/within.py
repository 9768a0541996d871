"""Files named inside JSON: `["@a.png", "@b.png"]` is a list of two pictures, as `-p key=@a.png` is one.

What a prompt says is left alone: it may well begin with @. Where a file is wanted nothing but a file can be meant, so
whatever stands behind the @ is taken for one, and is refused by `examined` where it cannot be sent.
"""

from collections.abc import Mapping, Sequence
from mimetypes import guess_type
from pathlib import Path
from typing import Any, Literal

from gmi_video.inputs import Inline, is_media

Wanted = Literal["file", "words", "unsaid"]
"""What a value is to be; of what stands deeper within lists and objects the schema says nothing."""

LINKS = ("url", "urls")
"""How parameters are called that the schema has as plain texts, and that hold links."""
_WORDS = ("prompt", "text")
_MEDIA = frozenset({"image", "video", "audio"})


def files_within(value: Any, wanted: Wanted = "unsaid") -> Any:
    """A value of JSON in which each text `@path` or `data:@path` that means a file stands for that file."""
    if isinstance(value, Mapping):
        return {name: files_within(item, deeper(name, wanted)) for name, item in value.items()}
    if isinstance(value, list):
        return [files_within(item, "file" if wanted == "file" else "unsaid") for item in value]
    if not isinstance(value, str) or wanted == "words":
        return value
    inline, sign, path = value.partition("@")
    if not sign or inline not in {"", "data:"} or not (wanted == "file" or looks_like_media(path)):
        return value
    return Inline(Path(path)) if inline else Path(path)


def deeper(name: str, wanted: Wanted) -> Wanted:
    """What is wanted under a name within an object."""
    name = name.lower()
    if name.endswith(_WORDS):
        return "words"
    return "file" if wanted == "file" or name.endswith(LINKS) else "unsaid"


def looks_like_media(path: str) -> bool:
    """Whether a file is meant, by its bytes, or by its name where it is not there or cannot be sent."""
    return (guess_type(path)[0] or "").partition("/")[0] in _MEDIA or is_media(path)


def meant(given: Sequence[object], value: Any) -> Any:
    """What was typed for one key: where that was JSON, its files as well. Other texts have said theirs before."""
    text = given[0] if len(given) == 1 else None
    return files_within(value) if isinstance(text, str) and text.lstrip().startswith(("[", "{")) else value
