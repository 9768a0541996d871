"""What an artifact must look like: kind, size and length, read from a payload whatever a family calls them."""

import re
from collections.abc import Mapping
from typing import Literal

from attrs import frozen

Kind = Literal["video", "image", "audio"]

_SECONDS_KEYS = ("duration", "durationSeconds", "seconds", "video_length")
_RATIO_KEYS = ("aspect_ratio", "aspectRatio", "ratio")
_TIER_KEYS = ("resolution", "quality")
_SIZE_KEYS = ("size", "video_resolution", "dimension")
_SIZE = re.compile(r"^(\d{2,4})[x*](\d{2,4})$")
_RATIO = re.compile(r"^(\d{1,2}):(\d{1,2})$")
_TIER = re.compile(r"^(\d{3,4})[pP]$")
_TIERS = {"1k": 1024, "2k": 1440, "3k": 1728, "4k": 2160}
_PROMPT_SHOWN = 400


@frozen
class Clip:
    """One artifact to make: equal clips have equal bytes, so they are made once."""

    kind: Kind
    width: int
    height: int
    seconds: float
    model: str
    prompt: str


def clip_of(kind: Kind, model: str, payload: Mapping[str, object]) -> Clip:
    """The artifact that `payload`, defaults filled in, asks `model` for.

    Where a payload names no size, 720 lines at 16:9 are made; sides are even, as H.264 wants them.
    """
    width, height = _size(payload, 2048 if kind == "image" else 720)
    prompt = payload.get("prompt")
    return Clip(
        kind=kind,
        width=width,
        height=height,
        seconds=_seconds(payload),
        model=model,
        prompt=prompt[:_PROMPT_SHOWN] if isinstance(prompt, str) else "",
    )


def seconds_of(payload: Mapping[str, object]) -> float:
    """The seconds of video a payload asks for, 5 where it names none."""
    return _seconds(payload)


def _seconds(payload: Mapping[str, object]) -> float:
    for key in _SECONDS_KEYS:
        value = payload.get(key)
        if isinstance(value, str):
            value = value.removesuffix("s")
            if value.isdigit():
                return min(float(value), 60.0)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            return min(max(float(value), 1.0), 60.0)
    return 5.0


def _size(payload: Mapping[str, object], default: int) -> tuple[int, int]:
    for key in _SIZE_KEYS:
        match = _SIZE.match(str(payload.get(key, "")))
        if match:
            return _even(float(match[1]), float(match[2]))
    wide, high = _ratio(payload)
    lines = _lines(payload, default)
    return _even(lines * wide / high, lines) if wide >= high else _even(lines, lines * high / wide)


def _ratio(payload: Mapping[str, object]) -> tuple[int, int]:
    for key in _RATIO_KEYS:
        match = _RATIO.match(str(payload.get(key, "")))
        if match and int(match[1]) and int(match[2]):
            return int(match[1]), int(match[2])
    return 16, 9


def _lines(payload: Mapping[str, object], default: int) -> int:
    for key in (*_TIER_KEYS, *_SIZE_KEYS):
        told = str(payload.get(key, ""))
        match = _TIER.match(told)
        if match:
            return int(match[1])
        if told.lower() in _TIERS:
            return _TIERS[told.lower()]
    return default


def _even(width: float, height: float) -> tuple[int, int]:
    return max(64, round(width / 2) * 2), max(64, round(height / 2) * 2)
