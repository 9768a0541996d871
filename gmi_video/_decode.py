"""The bytes of a body as JSON: equally strict with the standard library and with the extra `speed`.

UTF-8 with or without a byte order mark, no NaN, no infinity, no half of a surrogate pair: whatever passes can
be written again, to a log or to a disk.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from gmi_video.errors import MalformedResponse

_MARK = b"\xef\xbb\xbf"
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def _no_constant(word: str) -> float:
    message = f"{word} is not JSON"
    raise ValueError(message)


def _finite(digits: str) -> float:
    number = float(digits)
    if number - number != 0:
        message = "a number is too large"
        raise ValueError(message)
    return number


def standard(body: bytes) -> Any:
    """The JSON of a body by the standard library; raises `ValueError` or `RecursionError`."""
    text = body.decode()  # given bytes, json would guess at UTF-16 and let surrogates pass
    data = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    if _SURROGATE.search(text):
        json.dumps(data, ensure_ascii=False).encode()
    return data


def _fastest() -> Callable[[bytes], Any]:
    try:
        from orjson import loads  # noqa: PLC0415  # the extra `speed`, where it is there
    except ImportError:
        return standard
    fast: Callable[[bytes], Any] = loads  # where it is not installed, its type is not known either
    return fast


fastest = _fastest()


def decode(body: bytes, loads: Callable[[bytes], Any] = fastest) -> Any:
    """The JSON of a body; raises `MalformedResponse` for anything else, however deep or large its numbers."""
    try:
        return loads(body.removeprefix(_MARK))
    except (ValueError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else "not JSON"
    raise MalformedResponse(f"the answer is {what}", what=what, path="$")
