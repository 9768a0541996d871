"""Thousands of prompts in, files out: through crashes, throttling, empty accounts and full disks, nothing paid twice.

    async with Session() as session:
        batch = Batch(session, journal="run.db", out="videos", budget="20")
        await batch.add(requests)
        async for done in batch.run():
            print(done.key, done.error or done.video.path)

`Batch(session, *, journal=None, out=None, name="{key}", budget=None, assume_price=None, max_in_flight=None,
retry=None, resubmit_absent=0)`: `await add(requests)`, `finish()`, `run()` (an async iterator of `Finished`),
`statistics()`, `await audit()` (a tuple of `Orphan`), `await adopt(orphan)`.

`Journal(path, *, force=False, readonly=False)`: `open()` and `close()`, or `with`; `rows()` is an iterator of `Row`,
read as it goes; `statistics()`. It is a `Store` of the session's ledger as well.
"""

from gmi_video.batch.batch import Batch
from gmi_video.batch.errors import (
    BudgetExceeded,
    JournalCorrupt,
    JournalError,
    JournalFailed,
    JournalFull,
    JournalLocked,
)
from gmi_video.batch.journal import Journal
from gmi_video.batch.records import BatchStatistics, Finished, Orphan, Retry, Row, Sink, Stored, Tally

__all__ = [
    "Batch",
    "BatchStatistics",
    "BudgetExceeded",
    "Finished",
    "Journal",
    "JournalCorrupt",
    "JournalError",
    "JournalFailed",
    "JournalFull",
    "JournalLocked",
    "Orphan",
    "Retry",
    "Row",
    "Sink",
    "Stored",
    "Tally",
]
