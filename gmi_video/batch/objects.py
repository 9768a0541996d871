"""One line of JSON as parameters, and a cell of text as JSON where it is JSON. Pure."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

Key = str | int | float

_RESERVED = ("model", "key")
_DIGITS = 4300
"""Digits beyond which Python reads no number (`sys.int_info.default_max_str_digits`)."""


class Stated(NamedTuple):
    """What a line of JSON asks for."""

    model: str | None
    key: Key | None
    values: Mapping[str, Any]


def stated(text: str) -> Stated:
    """What a line says; raises `ValueError` whose words say what is wrong with it and what would be right."""
    data = _object(text)
    model, key = (data.pop(name, None) for name in _RESERVED)
    if model is not None and not isinstance(model, str):
        message = f"`model` is {_shown(model)}; the id of a model is wanted, a text"
        raise ValueError(message)
    if isinstance(key, bool) or not isinstance(key, str | int | float | None) or key == "":
        message = f"`key` is {_shown(key)}; your name for the line is wanted, a text or a number"
        raise ValueError(message)
    inner = data.get("payload")
    if not isinstance(inner, dict):
        return Stated(model, key, data)
    beside = next((name for name in data if name != "payload"), None)
    if beside is not None:
        message = f"{beside!r} stands beside `payload`; parameters belong inside it, or all of them beside"
        raise ValueError(message)
    return Stated(model, key, inner)


def _object(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant, parse_int=_whole)
    except json.JSONDecodeError as error:
        if text.lstrip().startswith("[") or text.strip() == "{":
            message = "a JSON object a line is wanted; `jq -c '.[]' FILE` writes a list so"
        else:
            message = f"not JSON at column {error.colno}: {error.msg.lower()}"
    except RecursionError:
        message = "nested too deeply"
    else:
        if isinstance(data, dict):
            _encodable(text, data)
            return data
        message = f'{_shown(data)} is no JSON object of parameters, e.g. {{"prompt": "a paper boat"}}'
    raise ValueError(message)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        message = f"{twice!r} is given twice; one of the two is wanted"
        raise ValueError(message)
    return data


def _no_constant(name: str) -> Any:
    message = f"{name} is no JSON; a number is wanted, or null"
    raise ValueError(message)


def _whole(text: str) -> int:
    if len(text) > _DIGITS:
        message = f"a number of {len(text):,} digits; no parameter is so large"
        raise ValueError(message)
    return int(text)


def _encodable(text: str, data: Mapping[str, Any]) -> None:
    """Raises `ValueError` for half of a surrogate pair, which JSON can spell and UTF-8 cannot."""
    if "\\ud" in text or "\\uD" in text:
        try:
            json.dumps(data, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            message = "a \\ud… escape stands alone; such a sign needs both of its halves"
            raise ValueError(message) from None


def guessed(text: str) -> Any:
    """The value that a text is as JSON (`"5"` in quotes is the text 5), else the text itself."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:39] + "…"
