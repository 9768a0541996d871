"""Files that are written anew: what may be replaced by one, and what may not."""

from pathlib import Path

from gmi_video.errors import ConfigurationError

_DATABASE = b"SQLite format 3\0"
_PAGES = (".html", ".htm")
_MARKS = (b'<meta name="generator" content="gmi_video">', b"default-src 'none'; img-src data: 'self' file:")
"""What a report begins with, and began with before it was said who makes it."""


def page_of(target: str | Path) -> Path:
    """Where a page may be written; raises `ConfigurationError` for the name of something else, and for a database."""
    target = Path(target)
    if target.suffix.lower() not in _PAGES:
        message = f"{target}: a page is wanted, such as report.html"
        raise ConfigurationError(message)
    return spared(target)


def is_ours(target: Path) -> bool:
    """Whether a page may be replaced unasked: it is a report of a batch, or there is none."""
    try:
        with target.open("rb") as file:
            head = file.read(2048)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return any(mark in head for mark in _MARKS)


def spared(target: Path) -> Path:
    """The target; raises `ConfigurationError` where a database is, for it may be a journal, which nothing replaces."""
    try:
        with target.open("rb") as file:
            head = file.read(len(_DATABASE))
    except OSError:  # nothing is there yet, or writing tells
        return target
    if head == _DATABASE:
        message = f"{target} is a database, such as a journal, and is not replaced; give another name"
        raise ConfigurationError(message)
    return target
