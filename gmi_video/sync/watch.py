"""`Watch`: the events of many requests as a plain iterator and context manager."""

from collections.abc import AsyncIterable, Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from gmi_video import Event, Snapshot
from gmi_video import Watch as AsyncWatch
from gmi_video.sync.face import Face, Items, told
from gmi_video.sync.thread import LoopThread

Id = str | Snapshot
Ids = Mapping[Id, Any] | Iterable[Id] | AsyncIterable[Id]


def in_hand(ids: Ids) -> Ids:
    """The ids, read to their end in the caller's thread: a database's cursor may be read in no other.

    What is no collection of ids stays as it is, to be refused by the one sentence there is for it.
    """
    if isinstance(ids, str | bytes | Snapshot | AsyncIterable):
        return ids
    return dict(ids) if isinstance(ids, Mapping) else list(ids)


class Watch(Face[AsyncWatch]):
    """Events of many requests through one iterator; each id ends in exactly one final event.

    Iteration ends when no id is left, with `keep_open` only after `finish()`, and when the session is closed.
    `add`, `drop` and `finish` may be called from other threads. Made by `Session.watch`.
    """

    def __init__(self, inner: AsyncWatch, thread: LoopThread, owner: object) -> None:
        super().__init__(inner, thread, owner)
        self._events = Items(inner, thread)

    def __enter__(self) -> Self:
        self._wait(AsyncWatch.__aenter__)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        if self._events.ended:
            raise StopIteration
        return next(self._events)

    def add(self, ids: Ids) -> None:
        """Follows more ids, read to their end at once; one that is followed already is left as it is.

        Raises `ConfigurationError` for what is not an id, and where the watch is closed.
        """
        self._wait(AsyncWatch.add, in_hand(ids))

    drop = told(AsyncWatch.drop)
    finish = told(AsyncWatch.finish)
    statistics = told(AsyncWatch.statistics)

    def close(self) -> None:
        """Follows nothing any more; waiting events stay readable. A second call does nothing."""
        if not self._events.ended:
            self._wait(AsyncWatch.aclose)
