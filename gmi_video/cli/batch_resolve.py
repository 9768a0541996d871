"""`gmi-video batch resolve`: somebody decides what a line is whose submission's answer was lost."""

from functools import partial
from pathlib import Path

from gmi_video.batch import Journal
from gmi_video.batch.steps import intent_of
from gmi_video.cli import exits
from gmi_video.cli.batch_journal import present
from gmi_video.cli.desk import Desk
from gmi_video.cli.plain import printable
from gmi_video.errors import ConfigurationError

NONE = "none"


async def resolve(desk: Desk, path: Path, number: int, request_id: str) -> int:
    """Writes the decision to the journal; the next run follows the request, or submits the line anew."""
    from gmi_video.session import Session  # noqa: PLC0415  # its network takes a while to load

    with Journal(present(path)) as journal:
        intent = await journal.do(partial(intent_of, line=number))
        if intent is None or not intent.state.open:
            state = "was never sent" if intent is None else f"is {intent.state.value} already"
            message = f"line {number} of {path} {state}: there is nothing to decide"
            raise ConfigurationError(message)
        async with Session(store=journal) as session:
            if request_id == NONE:
                await session.resolve(intent, absent=True)
                desk.note(f"Line {number} never ran: the next run of the batch submits it anew.")
            else:
                snapshot = await session.resolve(intent, request_id=request_id)
                word = printable(snapshot.word, 24) if snapshot else "accepted"
                desk.note(
                    f"Line {number} is request {printable(request_id)} ({word}): the next run goes on with it."
                )
    return exits.OK
