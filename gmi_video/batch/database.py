"""One connection in one thread. Jobs that wait together are committed together, and are done once that is on disk.

A commit's sync costs the same for one row and for a hundred; while it lasts, the next group gathers.
"""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from gmi_video.batch.errors import JournalCorrupt, JournalError, JournalFailed, JournalFull

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], T]

GROUP = 512
"""Jobs that are committed together at most, so that one caller's wait stays short."""

DAMAGED = "the journal {!r} is damaged; its readable lines can be exported, nothing is submitted from it"


class _Waiting(NamedTuple):
    job: Job[Any]
    done: "asyncio.Future[Any]"


class Database:
    """A connection that only its own thread uses.

    A full disk fails the jobs of its group, and later ones may pass: the log is folded into the file then, so that
    its place on the disk can be written anew. After any other failure of the disk the
    connection is dropped for good: what a failed sync left in the kernel's cache cannot be trusted, so asking
    again would be told lies.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None, *, reading: bool = False) -> None:
        self._connection = connection
        self._reading = reading
        self._path = path
        self._file = None if path is None or reading else _identity(path)
        self._pid = os.getpid()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="gmi_video journal")
        self._waiting: list[_Waiting] = []
        self._draining: asyncio.Task[None] | None = None
        self.failure: JournalError | None = None
        self.closed = False

    async def do(self, job: Job[T]) -> T:
        """What a job returns, once everything that it wrote is on disk; raises `JournalError` leaves.

        A caller that is cancelled meanwhile cancels nothing: the job is done all the same.
        """
        self._check()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._waiting.append(_Waiting(job, done))
        if self._draining is None or self._draining.done():
            self._draining = loop.create_task(self._drain(loop), name="gmi_video journal")
        return await done

    def do_now(self, job: Job[T]) -> T:
        """As `do`, for callers without a loop; it blocks."""
        self._check()
        (outcome,) = self._thread.submit(self._group, [job]).result()
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome  # type: ignore[no-any-return]  # a group's outcomes are of any type; this one is of the job's

    async def idle(self) -> None:
        """Waits until nothing is being written."""
        while self._draining is not None and not self._draining.done():
            await asyncio.wait((self._draining,))

    def close(self) -> None:
        """Ends after the jobs under way, and those that still wait; a second call does nothing."""
        if self.closed:
            return
        self.closed = True
        if os.getpid() != self._pid:
            return
        left, self._waiting = self._waiting, []
        jobs = [waiting.job for waiting in left]
        last: Future[list[Any]] | None = None
        with contextlib.suppress(RuntimeError):  # the interpreter is ending, and its threads have ended
            last = self._thread.submit(self._last, jobs)
        self._thread.shutdown(wait=True)
        idle = last is None or last.cancel()  # so has this one's where it is garbage that closes it
        outcomes = last.result() if last is not None and not idle else self._last(jobs)
        for waiting, outcome in zip(left, outcomes, strict=True):
            loop = waiting.done.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle, waiting.done, outcome)

    def abandon(self) -> None:
        """Closes what nobody can reach any more. It may run in the middle of anything, and so waits for nothing.

        Python's executors share a lock: whoever collects garbage while it is held must not hand in another job.
        """
        if not self.closed and os.getpid() == self._pid:
            self._connection.close()
            self._thread.shutdown(wait=False)
        self.closed = True

    def _last(self, jobs: list[Job[Any]]) -> list[Any]:
        try:
            return self._group(jobs) if jobs else []
        finally:
            self._connection.close()

    def _check(self) -> None:
        if self.failure is not None:
            raise type(self.failure)(str(self.failure), path=self.failure.path)
        if self.closed:
            raise JournalError("the journal is closed", path=str(self._path))
        if os.getpid() != self._pid:
            message = "the journal was opened by the process that this one was forked from; open it anew"
            raise JournalError(message, path=str(self._path))

    async def _drain(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
            outcomes = await loop.run_in_executor(
                self._thread, self._group, [waiting.job for waiting in group]
            )
            for waiting, outcome in zip(group, outcomes, strict=True):
                _settle(waiting.done, outcome)

    def _group(self, jobs: list[Job[Any]]) -> list[Any]:
        """The outcome of each job, or its error; one transaction. Runs in the thread."""
        if self.failure is not None:
            return [self.failure] * len(jobs)
        if self._reading:
            return [self._read(job) for job in jobs]
        if self._path is not None and _identity(self._path) != self._file:
            return [self._gone(self._path)] * len(jobs)
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            outcomes = [_outcome(job, connection) for job in jobs]
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            found = told(error, self._path)
            self._undo(found)
            return [found] * len(jobs)
        return outcomes

    def _gone(self, path: Path) -> JournalError:
        """What is written from now on would be found by nobody."""
        message = f"the journal {str(path)!r} was removed, moved or replaced while it was in use"
        self.failure = JournalFailed(message, path=str(path))
        self._connection.close()
        return self.failure

    def _read(self, job: Job[Any]) -> Any:
        """A job's outcome outside of a transaction: once a damaged page was met, even the end of one fails."""
        try:
            return _outcome(job, self._connection)
        except sqlite3.Error as error:
            return told(error, self._path)

    def _undo(self, found: JournalError) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            found = JournalFailed(str(found), path=found.path)
        else:
            if isinstance(found, JournalFull):
                found = self._folded(found)
        if not isinstance(found, JournalFull):
            self.failure = found
            self._connection.close()

    def _folded(self, found: JournalError) -> JournalError:
        """Makes what the log holds on the disk writable once more, where the file has room for what is in it."""
        try:
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error as error:
            return told(error, self._path)
        return found


def _settle(done: "asyncio.Future[Any]", outcome: Any) -> None:
    if done.done():
        return
    if isinstance(outcome, BaseException):
        done.set_exception(outcome)
    else:
        done.set_result(outcome)


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from another of its name; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _outcome(job: Job[Any], connection: sqlite3.Connection) -> Any:
    """What a job returns; its own complaint is its caller's alone, the disk's is the whole group's."""
    try:
        return job(connection)
    except sqlite3.Error:
        raise
    except Exception as error:  # noqa: BLE001  # handed to the caller, as it is
        return error


def told(error: sqlite3.Error, path: Path | None, verb: str = "written") -> JournalError:
    """SQLite's error in our words; they hold no row."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    name = str(path)
    if code == sqlite3.SQLITE_FULL:
        return JournalFull(f"the disk has no room for the journal {name!r}", path=name)
    if code == sqlite3.SQLITE_CORRUPT:
        return JournalCorrupt(DAMAGED.format(name), path=name)
    if code == sqlite3.SQLITE_NOTADB:
        message = f"{name!r} is no journal, or one whose beginning is damaged; nothing is submitted from it"
        return JournalCorrupt(message, path=name)
    what = getattr(error, "sqlite_errorname", type(error).__name__)
    return JournalFailed(f"the journal {name!r} cannot be {verb} ({what})", path=name)
