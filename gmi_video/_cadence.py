"""What is known of the durations of each model, and when the next look is worth making. Pure.

A look costs something, and so does every second in which an end is not noticed. The best moment for the next
look is when the seconds that are likely to have been lost by then are worth one look. Where the chance to end
is steady, that is an interval proportional to 1/√hazard (Barlow, Hunter and Proschan's inspection problem).
"""

import json
from typing import Any

from gmi_video._lifetimes import BINS, EDGES, Lifetimes, bin_of
from gmi_video.errors import ConfigurationError
from gmi_video.estimate import MARKS, Estimate

KNOWN_FROM = 5
"""Ended requests of a model from which its durations are believed."""
MODELS = 1000
"""Models of which durations are kept."""
FORMAT = 1


class Law:
    """One model's law of life as a table: filled where it is asked, read at every look."""

    def __init__(self, model: str, lifetimes: Lifetimes) -> None:
        self.total = lifetimes.total
        self.least = lifetimes.least
        self._chances = lifetimes.hazards()
        self._moments: dict[tuple[int, float], float] = {}
        marks = tuple(round(lifetimes.quantile(mark, self._chances), 3) for mark in MARKS)
        self.estimate = Estimate(model=model, seen=self.total, quantiles=marks)

    def wait(self, age: float, worth: float) -> float:
        """Seconds from `age` until the next look, where one look is worth `worth` seconds of delay.

        It is never made at an age at which nothing of the model has ended yet.
        """
        index = bin_of(age)
        if index >= BINS - 1:
            return max(self._moment(BINS - 1, worth), self.least - age)
        low, high = EDGES[index], EDGES[index + 1]
        part = (age - low) / (high - low)
        at = (1 - part) * (low + self._moment(index, worth)) + part * (high + self._moment(index + 1, worth))
        return max(at, self.least) - age

    def rate(self, age: float) -> float:
        """The hazard: how many requests of this age end per second."""
        index = bin_of(age)
        return self._chances[index] / (EDGES[index + 1] - EDGES[index])

    def _moment(self, begin: int, worth: float) -> float:
        found = self._moments.get((begin, worth))
        if found is None:
            found = self._moments[begin, worth] = self._found(begin, worth)
        return found

    def _found(self, begin: int, worth: float) -> float:
        """Seconds from the edge of a bin until `worth` seconds are likely to have been lost."""
        start = EDGES[begin]
        lost = gone = 0.0
        left = 1.0
        for index in range(begin, BINS):
            width = EDGES[index + 1] - EDGES[index]
            dying = left * self._chances[index]
            ahead = (gone + dying / 2) * width
            if lost + ahead >= worth:
                # within the bin: gone·x + dying/width·x²/2 = worth - lost
                slope = dying / width
                need = worth - lost
                x = ((gone * gone + 2 * slope * need) ** 0.5 - gone) / slope if slope else need / gone
                return EDGES[index] - start + min(x, width)
            lost += ahead
            gone += dying
            left -= dying
        return EDGES[-1] - start + width


class Cadence:
    """What a session has learnt of every model. May be exported, and given to the next session."""

    def __init__(self, text: str | None = None) -> None:
        self._lifetimes: dict[str, Lifetimes] = {}
        self._laws: dict[str, Law] = {}
        if text is not None:
            self.merge(text)

    def typical(self, model_id: str) -> Estimate | None:
        """How long requests of a model take, or None where too few of them were seen to end."""
        law = self.law(model_id)
        return law.estimate if law else None

    def export(self) -> str:
        """All that is known, as JSON of a few KB."""
        known = list(self._lifetimes.items())  # at once: a blocking face reads it from another thread
        models = {model: lifetimes.as_data() for model, lifetimes in known if lifetimes.total}
        return json.dumps({"format": FORMAT, "models": models}, separators=(",", ":"), sort_keys=True)

    def merge(self, text: str) -> None:
        """Takes in what another session exported; raises `ConfigurationError` for anything else."""
        try:
            found = _imported(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            what = f"{type(error).__name__}: {error}"
        else:
            for model, lifetimes in found.items():
                self.of(model).merge(lifetimes)
            self._laws.clear()
            return
        raise ConfigurationError(f"this is no exported cadence ({what})")

    def of(self, model_id: str) -> Lifetimes:
        """A model's histogram, to be written to."""
        lifetimes = self._lifetimes.get(model_id)
        if lifetimes is None:
            lifetimes = self._lifetimes[model_id] = Lifetimes()
            while len(self._lifetimes) > MODELS:
                oldest = next(iter(self._lifetimes))
                del self._lifetimes[oldest]
                self._laws.pop(oldest, None)
        return lifetimes

    def law(self, model_id: str) -> Law | None:
        """A model's law of life, or None where it is not known; made anew when an eighth more have ended, or one sooner."""
        lifetimes = self._lifetimes.get(model_id)
        if lifetimes is None or lifetimes.total < KNOWN_FROM:
            return None
        law = self._laws.get(model_id)
        if (
            law is None
            or not law.total <= lifetimes.total <= 1 + law.total * 1.125
            or lifetimes.least < law.least
        ):
            law = self._laws[model_id] = Law(model_id, lifetimes)
        return law

    def as_dict(self) -> dict[str, Any]:
        """The estimates of all models, for people and logs."""
        estimates = {model: self.typical(model) for model in list(self._lifetimes)}
        return {model: found.as_dict() for model, found in estimates.items() if found is not None}


def _imported(data: Any) -> dict[str, Lifetimes]:
    if data["format"] != FORMAT:
        message = f"its format is {data['format']!r}, not {FORMAT}"
        raise ValueError(message)
    return {str(model): Lifetimes.from_data(kept) for model, kept in data["models"].items()}
