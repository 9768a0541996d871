"""What a payload costs by the list price of its model: exact, or None where the catalog leaves it open."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from gmi_video._suggest import ROLES, folded
from gmi_video._tariff import Line, lines_of, unit_of
from gmi_video.catalog import Cost, Model

_SECONDS = re.compile(r"(\d+(?:\.\d+)?)\s*(?:s|sec|seconds?)?", re.IGNORECASE)
_SOUND = re.compile(
    r"\b(?:(?P<on>with|including|w/)|(?P<off>without|no|w/o))\s+(?:native\s+)?(?:sound|audio)\b"
)
_RESOLUTION = re.compile(r"\d{3,4}[pi]|\d{1,2}k")
_DURATIONS = next(role for role in ROLES if "duration" in role)
_RESOLUTIONS = next(role for role in ROLES if "resolution" in role)
_SOUNDS = next(role for role in ROLES if "generateaudio" in role)
_COUNTS = frozenset({"n", "numimages", "numvideos", "count", "numoutputs", "batchsize", "samplecount"})
_AT_MOST = frozenset({"maximages"})
_ON, _OFF = frozenset({"true", "on", "yes", "enabled"}), frozenset({"false", "off", "no", "disabled"})

Filled = Mapping[str, Any]


def price_of(model: Model, payload: Filled) -> Cost | None:
    """The cost of one request, or None where the catalog does not say, or not clearly.

    What the details say is believed before the bare list price; a price per second is multiplied by the
    payload's duration, or the schema's default, as is a price per picture by their number.
    """
    known = {item.name: item.default for item in model.parameters}
    told = {name: value for name, value in known.items() if value is not None}
    told |= {
        name: value
        for name, value in payload.items()
        if value is not None and (name in known or not known)  # any other name is ignored by the service
    }
    line = _line(model, told)
    if line is None or not line.dollars:
        return None
    quantity = _quantity(unit_of(line.unit), told)
    if quantity is None:
        return None
    times = f", for {quantity.normalize():f} {line.unit}s" if quantity != 1 else ""
    return Cost(dollars=line.dollars * quantity, words=f"{line.words}{times}")


def _line(model: Model, told: Filled) -> Line | None:
    """The one line of the tariff that holds for the payload."""
    price = model.price
    details = price.details if price else model.extra.get("pricing_details")
    lines = lines_of(details) if isinstance(details, str) else ()
    listed = Line(dollars=price.dollars, unit=unit_of(price.unit), words=str(price)) if price else None
    if lines is None:
        return None
    if not lines:
        return listed
    line = _chosen(lines, model, told)
    if line is None or listed is None:
        return line if line is None or line.unit else None
    if not line.unit:  # "$0.13": the list price says of what, where it names the same amount
        return listed if listed.dollars == line.dollars else None
    alone = len(lines) == 1 and not line.label and line.unit == listed.unit and listed.dollars
    return None if alone and listed.dollars != line.dollars else line


def _chosen(lines: tuple[Line, ...], model: Model, told: Filled) -> Line | None:
    """The line that says the most of those that hold; None where one is not understood, or two of them differ."""
    held: list[tuple[int, Line]] = []
    for line in lines:
        holds = _holds(line.label, model, told)
        if holds is None or None in holds:
            return None
        if all(holds):
            held.append((len(holds), line))
    most = max((count for count, _ in held), default=-1)
    best = {(line.dollars, line.unit): line for count, line in held if count == most}
    return next(iter(best.values())) if len(best) == 1 else None


def _holds(label: str, model: Model, told: Filled) -> list[bool | None] | None:
    """Whether each condition of a label holds of the payload; None in it where that is not clear."""
    found: list[bool | None] = []
    for sound in _SOUND.finditer(label):
        heard = _sounds(told)
        found.append(None if heard is None else heard is (sound["on"] is not None))
    rest = _SOUND.sub(" ", label).strip(" ,:+")
    if not rest:
        return found
    whole = _is_said(rest, model, told)
    if whole is not None:
        return [*found, whole]
    for word in rest.split():
        either = [_is_said(part, model, told) for part in word.split("/")]
        found.append(None if None in either else any(either))
    return found


def _sounds(told: Filled) -> bool | None:
    """Whether sound is asked for; None where the model has no switch for it, or it is not known."""
    said = {str(value).lower() for name, value in told.items() if folded(name) in _SOUNDS}
    if not said or not said <= _ON | _OFF:
        return None
    return True if said <= _ON else False if said <= _OFF else None


def _is_said(word: str, model: Model, told: Filled) -> bool | None:
    """Whether the payload says `word` of that one parameter which has it among its options; None: no such one."""
    owners = [
        item.name
        for item in model.parameters
        if any(_spelt(option) == _spelt(word) for option in item.options)
    ]
    if not owners and _RESOLUTION.fullmatch(word):
        owners = [
            name
            for name in told
            if folded(name) in _RESOLUTIONS and _RESOLUTION.fullmatch(_spelt(told[name]))
        ]
    if len(owners) != 1:
        return None
    value = told.get(owners[0])
    return None if value is None else _spelt(value) == _spelt(word)


def _spelt(value: Any) -> str:
    text = str(value).strip().lower()
    return text[:-1] if re.fullmatch(r"\d+s", text) else text


def _quantity(unit: str, told: Filled) -> Decimal | None:
    match unit:
        case "second":
            return _seconds(told)
        case "video" | "image" | "request":
            return _count(told)
        case _:
            return None


def _seconds(told: Filled) -> Decimal | None:
    values = {_number(value) for name, value in told.items() if folded(name) in _DURATIONS}
    return values.pop() if len(values) == 1 else None


def _count(told: Filled) -> Decimal | None:
    """How many are made: one, unless the payload says another number; unknown where it only says at most how many."""
    at_most = [_number(value) for name, value in told.items() if folded(name) in _AT_MOST]
    if any(number != 1 for number in at_most):
        return None
    counts = {_number(value) for name, value in told.items() if folded(name) in _COUNTS}
    return counts.pop() if len(counts) == 1 else Decimal(1) if not counts else None


def _number(value: Any) -> Decimal | None:
    """A number above zero, as the payload may write it: 5, 5.0, "5" or "5s"."""
    text = str(value).strip() if isinstance(value, int | float | str) and not isinstance(value, bool) else ""
    found = _SECONDS.fullmatch(text)
    try:
        number = Decimal(found[1]) if found else None
    except InvalidOperation:
        return None
    return number or None
