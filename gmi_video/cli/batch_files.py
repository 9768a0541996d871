"""Files of this machine that lines of a batch name by `@`, where their model wants a file.

What a prompt says is left alone: it may well begin with @. Where a file is wanted nothing but a file can be meant, so
whatever stands behind the @ is taken for one, and is refused by `examined` where it cannot be sent.
"""

from collections.abc import Mapping
from mimetypes import guess_type
from pathlib import Path
from typing import Any, Literal

from gmi_video.catalog import Model
from gmi_video.cli.plain import printable
from gmi_video.errors import ConfigurationError
from gmi_video.inputs import Inline, is_media

Wanted = Literal["file", "words", "unsaid"]
"""What a value is to be; of what stands deeper within lists and objects the schema says nothing."""

_FILES = frozenset({"image", "video", "audio", "file", "url"})
"""Types of parameters that are a file."""
_LINKS = ("url", "urls")
"""How parameters are called that the schema has as plain texts, and that hold links."""
_WORDS = ("prompt", "text")
_MEDIA = frozenset({"image", "video", "audio"})


def with_files(payload: Mapping[str, Any], model: Model | None) -> dict[str, Any]:
    """A payload with the files that are named by `@` or `data:@` where its model wants a file, as cells name them.

    Of a model that is not known the names of its parameters say what is wanted, and else the file itself.
    Raises `ConfigurationError` for a file that is named without the sign.
    """
    if model is None:
        return {name: _meant(value, _deeper(name, "unsaid")) for name, value in payload.items()}
    linked = {problem.parameter for problem in model.check(payload) if problem.kind == "link"}
    made = {}
    for name, value in payload.items():
        parameter = model.parameter(name)
        a_file = name in linked or (parameter is not None and parameter.type in _FILES)
        made[name] = _meant(value, "file" if a_file or name.lower().endswith(_LINKS) else "words")
        if name in linked:
            _refuse_bare(name, made[name])
    return made


def _meant(value: Any, wanted: Wanted) -> Any:
    if isinstance(value, Mapping):
        return {name: _meant(item, _deeper(name, wanted)) for name, item in value.items()}
    if isinstance(value, list):
        return [_meant(item, "file" if wanted == "file" else "unsaid") for item in value]
    if not isinstance(value, str) or wanted == "words":
        return value
    inline, sign, path = value.partition("@")
    if not sign or inline not in {"", "data:"} or not (wanted == "file" or _looks(path)):
        return value
    return Inline(Path(path)) if inline else Path(path)


def _deeper(name: str, wanted: Wanted) -> Wanted:
    """What is wanted under a name within an object."""
    name = name.lower()
    if name.endswith(_WORDS):
        return "words"
    return "file" if wanted == "file" or name.endswith(_LINKS) else "unsaid"


def _looks(path: str) -> bool:
    """Whether a file is meant, by its bytes, or by its name where it is not there or cannot be sent."""
    return (guess_type(path)[0] or "").partition("/")[0] in _MEDIA or is_media(path)


def _refuse_bare(name: str, value: Any) -> None:
    """Raises `ConfigurationError` for the path of a file that would be sent as a word."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str) and is_media(item):
            shown = printable(item, 60)
            message = f"{name} is {shown!r}, a file of this machine; write @{shown} to upload it"
            raise ConfigurationError(message)
