"""How the requests of a watch end, and what is told of each end."""

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any

from scene import SECONDS, stage, told, words
from watched import submitted

from gmi_video.events import Cancelled, Failed, Progressed, Stalled, Succeeded
from gmi_video.sandbox import Behaviour, Script
from gmi_video.testing import VirtualLoop, run


def test_every_end_has_its_event() -> None:
    """Success, failure and cancellation at the service are told apart."""
    lives = [SECONDS, Behaviour(seconds=30, fails="the dog ate it"), Behaviour(seconds=30, cancelled=True)]

    async def main() -> None:
        async with stage(Script(submissions=lives)) as (_, session):
            ids = await submitted(session, 3)
            seen = await told(session.watch(ids))

        ends = {event.request_id: event for event in seen if event.final}
        assert [type(ends[request_id]) for request_id in ids] == [Succeeded, Failed, Cancelled]
        failed = ends[ids[1]]
        assert isinstance(failed, Failed)
        assert str(failed.snapshot.failure) == "the dog ate it"

    run(main())


def test_a_state_that_nobody_knows_is_not_an_end() -> None:
    """An unknown word of the service is shown as it is, waited out, and reported when it stays."""
    odd = Behaviour(seconds=7200, queued=5, words={"processing": "marinating"})

    async def main() -> None:
        async with stage(Script(models={"*": odd})) as (_, session):
            ids = await submitted(session, 1)
            seen = await told(session.watch(ids))

        progress = [event.snapshot.word for event in seen if isinstance(event, Progressed)]
        stalled = [event for event in seen if isinstance(event, Stalled)]
        assert progress[-1] == "marinating"
        assert [event.reason for event in stalled] == ["unknown status"]
        assert words(seen)[-1] == "Succeeded"

    run(main())


def test_a_success_whose_links_come_late_is_waited_for() -> None:
    """For half a minute after a success without links the queue is asked again."""

    async def main() -> None:
        late = Behaviour(seconds=20, queued=1, outcome_after=8)
        never = Behaviour(seconds=20, queued=1, outcome_after=float("inf"))
        async with stage(Script(submissions=[late, never])) as (_, session):
            first, second = await submitted(session, 2)
            seen = await told(session.watch([first, second]))

        ends = {event.request_id: event for event in seen if event.final}
        late_end, empty_end = ends[first], ends[second]
        assert isinstance(late_end, Succeeded)
        assert isinstance(empty_end, Succeeded)
        assert late_end.snapshot.outcome is not None
        assert not (empty_end.snapshot.outcome and empty_end.snapshot.outcome.media)
        assert empty_end.elapsed >= 20 + 30

    run(main())


class Curt(VirtualLoop):
    """A loop whose timers can be cancelled and tell nothing, as uvloop's of less than a millisecond."""

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Any:  # type: ignore[override]  # looser
        timer = super().call_at(when, callback, *args, context=context)
        return SimpleNamespace(cancel=timer.cancel)

    def call_later(self, delay: float, callback: Any, *args: Any, context: Any = None) -> Any:  # type: ignore[override]  # looser
        return self.call_at(self.time() + delay, callback, *args, context=context)


def test_a_watch_asks_no_timer_when_it_is_due() -> None:
    """Every end is told whatever the loop's timers are made of."""

    async def main() -> Counter[str]:
        async with stage() as (sandbox, session):
            ids = await submitted(session, 20)
            found = Counter([type(event).__name__ async for event in session.watch(ids)])
            assert len(sandbox.charges) == 20
            return found

    with asyncio.Runner(loop_factory=Curt) as runner:
        assert runner.run(main())["Succeeded"] == 20


def test_an_id_given_twice_ends_once() -> None:
    """As bare ids and as records, while it runs and after its end."""

    async def main() -> list[int]:
        async with stage() as (_, session):
            (request_id,) = await submitted(session, 1)
            ends = []
            for twice in ([request_id] * 2, [request_id] * 2, [await session.snapshot(request_id)] * 2):
                events = [event async for event in session.watch(twice)]
                ends.append(sum(event.final for event in events))
            return ends

    assert run(main()) == [1, 1, 1]
