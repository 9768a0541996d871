"""The last guard before money is spent: a line that is under way, or has ended, is not sent once more."""

import asyncio
from functools import partial
from pathlib import Path
from random import Random

import anyio
import pytest
from attrs import evolve

from batch.rundown import rivers, stage
from gmi_video import Intent, Session, Snapshot, State
from gmi_video.batch import Batch, Journal
from gmi_video.batch.counts import Counts
from gmi_video.batch.errors import LineTaken
from gmi_video.batch.shelf import kept
from gmi_video.batch.steps import begun, change, state_of
from gmi_video.batch.submitting import Submitting
from gmi_video.batch.work import Line, Options, Work
from gmi_video.errors import Unauthorized
from gmi_video.testing import run

FIRST = Intent(
    id="first", model="Veo3", digest="d", payload={"prompt": "a river"}, state=State.SENDING, attempt=1
)


@pytest.mark.parametrize("state", ["running", "saving", "done", "failed", "parked"])
def test_a_line_that_is_not_waiting_is_not_sent(state: str, tmp_path: Path) -> None:
    """The commit that precedes the first byte fails where the line is anything but waiting."""
    with pytest.raises(LineTaken, match=f"line 1 is {state} already: nothing was sent"):
        sent(tmp_path / "run.db", state, FIRST)


def test_only_its_own_submission_sends_a_line_again(tmp_path: Path) -> None:
    """A second POST is its first one's; any other submission of the line is refused."""
    sent(tmp_path / "a.db", "waiting", FIRST, evolve(FIRST, attempt=2))

    with pytest.raises(LineTaken):
        sent(tmp_path / "b.db", "waiting", FIRST, evolve(FIRST, id="second"))


class Refusing:
    """A session whose key is refused as soon as anything is looked for."""

    def using(self, **_: object) -> "Refusing":
        return self

    async def recover(self, intent: Intent) -> Snapshot:
        message = f"the key was refused while {intent.id} was looked for"
        raise Unauthorized(message, status=401)


def test_what_may_have_been_accepted_is_not_sent_anew_whatever_ends_its_search(tmp_path: Path) -> None:
    """Only an answer decides about a POST: any other error leaves its line, its money and the journal as they were."""
    sent(tmp_path / "run.db", "waiting", FIRST)

    async def main(journal: Journal) -> tuple[str, str, int, bool]:
        session: Session = Refusing()  # type: ignore[assignment]  # as much of one as is asked
        work = Work(session, journal, await journal.do(Counts.read), Options(), lambda _: None)
        async with anyio.create_task_group() as group:
            submitting = Submitting(work, group, nobody, Random(1), {"Veo3"})
            (kept_line,) = await journal.do(partial(begun, after=0, most=9))
            line = Line.of(kept_line)
            await submitting.recover(line, FIRST)
            again = len(submitting.lane("Veo3").again)
            group.cancel_scope.cancel()
        return await journal.do(partial(state_of, number=1)), line.held, again, work.halted

    with Journal(tmp_path / "run.db") as journal:
        assert asyncio.run(main(journal)) == ("submitting", "reserved", 0, True)


async def nobody(line: Line, snapshot: Snapshot) -> None:
    """Takes over what was accepted, which is nothing here."""


def sent(path: Path, state: str, *intents: Intent) -> None:
    """Keeps submissions of a line that is in a state."""

    async def main() -> None:
        async with stage() as (_, session), Batch(session, journal=path) as batch:
            await batch.add(rivers(1))

    async def put(journal: Journal) -> None:
        await journal.do(partial(change, number=1, state=state))
        for intent in intents:
            await journal.do(partial(kept, line=1, intent=intent, reply=b"", told={}, again=False, most=0))

    run(main())
    with Journal(path) as journal:
        asyncio.run(put(journal))
