"""Who adds to a batch: while one of them may add more, a run stays open."""

import asyncio
import contextlib
import weakref
from collections.abc import Callable, Iterator
from typing import Any

Task = asyncio.Task[Any]


class Producers:
    """Tasks that called `add`. One that reads the run is none: it would wait for itself."""

    def __init__(self) -> None:
        self._adding: list[Task | None] = []
        self._known: weakref.WeakSet[Task] = weakref.WeakSet()
        self._readers: weakref.WeakSet[Task] = weakref.WeakSet()
        self._finished = False

    @contextlib.contextmanager
    def adding(self) -> Iterator[Task | None]:
        """Around a call of `add`: gives its task."""
        task = asyncio.current_task()
        self._adding.append(task)
        try:
            yield task
        finally:
            self._adding.remove(task)

    def take(self, task: Task | None, ring: Callable[[], None]) -> None:
        """Whoever adds while a run is under way, and is not the one who reads it, may add more; `ring` tells of its end."""
        if task is not None and task not in self._readers and task not in self._known:
            self._known.add(task)
            task.add_done_callback(lambda _: ring())

    def begin(self, ring: Callable[[], None]) -> None:
        """A run begins, and is read by this task; whoever adds at this moment may add more."""
        self._readers.clear()
        self._finished = False
        self.read()
        for task in self._adding:
            self.take(task, ring)

    def read(self) -> None:
        """This task reads the run."""
        task = asyncio.current_task()
        if task is not None:
            self._readers.add(task)
            self._known.discard(task)

    def finish(self) -> None:
        """No more requests come, whatever the tasks do."""
        self._finished = True

    @property
    def busy(self) -> bool:
        """Whether somebody adds at this moment."""
        return bool(self._adding)

    @property
    def left(self) -> bool:
        """Whether more may be added."""
        if self._adding:
            return True
        return not self._finished and any(not task.done() for task in self._known)
