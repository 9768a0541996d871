"""Values typed on a command line, turned into what the model's schema asks for. Pure but for reading `@file`.

The service compares types strictly: pixverse wants its seconds as the text "5", wan as the number 5. What the
schema plainly excludes is refused here, before anything is sent; what it does not know is a warning, because
the service ignores a misspelt name without a word, and charges for the video all the same.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from attrs import frozen

from gmi_video.catalog import Parameter
from gmi_video.cli.plain import printable
from gmi_video.cli.within import deeper, files_within, looks_like_media, meant
from gmi_video.errors import ConfigurationError
from gmi_video.inputs import Inline, is_media

LONGEST = 64 * 1024 * 1024
"""Signs that a text may have: pictures may stand in one as base64; what goes on for ever is none."""

_SWITCH = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
_TEXTS = frozenset({"string", "text", "enum", ""})
_LISTS = frozenset({"array", "list"})
_SINGLE = _TEXTS | {"integer", "int", "float", "number", "numeric", "double", "boolean", "bool"}


@frozen(kw_only=True)
class Filled:
    """A payload ready to be sent, and what the person who typed it ought to know first."""

    payload: Mapping[str, Any]
    warnings: tuple[str, ...] = ()


Told = str | Path | Inline
"""What stands behind a key: text, or a picture, a clip or a sound."""


def pairs_of(given: Sequence[str]) -> dict[str, list[Told]]:
    """`key=value` texts by key, in order; `key=@path` is a file: the text of it, or itself where it is media.

    `key=data:@path` is a file that goes into the payload itself, `key=@@…` a text that begins with @. Raises
    `ConfigurationError`.
    """
    pairs: dict[str, list[Told]] = {}
    for item in given:
        name, sign, text = item.partition("=")
        name = name.strip()
        if not sign or not name:
            message = f"-p {printable(item, 60)!r} is not key=value, e.g. -p prompt='a paper boat'"
            raise ConfigurationError(message)
        pairs.setdefault(name, []).append(told(name, text))
    return pairs


def told(name: str, text: str, option: str = "-p ") -> Told:
    """What a text says: itself, or after `@` a picture, clip or sound, or the text of another file.

    Raises `ConfigurationError` led by `option`.
    """
    if text.startswith("@@"):
        return text[1:]
    if text.startswith("data:@"):
        return Inline(text.removeprefix("data:@"))
    if not text.startswith("@"):
        return text
    if is_media(text[1:]):
        if "prompt" in name.lower():
            message = f"{option}{name}={printable(text, 60)}: a {name} is text, and this file is a picture, a clip or a sound"
            raise ConfigurationError(message)
        return Path(text[1:])
    if deeper(name, "unsaid") != "words" and looks_like_media(text[1:]):
        return Path(text[1:])  # to be told what is wrong with it, and not to be sent as its text
    shown = printable(text, 60)
    return read_text(
        text[1:], f"{option}{name}={shown}", f"; write {name}=@{shown} for a text that begins with @"
    )


def read_text(path: str, option: str, otherwise: str = "") -> str:
    """The text of a file without its last line break; raises `ConfigurationError` that names `option`."""
    try:
        with Path(path).open(encoding="utf-8") as file:
            text = file.read(LONGEST + 1)
        if len(text) <= LONGEST:
            return text.removesuffix("\n").removesuffix("\r")
        message = f"{option}: {path!r} is longer than {LONGEST >> 20} MiB; is it a text?"
    except UnicodeDecodeError:
        message = f"{option}: {path!r} is neither UTF-8 text nor a picture, a clip or a sound"
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no path"
        message = f"{option}: {path!r} cannot be read: {why}{otherwise}"
    raise ConfigurationError(message)


def base_of(text: str, option: str) -> dict[str, Any]:
    """The payload that a JSON file holds; raises `ConfigurationError`."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        message = f'{option} is not a JSON object of parameters, e.g. {{"prompt": "a paper boat"}}'
        raise ConfigurationError(message)
    return data


def dollars_of(text: str | None, option: str) -> Decimal | None:
    """The amount that a text is, None where there is none; raises `ConfigurationError`."""
    try:
        amount = Decimal(text.removeprefix("$")) if text else None
    except InvalidOperation:
        amount = Decimal(-1)
    if amount is None or (amount.is_finite() and amount >= 0):
        return amount
    message = f"{option} {printable(text, 40)!r} is not an amount of dollars, e.g. 0.10"
    raise ConfigurationError(message)


