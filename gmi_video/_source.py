"""Python source as the formatters leave it: names, literals, docstrings, lines that are broken where they must be.

What a catalog says is text from elsewhere: no sign of it may end a docstring, or be taken for another by a linter.
"""

import keyword
import re
import unicodedata
from typing import Any

_WIDTH = 88
"""Columns that a line may have before it is broken: the formatters' common width."""
_LONGEST = 400
_IDEOGRAPHS = 0x2E80
"""Where Unicode's East Asian scripts begin, none of whose letters looks like one of ours."""
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201b\u2032", "'"),
        **dict.fromkeys("\u201c\u201d\u2033", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
        "\u00d7": "x",
        "\u2026": "...",
        "\\": "/",
    }
)


def bare(text: str) -> str:
    """Text for a docstring: one line, bounded, without signs that would end it or that linters mistake."""
    line = unicodedata.normalize("NFKC", text[: 8 * _LONGEST].translate(_PLAIN))
    line = " ".join(line.translate(_PLAIN).replace('"', "'").split())
    line = "".join(
        sign if sign.isascii() or (sign.isalnum() and ord(sign) >= _IDEOGRAPHS) else _ascii(sign)
        for sign in line
    )
    line = "".join(sign for sign in line if sign.isprintable())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 3].rstrip() + "..."


def _ascii(sign: str) -> str:
    """A letter without its accent where that leaves one, else a question mark."""
    return unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode() or "?"


def docstring(paragraphs: list[str], indent: str, first: str) -> str:
    """A docstring: what comes first, then the paragraphs, wrapped; on one line where it fits."""
    lines = _wrapped(first, indent)
    for paragraph in paragraphs:
        lines += ["", *_wrapped(paragraph, indent)]
    if len(lines) == 1 and len(indent) + len(lines[0]) + 6 <= _WIDTH:
        return f'{indent}"""{lines[0]}"""\n'
    text = "\n".join(indent + line if line else "" for line in lines).lstrip()
    return f'{indent}"""{text}\n{indent}"""\n'


def _wrapped(text: str, indent: str) -> list[str]:
    """Lines of a text that fit; words that do not are broken."""
    lines, line = [], ""
    for word in re.findall(rf"\S{{1,{_WIDTH - 10}}}", text):
        if line and len(indent) + 3 + len(line) + 1 + len(word) > _WIDTH:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line]


def called(head: str, arguments: list[str]) -> str:
    """A call that ends a statement: on one line where it fits, else an argument a line."""
    line = f"{head}({', '.join(arguments)})"
    if len(line) <= _WIDTH:
        return f"{line}\n"
    indent = head[: len(head) - len(head.lstrip())]
    return f"{head}(\n" + "".join(f"{indent}    {argument},\n" for argument in arguments) + f"{indent})\n"


def listing(head: str, items: list[str]) -> str:
    """A subscript: on one line where it fits, else an item a line."""
    line = f"{head}[{', '.join(items)}]"
    if len(line) <= _WIDTH or len(items) == 1:
        return f"{line}\n"
    return f"{head}[\n" + "".join(f"    {item},\n" for item in items) + "]\n"


def quoted(value: Any) -> str:
    """A literal as the formatters write it: double quotes, unless single ones save escapes; ASCII only."""
    if not isinstance(value, str):
        return repr(value)
    quote = "'" if '"' in value and "'" not in value else '"'
    signs = (
        f"\\{sign}" if sign in (quote, "\\") else sign if sign in "'\"" else ascii(sign)[1:-1]
        for sign in value
    )
    return f"{quote}{''.join(signs)}{quote}"


def camel(text: str) -> str:
    """The name of a class that stands for an id: its words, each with a capital."""
    words = re.findall(
        r"[A-Z]?[a-z0-9]+|[A-Z0-9]+", unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    )
    name = "".join(word[:1].upper() + word[1:] for word in words) or "Model"
    return f"Model{name}" if name[0].isdigit() else name


def free(name: str, taken: set[str]) -> str:
    """The name, with a number where it is taken already; it is taken from now on."""
    number, free = 2, name
    while free in taken:
        free, number = f"{name}{number}", number + 1
    taken.add(free)
    return free


def identifier(name: str, taken: set[str], reserved: frozenset[str]) -> str:
    """The API's own name where Python lets it be one, else the nearest that is."""
    plain = re.sub(r"\W", "_", name, flags=re.ASCII).strip("_") or "parameter"
    plain = f"p_{plain}" if plain[0].isdigit() else plain
    return free(f"{plain}_" if keyword.iskeyword(plain) or plain in reserved else plain, taken)
