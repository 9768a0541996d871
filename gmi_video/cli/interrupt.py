"""Running one command to its end, or to a clean interruption that says what goes on and how to pick it up."""

import asyncio
import os
import shlex
import signal
import traceback
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from gmi_video.cli import exits
from gmi_video.cli.desk import Desk
from gmi_video.cli.plain import printable
from gmi_video.errors import GmiVideoError
from gmi_video.events import Event
from gmi_video.notices import Abandoned, Exchange, Notice, Submitted

GRACE = 15
"""Seconds for which a session that closes waits for the answer to a submission under way."""

FEW = 20
"""Ids that are named on leaving; more of them are written to a file, where they are not in one already."""

Again = Callable[[Sequence[str]], str]

_UNSENT = frozenset({"Unreachable", "CancelledError"})
"""How an exchange of a submission ends without an answer and without a search for it. (A gateway that lost
the answer says 502 or 504.)"""


class Running:
    """The requests that go on at the service whatever becomes of this process, and how to return to them.

    `file` is the command that returns to all of them where they came from a file, `unread` the file that was
    not read to its end, `kept` the command that goes on with a file of which some came. `drain` is what the first
    interruption does instead of cancelling. `observe` is an observer for the session: what it hears while the
    session closes counts as well, so that an id is told even where the interruption hit between a submission and
    its answer.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.tell = tell
        self.again: Again = lambda ids: f"gmi-video watch {' '.join(ids)}"
        self.interrupted = False
        self.asking = False
        self.file: str | None = None
        self.unread: str | None = None
        self.kept: str | None = None
        self.drain: Callable[[], None] | None = None
        self._ids: dict[str, Any] = {}
        self._unseen: set[str] = set()
        self._unanswered = False

    @property
    def ids(self) -> tuple[str, ...]:
        """What is still to be returned to, oldest first."""
        return tuple(self._ids)

    def shares(self, ids: dict[str, Any]) -> None:
        """The requests of a fleet, counted by whoever follows it: what is in `ids` goes on."""
        self._ids = ids

    def took(self, *request_ids: str, seen: bool = True) -> None:
        """These are being waited for; not `seen` are those that may not exist, for nothing was heard of them yet."""
        self._ids.update(dict.fromkeys(request_ids))
        if not seen:
            self._unseen.update(request_ids)

    def heard(self, event: Event) -> None:
        """Something was heard of one of them: if that is a record, it exists."""
        if getattr(event, "snapshot", None) is not None:
            self._unseen.discard(event.request_id)

    def done(self, request_id: str | None) -> None:
        """This one is finished with."""
        self._ids.pop(request_id or "", None)

    def _written(self) -> str | None:
        """The command that returns to many ids, which are written to a new file; None where none can be made."""
        for number in range(1, 1000):
            path = Path(f"gmi-video-ids{f'-{number}' if number > 1 else ''}.txt")
            try:
                with path.open("x", encoding="ascii") as file:
                    file.writelines(f"{name}\n" for name in self._ids)
            except FileExistsError:
                continue
            except OSError:
                break
            return shlex.join(["gmi-video", "watch", "--ids", str(path)])
        return None

    def observe(self, notice: Notice) -> None:
        """Learns of submissions, among them those whose answer came after the interruption."""
        match notice:
            case Submitted(request_id=request_id):
                self.asking = False
                self.took(request_id)
            case Abandoned(request_id=request_id, error=error):
                self.asking = False
                if request_id is not None:
                    self.took(request_id)
                elif error == "SubmissionUncertain":
                    self._unanswered = True
            case Exchange(operation="submit", status=None | 502 | 504, error=error) if error not in _UNSENT:
                self.tell("The answer to the submission was lost; looking for it in the list of requests.")

    def farewell(self) -> list[str]:
        """What to tell on leaving: which ids go on and the command that returns to them."""
        lines = []
        if self._ids:
            unseen = [name for name in self._ids if name in self._unseen]
            known = len(self._ids) - len(unseen)
            what = "1 request goes on" if known == 1 else f"{known:,} requests go on"
            file = self.file or self._written() if len(self._ids) > FEW else None
            if known:
                ids = "" if file else f": {' '.join(name for name in self._ids if name not in self._unseen)}"
                lines.append(f"{what} running (paid for, nothing is lost){ids}")
            if unseen:
                ids = "" if file else f": {' '.join(unseen)}"
                lines.append(f"GMI has told nothing yet of {len(unseen):,}{ids}")
            lines.append(f"To pick up where this left off: {file or self.again(self.ids)}")
        if self.kept and self.interrupted:
            lines.append(f"What came of the file is kept. To go on with it: {self.kept}")
        if self.unread:
            lines.append(f"{self.unread} was not read to its end, and may name more.")
        if self._unanswered:
            lines.append(
                "A submission was broken off before its answer; it may be running and be charged. "
                "See whether it is: gmi-video list --since 15m"
            )
        return lines


def run(desk: Desk, work: Callable[[Running], Awaitable[int]]) -> int:
    """The exit code of `work`, run in an event loop of its own; errors become one sentence on stderr.

    Ctrl-C and SIGTERM cancel the work and let it close; a second one does not wait for the closing.
    """
    running = Running(desk.note)
    try:
        with asyncio.Runner() as runner:
            code = runner.run(_attended(desk, work, running))
    except KeyboardInterrupt:  # where the loop cannot take signals itself, as on Windows
        running.interrupted = True
        code = exits.INTERRUPTED
    except GmiVideoError as error:
        code = _failed(desk, error, running)
    if running.interrupted:
        desk.note("Interrupted.")
    if code not in {exits.OK, exits.USAGE}:  # wrong usage: nothing was begun
        for line in running.farewell():
            desk.pointer(line)
    return exits.INTERRUPTED if running.interrupted else code


async def _attended(desk: Desk, work: Callable[[Running], Awaitable[int]], running: Running) -> int:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work(running))

    def interrupt() -> None:
        if running.drain is not None and not running.interrupted:
            running.interrupted = True
            running.drain()
            return
        if running.asking and not running.interrupted:
            wait = (
                f"Waiting up to {GRACE} s for the answer to a submission under way, so that its id is known"
            )
            desk.note(f"{wait}; interrupt again to leave at once.")
        running.interrupted = True
        task.cancel()

    signals = (signal.SIGINT, signal.SIGTERM)
    with suppress(NotImplementedError):
        for number in signals:
            loop.add_signal_handler(number, interrupt)
    try:
        return await task
    except asyncio.CancelledError:
        if not running.interrupted:
            raise
        return exits.INTERRUPTED
    finally:
        with suppress(NotImplementedError):
            for number in signals:
                loop.remove_signal_handler(number)


def _failed(desk: Desk, error: GmiVideoError, running: Running) -> int:
    if os.environ.get("GMI_VIDEO_DEBUG"):
        traceback.print_exception(error)
    desk.record(error)
    desk.fail(printable(error))
    advice = exits.advice(error)
    if advice:
        desk.pointer(advice)
    if exits.over(error):
        running.done(error.request_id)
    return exits.code_of(error)
