"""A tariff in a sentence, read into lines: "480P: $0.05/second; 720P: $0.10/second". Pure, and never a guess."""

import re
from decimal import Decimal
from functools import lru_cache

from attrs import frozen

_LONGEST = 2000
_UNITS = {
    **dict.fromkeys(("second", "seconds", "sec", "secs", "s"), "second"),
    **dict.fromkeys(("video", "videos", "clip", "clips"), "video"),
    **dict.fromkeys(("image", "images", "picture", "pictures"), "image"),
    **dict.fromkeys(("request", "requests", "generation", "generations", "call", "run", "job"), "request"),
}
_AMOUNT = r"(?:US\s*)?\$\s*(?P<amount>\d+(?:\.\d+)?)(?![\d,.]*\d)"
_PER = r"(?:/|per|an?|each)\s*(?:1\s*)?"
_PRICE = re.compile(
    rf"{_AMOUNT}(?:\s*{_PER}(?:(?:output|generated)\s+)?(?P<unit>[a-z]+)\b(?:\s+of\s+(?:video|output))?)?",
    re.IGNORECASE,
)
_HEADER = re.compile(rf"\s*(?:price\s+|billed\s+)?{_PER}(?P<unit>[a-z]+)\s*[:\-–—]\s*", re.IGNORECASE)
_ASIDE = re.compile(r"\(([^()]*)\)")
_CLAUSE = re.compile(r"[;|\n]|,(?!\d{3}\b)|(?<=\d)\.\s|\.$")
_ADDED = re.compile(r"\+\s*(?:US\s*)?\$|(?:^|\s)[-−]\$", re.IGNORECASE)
"""A surcharge or a discount: its sum depends on another price."""
_NOISE = re.compile(
    r"\b(?:and|for|at|is|are|costs?|price[ds]?|pricing|flat|rate|the|of|videos?|output|billed|billing|only|in"
    r"|resolution|usd)\b"
)


@frozen(kw_only=True)
class Line:
    """One price: US dollars per `unit` (empty where it is not said), where all that `label` says holds."""

    dollars: Decimal
    unit: str = ""
    label: str = ""
    words: str = ""


def unit_of(word: str) -> str:
    """The unit that a word stands for, or the word itself in lower case: "per_second", "sec" and "s" are a second."""
    plain = word.strip().lower().removeprefix("per").strip(" _-")
    return _UNITS.get(plain, plain)


@lru_cache(maxsize=512)
def lines_of(text: str) -> tuple[Line, ...] | None:
    """The prices that a text names, none where it names no amount; None where one of them is not understood."""
    if "$" not in text:
        return None if any(map(str.isdigit, text)) else ()  # numbers of another kind: credits, other money
    if len(text) > _LONGEST:
        return None
    header = _HEADER.match(text)
    unit = unit_of(header["unit"]) if header else ""
    body = text[header.end() :] if header else text
    said = header[0].strip() + " " if header else ""
    found = []
    for clause in _CLAUSE.split(_ASIDE.sub(_unfolded, body)):
        prices = list(_PRICE.finditer(clause))
        label = _label(_PRICE.sub(" ", clause))
        if not prices and not label:
            continue
        if len(prices) != 1 or "$" in label or "%" in label or _ADDED.search(clause):
            return None
        own = unit_of(prices[0]["unit"] or "")
        found.append(
            Line(
                dollars=Decimal(prices[0]["amount"]),
                unit=own or unit,
                label=label,
                words=said + " ".join(clause.split()),
            )
        )
    return tuple(found)


def _unfolded(aside: re.Match[str]) -> str:
    """An aside with a price of its own is a clause; any other belongs to the price before it."""
    return f"; {aside[1]};" if "$" in aside[1] else f" {aside[1]} "


def _label(text: str) -> str:
    """What a clause says beside its price, without signs and words that say nothing."""
    plain = re.sub(r"[:=@•*–—,+-]+(?=\s|$)|(?:^|(?<=\s))[:=@•*–—-]+", " ", text.lower())
    return " ".join(_NOISE.sub(" ", plain).split())
