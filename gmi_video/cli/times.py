"""Spans and moments of time as people type and read them. Pure."""

import re
from datetime import UTC, datetime, timedelta

from gmi_video.errors import ConfigurationError

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(min|[smhd]?)\s*", re.IGNORECASE)


def seconds_of(text: str, option: str) -> float:
    """Seconds of a span such as `90`, `90s`, `10m`, `1h30m`, `2d`; raises `ConfigurationError`."""
    parts = [match.groups() for match in _PART.finditer(text)]
    if not parts or _PART.sub("", text).strip():
        message = f"{option} {text!r} is not a span of time, such as 90s, 10m, 1h30m or 2d"
        raise ConfigurationError(message)
    seconds = sum(float(number) * _UNITS[unit.lower()] for number, unit in parts)
    if not 0 < seconds < 1e9:
        message = f"{option} {text!r} is not a span that anybody can wait for; more than 0 is wanted"
        raise ConfigurationError(message)
    return seconds


def deadline_of(text: str) -> float | None:
    """Seconds to wait, None for `never`."""
    return None if text.lower() in {"never", "none"} else seconds_of(text, "--deadline")


def moment_of(text: str, now: datetime) -> datetime:
    """The moment that `1h` (ago) or `2026-11-20T08:00` means; without a zone, the one of `now` is meant."""
    try:
        return now - timedelta(seconds=seconds_of(text, "--since"))
    except ConfigurationError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None:
        message = f"--since {text!r} is neither a span (90s, 10m, 1h, 2d) nor a moment (2026-11-20T08:00)"
        raise ConfigurationError(message)
    return moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo or UTC)


def span(seconds: float) -> str:
    """Seconds as people read them: `7.2 s`, `1 min 04 s`, `2 h 05 min`, `3 d 04 h`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    if whole < 86_400:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3600:02} h"


def moment(time: datetime | None) -> str:
    """A moment in the reader's own zone, to the second; a dash where it is not known."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S") if time else "-"
