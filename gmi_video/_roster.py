"""Who is followed: an entry for each id that anything is known of, and next to nothing for the others. Pure.

An id that was never seen has the same to say as a thousand that came with it, so it has no entry until it is
looked at or read of: a million objects would hold up the loop whenever the garbage collector walks through them.
"""

from collections.abc import Iterator

from attrs import frozen

from gmi_video._entry import Entry, Reader
from gmi_video._flock import Block
from gmi_video._shards import Shards
from gmi_video.settings import Pace


@frozen(eq=False)
class Terms:
    """What ids that came together have in common: who follows them, since when, and the block that they wait in."""

    readers: tuple[tuple[Reader, Pace], ...]
    pace: Pace
    since: float
    block: Block

    def entry(self, request_id: str) -> Entry:
        """One of them, as an entry of its own."""
        since = self.since
        return Entry(request_id, self.readers, self.pace, self.pace.first, since, since, block=self.block)


class Roster:
    """All followed ids of one schedule."""

    def __init__(self) -> None:
        self._entries: Shards[Entry] = Shards()
        self._new: Shards[Terms] = Shards()
        self._terms: Terms | None = None
        self._readers: tuple[tuple[Reader, Pace], ...] = ()

    def __len__(self) -> int:
        return len(self._entries) + len(self._new)

    def __contains__(self, request_id: object) -> bool:
        return request_id in self._entries or request_id in self._new

    def __iter__(self) -> Iterator[str]:
        yield from self._entries
        yield from self._new

    def get(self, request_id: str) -> Entry | None:
        """The entry of an id, which it has from now on; None where nobody follows it."""
        parts = self._entries.parts  # asked at every look: a call less
        entry = parts[hash(request_id) & (len(parts) - 1)].get(request_id)
        if entry is None and (terms := self._new.get(request_id)) is not None:
            entry = self._entries[request_id] = terms.entry(request_id)
            del self._new[request_id]
        return entry

    def __getitem__(self, request_id: str) -> Entry:
        entry = self.get(request_id)
        if entry is None:
            raise KeyError(request_id)
        return entry

    def glance(self, request_id: str) -> Entry | None:
        """An id as it is, to be read only; from any thread."""
        parts = self._entries.parts  # asked for every record of a page: a call less
        entry = parts[hash(request_id) & (len(parts) - 1)].get(request_id)
        if entry is not None:
            return entry
        if (terms := self._new.get(request_id)) is not None:
            return terms.entry(request_id)
        return self._entries.get(request_id)  # it may have become acquainted between the two

    def since(self, request_id: str) -> float:
        """When an id was last seen, or came."""
        terms = self._new.get(request_id)
        return self._entries[request_id].at if terms is None else terms.since

    def put(self, entry: Entry) -> None:
        """Somebody of whom something is known."""
        self._entries[entry.request_id] = entry

    def readers(self, reader: Reader, pace: Pace) -> tuple[tuple[Reader, Pace], ...]:
        """Somebody who follows an id alone; the same value for all ids of his."""
        if not self._readers or self._readers[0] != (reader, pace):
            self._readers = ((reader, pace),)
        return self._readers

    def meet(
        self, request_id: str, readers: tuple[tuple[Reader, Pace], ...], pace: Pace, now: float, block: Block
    ) -> None:
        """Somebody of whom nothing is known, and who waits in a block."""
        terms = self._terms
        if (
            terms is None
            or terms.since != now
            or terms.block is not block
            or terms.readers is not readers
            or terms.pace is not pace
        ):
            terms = self._terms = Terms(readers, pace, now, block)
        self._new[request_id] = terms

    def leave(self, request_id: str) -> None:
        """Nobody follows an id any more that has an entry."""
        self._entries.pop(request_id, None)

    def known(self) -> list[Entry]:
        """Those that have an entry."""
        return list(self._entries.values())

    @property
    def acquainted(self) -> int:
        """How many have an entry."""
        return len(self._entries)
