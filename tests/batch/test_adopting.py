"""What adopting an orphan means for the line that it is given to."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from attrs import evolve

from gmi_video import Intent, State, VideoRequest
from gmi_video.batch import Journal, Orphan, passes, steps
from gmi_video.batch.audit import adopt
from gmi_video.batch.lines import line_of
from gmi_video.errors import ConfigurationError

REQUEST = VideoRequest("Veo3", {"prompt": "a"})


def orphan(number: int, request_id: str = "r-1") -> Orphan:
    return Orphan(request_id=request_id, model="Veo3", status="queued", number=number)


async def sent(journal: Journal) -> None:
    """A line whose submission nobody knows the end of."""
    await journal.do(passes.begin)
    await journal.do(partial(passes.add, one_pass=1, new=[line_of(REQUEST, lambda _: "")]))
    intent = Intent(id="a", model="Veo3", digest="d", payload=REQUEST.payload)
    for state in (State.SENDING, State.NEEDS_DECISION):
        put = partial(steps.submission, line=1, reply=b"", told={})
        await journal.do(partial(put, intent=evolve(intent, state=state)))


def test_a_line_that_was_given_an_orphan_has_nothing_to_decide(tmp_path: Path) -> None:
    """Its submission is closed for whoever asks for it, so that none is told that it is sent anew."""

    async def main(journal: Journal) -> tuple[str, bool]:
        await sent(journal)
        await journal.do(partial(adopt, orphan=orphan(1)))
        intent = await journal.do(partial(steps.intent_of, line=1))
        assert intent is not None
        return (await journal.do(partial(steps.one, number=1))).state, intent.state.open

    with Journal(tmp_path / "run.db") as journal:
        assert asyncio.run(main(journal)) == ("running", False)


def test_an_orphan_of_a_line_that_is_gone_stays_one(tmp_path: Path) -> None:
    """It is refused with what to do, and can still be adopted after that."""

    async def main(journal: Journal) -> int:
        await sent(journal)
        with pytest.raises(ConfigurationError, match="line 9 is not in the journal any more; audit it anew"):
            await journal.do(partial(adopt, orphan=orphan(9)))
        return await journal.do(partial(adopt, orphan=orphan(1)))

    with Journal(tmp_path / "run.db") as journal:
        assert asyncio.run(main(journal)) == 1
