"""The last guard before money is spent: a line that is under way, or has ended, is not sent once more."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from attrs import evolve

from batch.rundown import rivers, stage
from gmi_video import Intent, State
from gmi_video.batch import Batch, Journal
from gmi_video.batch.errors import LineTaken
from gmi_video.batch.shelf import kept
from gmi_video.batch.steps import change
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
