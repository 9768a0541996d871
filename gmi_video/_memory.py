"""What a session remembers of requests: who owns them, when it first saw them, and what is echoed of payloads."""

from collections import OrderedDict
from collections.abc import Iterable
from typing import TypeVar

from gmi_video._echo import Echoes
from gmi_video.ledger import Intent, Store
from gmi_video.records import Snapshot

T = TypeVar("T")

REMEMBERED = 100_000
"""Request ids whose owner, and whose first sight, are remembered: those of a window are far fewer."""
UNDECIDED = 10_000
"""Undecided intents of which it is remembered what they are one of."""


class Memory:
    """Counts moments, so that "seen before it was sent" needs no clock. All of it forgets the oldest.

    `owners` are intents by request id, `seen` the moments of first sight, `among` the requests that an
    undecided intent is certainly one of.
    """

    def __init__(self) -> None:
        self.echoes = Echoes()
        self.owners: OrderedDict[str, str] = OrderedDict()
        self.seen: OrderedDict[str, int] = OrderedDict()
        self.among: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._moments = 0

    def moment(self) -> int:
        """The next moment."""
        self._moments += 1
        return self._moments

    def first_seen(self, snapshot: Snapshot) -> None:
        """A request was seen: whatever is sent later is not it."""
        self.seen.setdefault(snapshot.request_id, self.moment())
        _forget(self.seen, REMEMBERED)

    def is_one_of(self, intent: Intent, request_ids: Iterable[str]) -> None:
        """An intent is certainly one of these. Not where it was sent twice: then it may be two of them, or more."""
        if intent.attempt <= 1:
            self.among[intent.id] = frozenset(request_ids)
            _forget(self.among, UNDECIDED)

    async def claim(self, request_id: str, intent: Intent, store: Store) -> bool:
        """Makes an intent the one owner of a request, in its store and in all others of this session.

        Raises what the store raises; to other stores of the session the claim holds all the same.
        """
        known = request_id in self.owners
        if self.owners.setdefault(request_id, intent.id) != intent.id:
            return False
        _forget(self.owners, REMEMBERED)
        if await store.claim(request_id, intent.id):
            return True
        if not known:
            self.owners.pop(request_id, None)
        return False


def _forget(kept: OrderedDict[str, T], most: int) -> None:
    while len(kept) > most:
        kept.popitem(last=False)
