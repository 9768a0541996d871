"""How long a request takes, drawn from the seed, and what becomes of it. Pure."""

import math
from random import Random

from gmi_video.sandbox.behaviour import Behaviour, Spread
from gmi_video.sandbox.queue import End, Life

_STEPS = ("queued", "processing")
_SYNC_STEPS = ("processing",)
_MEDIAN, _SIGMA = 90.0, 0.3
_SYNC_SHORTEST, _SYNC_LONGEST = 10.0, 150.0
"""A POST to a synchronous model was seen to block for 10 to 150 s."""


def draw(behaviour: Behaviour, rng: Random, speed: float) -> Life:
    """The life of one request. Takes two draws whatever the behaviour, so that a script shifts no others.

    A lag that is spread is drawn from a generator of its own, which those draws seed.
    """
    whole = rng.lognormvariate(math.log(behaviour.median or _MEDIAN), behaviour.sigma or _SIGMA)
    share = rng.uniform(0.03, 0.15)
    if behaviour.sync:
        whole = min(max(whole, _SYNC_SHORTEST), _SYNC_LONGEST)
    whole = (whole if behaviour.seconds is None else behaviour.seconds) / speed
    queued = whole * share if behaviour.queued is None else behaviour.queued / speed
    if behaviour.seconds is None and behaviour.queued is not None:
        whole += queued
    steps = behaviour.steps or (_SYNC_STEPS if behaviour.sync else _STEPS)
    changes = _changes(steps, min(queued, whole))
    end: End | None = _end(behaviour)
    changes = changes[:1] if end is None else (*changes, (whole, end))
    words = behaviour.words or {}
    told = behaviour.outcome_after
    return Life(
        changes=tuple((after, words.get(word, word)) for after, word in changes),
        end=end,
        told=whole + told / speed if told and end == "success" else 0.0,
        unknown_for=_lag(behaviour.unknown_for, f"{share} unknown") / speed,
        unlisted_for=_lag(behaviour.unlisted_for, f"{share} unlisted") / speed,
    )


def stillborn(behaviour: Behaviour, life: Life) -> Life:
    """The life of a record that failed before it was accepted, listed when the drawn `life` would have been."""
    word = (behaviour.words or {}).get("failed", "failed")
    return Life(changes=((0.0, word),), end="failed", unlisted_for=life.unlisted_for)


def _lag(seconds: float | Spread | None, seed: str) -> float:
    return seconds.draw(Random(seed)) if isinstance(seconds, Spread) else seconds or 0.0


def _changes(steps: tuple[str, ...], queued: float) -> tuple[tuple[float, str], ...]:
    last = max(1, len(steps) - 1)
    return tuple((queued * place / last, word) for place, word in enumerate(steps))


def _end(behaviour: Behaviour) -> End | None:
    if behaviour.dead:
        return None
    if behaviour.cancelled:
        return "cancelled"
    return "success" if behaviour.fails is None else "failed"
