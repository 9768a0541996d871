"""How a whole batch is stopped. What is wrong with one line is an error of `gmi_video.errors` in its `Finished`."""

from decimal import Decimal
from typing import Any

from gmi_video.errors import ConfigurationError, GmiVideoError


class BudgetExceeded(GmiVideoError):
    """The next submission would have passed the budget, and was not sent; cheaper ones went on.

    `budget`, `spent` and `reserved` are US dollars by list prices; `parked` lines wait for a larger budget.
    """

    def __init__(
        self,
        message: str = "",
        *,
        budget: Decimal | None = None,
        spent: Decimal = Decimal(0),
        reserved: Decimal = Decimal(0),
        parked: int = 0,
        **common: Any,
    ) -> None:
        super().__init__(message, **common)
        self.budget = budget
        self.spent = spent
        self.reserved = reserved
        self.parked = parked


class JournalError(GmiVideoError):
    """The journal cannot be used; without it nothing is submitted. `path` is the file's."""

    def __init__(self, message: str = "", *, path: str = "", **common: Any) -> None:
        super().__init__(message, **common)
        self.path = path


class JournalLocked(JournalError, ConfigurationError):
    """Another process owns the journal: `pid`, or None where that cannot be told."""

    def __init__(self, message: str = "", *, pid: int | None = None, **common: Any) -> None:
        super().__init__(message, **common)
        self.pid = pid


class JournalCorrupt(JournalError):
    """The file is damaged. `Journal(path, readonly=True).rows()` still gives the lines that can be read."""


class JournalFull(JournalError):
    """The disk has no room for the journal: nothing more is submitted; make room and run again."""

    retryable = True


class JournalFailed(JournalError):
    """The disk failed under the journal, or did not sync it: nothing more is submitted in this process."""


class LineTaken(JournalError):
    """A line is under way already, or has ended: it is not sent once more. The last guard before money is spent."""
