"""The service's own words: found in its JSON, and made safe to show.

An error body may echo what it was sent: a presigned link, a header, a page with control signs. What leaves
here is one line of printable text, of bounded length, without queries of links, credentials or tokens.
"""

import re
from collections.abc import Mapping

_EXCERPT = 200
_WORDS = 2000
_DEEP = 4

_REASONS = ("error", "error_message", "fail_reason", "reason", "message")
_CODES = ("code", "status", "type", "error_code")
_BESIDE = ("error_code", "code")

_LINK = re.compile(r"(https?:(?:\\?/){2})([^\s\"'<>]*)", re.IGNORECASE)
_SECRETS = tuple(
    (re.compile(sign, re.IGNORECASE), shown)
    for sign, shown in (
        # the parts of a presigned query wherever they stand: V4 of both stores, and the older V2
        (
            r"\b((?:X-(?:Goog|Amz)-[a-z-]{1,40}|Signature|GoogleAccessId|AWSAccessKeyId)(?:=|%3D))[^\s\"'<>&]+",
            r"\1…",
        ),
        (r"\b(Bearer|Basic)\s+[^\s\"'<>,;]{8,}", r"\1 …"),
        (r"\beyJ[\w-]{6,}(?:\.[\w-]*)*", "…"),  # a JSON web token, which the service's keys are
    )
)
_ESCAPED = re.compile(r"\\u00([2-7][0-9a-fA-F])")
"""Plain signs as JSON may spell them, those of a query among them."""


def _bare(link: re.Match[str]) -> str:
    place = re.split(r"[?#]", link[2], maxsplit=1)[0]
    host, slash, path = place.partition("/")
    return link[1] + host.rpartition("@")[2] + slash + path


def one_line(text: str, limit: int = _WORDS) -> str:
    """`text` as one printable line of at most `limit` signs, without secrets."""
    text = _LINK.sub(_bare, text[: 8 * limit])
    for sign, shown in _SECRETS:
        text = sign.sub(shown, text)
    text = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def excerpt(body: bytes, limit: int = _EXCERPT) -> str:
    """The beginning of a body as one line of printable text, without secrets and without an echoed payload."""
    text = _ESCAPED.sub(lambda sign: chr(int(sign[1], 16)), body[: 8 * limit].decode("utf-8", "replace"))
    begin, echo, _ = text.partition('"payload"')
    return one_line(f"{begin}{echo}…" if echo else begin, limit)


def words_in(value: object, codes: tuple[str, ...] = _CODES, deep: int = _DEEP) -> tuple[str, str | None]:
    """A reason as the vendor may write it (a string, an object, a list of either), and the code nearest to it.

    Both are as written. Deeper than `deep` objects nothing is a reason any more.
    """
    if isinstance(value, str):
        return value.strip(), None
    if not deep or not isinstance(value, list | Mapping):
        return "", None
    inner = value if isinstance(value, list) else [value.get(name) for name in _REASONS]
    found = (words_in(item, deep=deep - 1) for item in inner)
    words, code = next((each for each in found if each[0]), ("", None))
    return words, code or _code(value, codes)


def _code(value: object, names: tuple[str, ...]) -> str | None:
    found = (value.get(name) for name in names) if isinstance(value, Mapping) else ()
    return next((str(code)[:80] for code in found if code and isinstance(code, str | int | float)), None)


def reason_in(*places: object) -> tuple[str, str | None]:
    """The first reason that stands under any known name in one of these places, safe to show; and its code."""
    found = [words_in(place, _BESIDE) for place in places]
    words = next((words for words, _ in found if words), "")
    return one_line(words), next((code for _, code in found if code), None)
