"""The store that a batch's session writes its submissions to: each one together with its line, in one commit."""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from gmi_video.batch import facts, steps
from gmi_video.batch.errors import LineTaken
from gmi_video.batch.work import Line, Work
from gmi_video.errors import ConfigurationError, Unreachable
from gmi_video.ledger import Intent, State

SECOND_POSTS = "second_posts"
"""The fact under which the journal counts second POSTs, so that a number allowed is a number over all runs."""


class Shelf:
    """The ledger's store for one line."""

    shared = False

    def __init__(self, work: Work, line: Line) -> None:
        self._work = work
        self._line = line
        self._before = line.attempts
        self._last: State | None = None
        self._under_way = False

    async def put(self, intent: Intent, reply: bytes = b"") -> None:
        """As the protocol says; what it means for the line is in the same commit."""
        line, work = self._line, self._work
        told: dict[str, Any] = {"attempts": self._before + intent.attempt}
        if intent.state is State.SENDING:
            told |= {"cost": None if line.cost is None else str(line.cost), "price_words": line.words}
            if work.halted:
                message = "the batch submits nothing more"
                raise ConfigurationError(message)
        again = intent.state is State.SENDING and self._last is State.ABSENT
        await work.journal.do(
            partial(
                kept,
                line=line.number,
                intent=intent,
                reply=reply,
                told=told,
                again=again,
                most=work.options.resubmit_absent,
            )
        )
        self._last = intent.state
        line.attempts = self._before + intent.attempt
        self._sends(intent.state is State.SENDING)
        if intent.state is State.SENDING and line.state in {"waiting", "uncertain"}:
            work.moved(line, "submitting")
        elif intent.state is State.PREPARED and line.state == "submitting":
            work.moved(line, "waiting")  # it was provably not taken, and waits for its turn once more

    def _sends(self, now: bool) -> None:  # noqa: FBT001  # private, and named at its one call
        """Counts the POSTs whose answer may still come: the journal stays open for them."""
        if now is not self._under_way:
            self._under_way = now
            self._work.sending += 1 if now else -1
            self._work.bell.ring()

    async def claim(self, request_id: str, intent_id: str) -> bool:
        """As the protocol says."""
        return await self._work.journal.claim(request_id, intent_id)

    async def claims(self, request_ids: Collection[str]) -> Mapping[str, str]:
        """As the protocol says."""
        return await self._work.journal.claims(request_ids)

    async def undecided(self) -> tuple[Intent, ...]:
        """As the protocol says."""
        return await self._work.journal.undecided()


def kept(
    connection: Any, *, line: int, intent: Intent, reply: bytes, told: dict[str, Any], again: bool, most: int
) -> None:
    """Keeps a submission, and counts it where it is a second POST; raises where no more of them are allowed."""
    if intent.state is State.SENDING:
        _check_free(connection, line, intent)
    if again:
        made = int(facts.fact(connection, SECOND_POSTS) or 0)
        if made >= most:
            message = f"{made} second posts were made, and no more are allowed (resubmit_absent={most})"
            raise Unreachable(message, retryable=False)  # so the first one stays undecided
        facts.set_fact(connection, SECOND_POSTS, str(made + 1))
    steps.submission(connection, line, intent, reply, told)


def _check_free(connection: Any, line: int, intent: Intent) -> None:
    """Raises `LineTaken` where another submission has the line: whatever went wrong before, it is paid once."""
    state = steps.state_of(connection, line)
    if state not in {"waiting", "submitting", "uncertain"} or steps.rivals(connection, line, intent):
        raise LineTaken(f"line {line} is {state} already: nothing was sent")
