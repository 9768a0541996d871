"""What a refusal or a failure is about, read from the service's own words.

The words were seen in production; the service has no field for it. The first line that matches wins, so the
narrow ones stand first. "Generation rejected; please review …" is the service's one sentence for moderation
and for bad parameters alike and comes with INVALID_INPUT: it counts as input.
"""

import re

from gmi_video.records import Kind

_WORDS: tuple[tuple[Kind, str], ...] = (
    ("rate", r"rate.?limit|too many requests|\bRPM\b|\b429\b|throttl"),
    ("credit", r"insufficient (credit|balance|fund)|add more credits|\b402\b|payment required"),
    (
        "content",
        r"moderat|content polic|safety|inappropriate|nsfw|(?<!case.)sensitive|violat|prohibited|human face",
    ),
    (
        "access",
        r"do(es)? not have access|access token|not entitled|permission|forbidden|unauthori[sz]ed|\b40[13]\b",
    ),
    (
        "input",
        (
            r"backend error \(4\d\d\)|invalid|parameter|required|must (be|include|contain|have)|out of range"
            r"|unsupported|too (long|large|small|many)|failed to download|pixel|price not found"
            r"|review the prompt|\b4(00|22)\b"
        ),
    ),
    ("service", r"internal|time(d)?.?out|overload|unavailable|capacity|exhausted|backend|\b5\d\d\b"),
)
_SIGNS = tuple((kind, re.compile(words, re.IGNORECASE)) for kind, words in _WORDS)


def kind_of(words: str, code: str | None = None) -> Kind:
    """The kind of a refusal from its words, else from its code, else "unknown"."""
    for text in (words, (code or "").replace("_", " ")):
        for kind, sign in _SIGNS:
            if sign.search(text):
                return kind
    return "unknown"
