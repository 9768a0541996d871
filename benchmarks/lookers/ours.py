"""gmi_video: a watch whose ids are due again at once, at most so many looks at a time; no sweeps."""

import asyncio
import itertools
import sys

from benchmarks.lookers.course import serve
from benchmarks.server import LOOKS
from gmi_video import Pace, Session, Settings

_ALWAYS = Pace(first=0.001, longest=0.001, jitter=0, sweep="never")


def main() -> None:
    """Keeps one loop and a session for each limit, as a service would."""
    url = sys.argv[1]
    runner = asyncio.Runner()
    turns = itertools.count()
    sessions: dict[int, Session] = {}

    async def course(looks: int, at_once: int) -> None:
        if at_once not in sessions:
            sessions[at_once] = Session(Settings(api_key="benchmark", base_url=url, concurrency=at_once))
        turn, ended = next(turns), 0
        names = [f"w{turn:04}-{number:031}" for number in range(looks // LOOKS)]
        async with sessions[at_once].watch(names, pace=_ALWAYS) as events:
            async for event in events:
                ended += event.final
        assert ended == len(names)

    async def close() -> None:
        for session in sessions.values():
            await session.aclose()

    serve(lambda looks, at_once: runner.run(course(looks, at_once)))
    runner.run(close())
    runner.close()


main()
