"""How long until the next look at one id: by what is known of its model, else by its pace. Chance is handed in."""

from collections.abc import Callable, Iterator
from math import sqrt
from random import Random

from gmi_video._cadence import Cadence
from gmi_video._entry import Entry
from gmi_video._flock import PER_CALL
from gmi_video._roster import Roster
from gmi_video.records import Status

SHORTEST = 1.0
"""Seconds between two looks at one id at least, however sure its end is (less where the pace begins with less)."""

ALONE = 2.0
"""Of n ids of a model of which nothing is known each waits √n by so much longer (from five on): found by trial, with a
thousand of one age the mean delay of looks every 5 s then costs 0.8 of their calls, where it had cost 1.2."""
AGAIN = frozenset({5.0, 8.0, 12.0, 20.0, 40.0})
"""Ended requests of a model at which looks that were planned before are planned anew."""
FEW = 5000
"""Ids up to which that is done at once: it takes some milliseconds."""

_UNKNOWN = Status.UNKNOWN


class Rhythm:
    """The waits of a schedule's ids; `age` tells how many seconds ago one was created, `peers` how many a model has."""

    def __init__(
        self,
        rng: Random,
        cadence: Cadence,
        age: Callable[[Entry, float], float],
        peers: Callable[[str], int] = lambda _: 1,
    ) -> None:
        self.rng = rng
        self._cadence = cadence
        self._age = age
        self._peers = peers

    def wait(self, entry: Entry, now: float, *, slower: bool = False) -> float:
        """Seconds from `now`: where the chance of an end is worth a look, or by the pace, `slower` than before."""
        form = entry.form
        if form is not None and form.status is _UNKNOWN:  # its model's law says nothing of what it waits for
            return self._jittered(entry, entry.pace.longest)
        law = self._cadence.law(form.model) if form and entry.empty_since is None else None
        if law is None:
            wait = self.slower(entry) if slower else self._jittered(entry, entry.interval)
            return self._shared(entry, wait, self._peers(form.model)) if form else wait
        first, age = entry.pace.first, self._age(entry, now)
        wait = self._jittered(entry, max(law.wait(age, PER_CALL * first), min(SHORTEST, first)))
        return min(max(wait, law.least - age), entry.pace.longest)

    def _shared(self, entry: Entry, wait: float, peers: int) -> float:
        """A wait among many of one model of which nothing is known: together they show the first end soon enough.

        Spread evenly, n looks teach the same of the model whoever is looked at, so each is looked at less often.
        """
        if peers <= ALONE**2 or entry.empty_since is not None:
            return wait
        longer = wait * sqrt(peers) / ALONE * (0.5 + self.rng.random())
        return max(wait, min(longer, entry.pace.longest * (0.7 + 0.3 * self.rng.random())))

    def sooner(self, entries: Roster, model: str, now: float) -> Iterator[tuple[Entry, float]]:
        """Those planned when little was known of a model, and worth a look sooner; to be asked when one ended."""
        if self._cadence.of(model).total not in AGAIN or entries.acquainted > FEW:
            return
        for entry in entries.known():
            form = entry.form
            if entry.due is None or entry.misses or form is None or form.model != model:
                continue
            due = max(now + self.rng.random(), entry.at + self.wait(entry, entry.at))
            if due < entry.due:
                yield entry, due

    def too_early(self, entry: Entry, now: float) -> float | None:
        """When a look is to be made that was planned before anything was known of its model; None: now."""
        form = entry.form
        law = self._cadence.law(form.model) if form and entry.empty_since is None else None
        if law is None:
            return None
        due = min(now + law.least - self._age(entry, now), entry.at + entry.pace.longest)
        return due if due > now else None

    def slower(self, entry: Entry) -> float:
        """A wait that is longer by the pace's growth than the one before."""
        pace = entry.pace
        if entry.interval < pace.longest:
            entry.interval = min(entry.interval * pace.growth, pace.longest)
        return self._jittered(entry, entry.interval)

    def _jittered(self, entry: Entry, wait: float) -> float:
        pace = entry.pace
        wait *= 1 + pace.jitter * (2 * self.rng.random() - 1)
        return min(wait, pace.longest)
