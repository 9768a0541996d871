"""A payload's problems, told before it is sent: what would be refused is an error, what is doubtful a warning."""

import sys
import warnings
from pathlib import Path
from typing import Literal

from gmi_video._payload import plain
from gmi_video.catalog import Model, PayloadWarning, Problem
from gmi_video.errors import PayloadInvalid
from gmi_video.records import VideoRequest

_HOUSE = str(Path(__file__).parent)
_TOLD = 3


def vet(model: Model, request: VideoRequest, check: Literal["strict", "warn"]) -> None:
    """Raises `PayloadInvalid` for what is certainly refused, warns of the rest; strict raises for all of it.

    Where warnings are errors, the `PayloadWarning` is raised; then nothing is sent either.
    """
    problems = model.check(plain(request.payload, local=True))
    if not problems:
        return
    if check == "strict" or any(problem.certain for problem in problems):
        raise PayloadInvalid(_sentence(model, problems), problems=problems, key=request.key)
    level = _callers_level()
    for problem in problems:
        warnings.warn(PayloadWarning(f"{model.id}: {problem}"), stacklevel=level)


def _sentence(model: Model, problems: tuple[Problem, ...]) -> str:
    ordered = sorted(problems, key=lambda problem: not problem.certain)
    more = len(ordered) - _TOLD
    told = "; ".join(str(problem) for problem in ordered[:_TOLD])
    return f"payload for {model.id}: {told}{f'; and {more} more' if more > 0 else ''}; nothing was sent"


def _callers_level() -> int:
    """How many frames up the code stands that is not ours: a warning is to point at it."""
    level, frame = 1, sys._getframe(1)  # noqa: SLF001  # as `warnings` itself counts
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HOUSE):
        level, frame = level + 1, frame.f_back
    return level
