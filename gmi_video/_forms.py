"""What is remembered of a request, without what nobody was promised: a hundred bytes instead of a kilobyte or two.

A fleet's records differ in their id and their times; the rest is the same few words over and over. So a form is
kept once for all that share it, and the payload's echo not at all: it was in the event.
"""

from datetime import UTC, datetime

from attrs import evolve

from gmi_video.records import Snapshot, Status

MOST = 1000
"""Forms that are kept for sharing; a service that invents a word for each record gets no more."""


class Forms:
    """Snapshots without id and times, one for each model, word and owner."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, Status, str | None, str | None, bool | None], Snapshot] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, snapshot: Snapshot) -> Snapshot:
        """The form of a snapshot."""
        kind = (
            snapshot.model,
            snapshot.word,
            snapshot.status,
            snapshot.org_id,
            snapshot.user_id,
            snapshot.is_public,
        )
        found = self._kept.get(kind)
        if found is None:
            if len(self._kept) >= MOST:
                self._kept.clear()
            found = self._kept[kind] = evolve(
                snapshot,
                request_id="",
                created_at=None,
                updated_at=None,
                queued_at=None,
                outcome=None,
                failure=None,
                payload=None,
                extra={},
            )
        return found


def stamp(moment: datetime | None) -> float | None:
    """A time as Unix seconds, which take half the memory."""
    return None if moment is None else moment.timestamp()


def moment_at(seconds: float | None) -> datetime | None:
    """The time that `stamp` made of one."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