def guessed(text: str) -> Any:
    """A value where no schema helps: JSON where it is JSON (`"5"` in quotes is the text 5), else the text."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def filled(
    model: str,
    base: Mapping[str, Any],
    pairs: Mapping[str, Sequence[Told]],
    parameters: Sequence[Parameter],
) -> Filled:
    """`base` with `pairs` over it, typed by `parameters`; with none of them known, guessed.

    Raises `ConfigurationError` where a value cannot be what the schema asks for.
    """
    known = {parameter.name: parameter for parameter in parameters}
    typed = {
        name: meant(texts, typed_by(model, known[name], texts) if name in known else _untyped(texts))
        for name, texts in pairs.items()
    }
    payload = {**files_within(base), **typed}
    warnings = []
    lacking = [parameter for parameter in parameters if parameter.required and parameter.name not in payload]
    if lacking:
        names = " ".join(f"-p {item.name}={_example(item)}" for item in lacking)
        warnings.append(f"{model} requires more than was given: add {names}")
    return Filled(payload=payload, warnings=tuple(warnings))


def _example(parameter: Parameter) -> str:
    value = parameter.default if parameter.default is not None else next(iter(parameter.choices), None)
    return printable(spelt(value), 40) if value not in (None, "") else "…"


def _untyped(texts: Sequence[Told]) -> Any:
    values = [guessed(text) if isinstance(text, str) else text for text in texts]
    return values[0] if len(values) == 1 else values


def typed_by(model: str, parameter: Parameter, given: Sequence[Told], option: str = "-p ") -> Any:
    """What is given is by the model's schema; raises `ConfigurationError` that begins with `option`."""
    try:
        return _typed(model, parameter, given)
    except ConfigurationError as error:
        message = f"{option}{error}"
    raise ConfigurationError(message)


def _typed(model: str, parameter: Parameter, given: Sequence[Told]) -> Any:
    kind = parameter.type
    texts = [text for text in given if isinstance(text, str)]
    if len(texts) < len(given):  # the schema's own check tells where a file has no place
        return given[0] if len(given) == 1 and kind not in _LISTS else list(given)
    if kind in _LISTS:
        values = _listed(texts)
        if values is None:
            raise _refused(model, parameter, texts[0], "it is not a JSON list, such as [1, 2]")
        return values
    if len(texts) > 1:
        if kind in _SINGLE:
            why = f"it was given {len(texts)} times and takes one value"
            raise _refused(model, parameter, texts[-1], why)
        return list(texts)
    text = texts[0]
    if parameter.choices:
        return _option(model, parameter, text)
    reader: Callable[[str], Any] = _READERS.get(kind, _as_told if kind in _MEDIA | _TEXTS else guessed)
    try:
        value = reader(text)
    except ValueError:
        raise _refused(model, parameter, text, _WANTED[kind]) from None
    if isinstance(value, int | float) and not _within(parameter, value):
        raise _refused(model, parameter, text, f"{allowed(parameter)} is wanted")
    return value


def _listed(texts: Sequence[str]) -> list[Any] | None:
    if len(texts) > 1 or not texts[0].lstrip().startswith("["):
        return [guessed(text) if text.lstrip().startswith(("{", "[")) else text for text in texts]
    value = guessed(texts[0])
    return value if isinstance(value, list) else None


def _option(model: str, parameter: Parameter, text: str) -> Any:
    options = {spelt(option): option for option in parameter.choices}
    if text in options:
        return options[text]
    folded = {name.casefold(): name for name in options}
    near = get_close_matches(text.casefold(), folded, n=1, cutoff=0.5)
    hint = f"; did you mean {folded[near[0]]}?" if near else ""
    raise _refused(model, parameter, text, f"one of {allowed(parameter)} is wanted{hint}")


def _as_told(text: str) -> str:
    return text


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        number = _number(text)
        if number != int(number):
            raise
        return int(number)


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _switch(text: str) -> bool:
    try:
        return _SWITCH[text.lower()]
    except KeyError:
        raise ValueError(text) from None


def _object(text: str) -> Any:
    return json.loads(text, parse_constant=_no_constant)


_MEDIA = frozenset({"image", "video", "audio", "file", "url"})
_READERS: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("integer", "int"), _integer),
    **dict.fromkeys(("float", "number", "numeric", "double"), _number),
    **dict.fromkeys(("boolean", "bool"), _switch),
    **dict.fromkeys(("object", "json"), _object),
}
_WANTED = {
    **dict.fromkeys(("integer", "int"), "a whole number is wanted"),
    **dict.fromkeys(("float", "number", "numeric", "double"), "a number is wanted"),
    **dict.fromkeys(("boolean", "bool"), "true or false is wanted"),
    **dict.fromkeys(("object", "json"), "JSON is wanted"),
}


def _within(parameter: Parameter, value: float) -> bool:
    low, high = parameter.bounds
    return (low is None or value >= low) and (high is None or value <= high)


def allowed(parameter: Parameter) -> str:
    """What may stand there, in words; empty where the schema sets no bounds."""
    if parameter.choices:
        return ", ".join(spelt(option) for option in parameter.choices)
    low, high = parameter.bounds
    if low is not None and high is not None:
        return f"{low} to {high}"
    if low is not None:
        return f"at least {low}"
    return "" if high is None else f"at most {high}"


def spelt(value: object) -> str:
    """A value as it is typed on the command line: text bare, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _refused(model: str, parameter: Parameter, text: str, why: str) -> ConfigurationError:
    shown = printable(text, 60)
    return ConfigurationError(f"{parameter.name}={shown} cannot be sent to {model}: {printable(why)}")
