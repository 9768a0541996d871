"""Reasons as people read them, and when two of them say the same. Pure."""

import re

_REPR = re.compile(r"""Media\(url=(\S*), kind='\w*', id=(?:None|'[^']*'|"[^"]*")\)""")
"""How the core names a file in a sentence: its link without the query, and what programs want to know."""
_NAMES = re.compile(
    r"""https?://[^\s'"]+"""
    r"""|(?<!\w)'[^']*?(?:[/\\][^']*|\.\w{2,5})'(?!\w)"""
    r"""|(?<!\w)"[^"]*?(?:[/\\][^"]*|\.\w{2,5})"(?!\w)"""
    r"""|(?<![\w/.])(?:[A-Za-z]:\\|/)[^\s'":,;]+"""
)
"""Links, quoted names of files, and paths: they are of one line each."""
_IDS = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,}|\d{1,3}(?:,\d{3})+|\d{5,})(?![0-9A-Za-z])",
    re.IGNORECASE,
)


def readable(reason: str) -> str:
    """A reason without what only programs read: of a file its link is left."""
    return _REPR.sub(r"\1", reason)


def alike(reason: str) -> str:
    """What is equal for reasons that differ in ids, links, paths and long numbers only."""
    return _IDS.sub("…", _NAMES.sub("…", readable(reason)))
