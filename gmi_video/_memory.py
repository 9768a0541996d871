"""What a session remembers of requests: who owns them, when it first saw them, and what is echoed of payloads."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from gmi_video._echo import Echoes
from gmi_video._recent import Recent
from gmi_video.ledger import Intent, Store
from gmi_video.records import Snapshot

FEW, MOST = 10_000, 100_000
"""Request ids whose owner, and whose first sight, are remembered whatever their age; and those that are at most."""
YOUNG = 3600.0
"""Seconds for which all of them are: longer than anybody waits for an answer and then looks for it in the list."""
UNDECIDED = 10_000
"""Undecided intents of which it is remembered what they are one of."""


class Memory:
    """Counts moments, so that "seen before it was sent" needs no clock. All of it forgets the oldest, at a `turn`.

    `owners` are intents by request id, `seen` the moments of first sight, `among` the requests that an
    undecided intent is certainly one of.
    """

    def __init__(self) -> None:
        self.echoes = Echoes()
        self.owners: Recent[str] = Recent(few=FEW, most=MOST, young=YOUNG)
        self.seen: Recent[int] = Recent(few=FEW, most=MOST, young=YOUNG)
        self.among: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._doubts: OrderedDict[str, float] = OrderedDict()
        self._moments = 0

    def moment(self) -> int:
        """The next moment."""
        self._moments += 1
        return self._moments

    def turn(self, now: float, reach: Callable[[], float]) -> None:
        """It is `now`; what was learnt since `reach()` bears on submissions that are sent or looked for at this moment."""
        for kept in (self.owners, self.seen):
            kept.turn(now, lambda: min([reach(), *self._doubts.values()]))

    def doubt(self, intent: Intent, since: float) -> None:
        """An intent stays undecided, and may be looked for at any time: what was learnt from then on bears on it."""
        self._doubts[intent.id] = since
        _forget(self._doubts)

    def decided(self, intent: Intent) -> None:
        """There is no doubt about an intent."""
        self._doubts.pop(intent.id, None)

    def first_seen(self, snapshot: Snapshot) -> None:
        """A request was seen: whatever is sent later is not it."""
        self.seen.setdefault(snapshot.request_id, self.moment())

    def is_one_of(self, intent: Intent, request_ids: Iterable[str]) -> None:
        """An intent is certainly one of these. Not where it was sent twice: then it may be two of them, or more."""
        if intent.attempt <= 1:
            self.among[intent.id] = frozenset(request_ids)
            _forget(self.among)

    async def claim(self, request_id: str, intent: Intent, store: Store) -> bool:
        """Makes an intent the one owner of a request, in its store and in all others of this session.

        Raises what the store raises; to other stores of the session the claim holds all the same.
        """
        known = request_id in self.owners
        if self.owners.setdefault(request_id, intent.id) != intent.id:
            return False
        if await store.claim(request_id, intent.id):
            return True
        if not known:
            self.owners.drop(request_id)
        return False


def _forget(undecided: OrderedDict[str, Any]) -> None:
    """Lets go of the oldest."""
    while len(undecided) > UNDECIDED:
        undecided.popitem(last=False)
