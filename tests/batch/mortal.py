"""A batch as a program that can be killed: by itself at a named point, or from outside at any moment.

Run as a process of its own it begins lives, one after the other: each is a fork of it, which has everything imported
and nothing begun. A line of JSON on its stdin asks for one (the arguments of `live`); its stdout says the life's
process id, and how that ended. A trap is "point:when:n": a life kills itself before or after the n-th commit of a kind.
"""

import asyncio
import json
import os
import signal
import sys
import traceback
from functools import partial
from pathlib import Path
from typing import Any

from attrs import evolve

import gmi_video._transport  # noqa: F401  # else each life would import it anew
from gmi_video import Limits, Pace, Patience, Session, Settings, VideoRequest
from gmi_video.batch import Batch, Journal, Retry
from gmi_video.batch.database import Job, T
from gmi_video.ledger import Intent

POINTS = ("add", "sending", "accepted", "saving", "aim", "done", "tell")
"""Commits of a batch, in the order in which a line meets them."""


def point_of(job: Any) -> str:
    """What a job of the journal is called here."""
    if not isinstance(job, partial):
        return ""
    intent = job.keywords.get("intent")
    if isinstance(intent, Intent):
        return intent.state.value
    return str(job.keywords.get("state", job.func.__name__))


class Mortal(Journal):
    """A journal that kills its process at one of its commits: before it is begun, or once it is done."""

    def __init__(self, path: Path, trap: str) -> None:
        super().__init__(path)
        self._point, self._when, number = (trap or "never:before:0").split(":")
        self._left = int(number)

    async def do(self, job: Job[T]) -> T:
        """As a journal's, to the death."""
        here = point_of(job) == self._point
        self._left -= here
        fatal = here and self._left == 0
        if fatal and self._when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        done = await super().do(job)
        if fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return done


SETTINGS = Settings(
    api_key="sandbox-key",
    settle=1.0,
    pace=Pace(first=0.05, growth=1.2, longest=0.2),
    patience=Patience(first=0.05, longest=0.2),
    limits=Limits(submissions=16),
    timeout=10,
    submit_timeout=10,
)


async def main(url: str, folder: Path, lines: int, trap: str) -> None:
    """Runs the batch as far as it lives, and writes down each end that it was told."""
    requests = [VideoRequest("Veo3", {"prompt": f"river {number}"}, key=number) for number in range(lines)]
    told = os.open(folder / "told.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    async with Session(evolve(SETTINGS, base_url=url)) as session:
        batch = Batch(
            session,
            journal=Mortal(folder / "run.db", trap),
            out=folder / "videos",
            max_in_flight=64,
            retry=Retry(attempts=5, kinds=frozenset({"rate", "service", "unknown"})),
            resubmit_absent=10_000,
        )
        await batch.add(requests)
        async for done in batch.run():
            end = {"key": done.key, "state": done.state, "error": repr(done.error) if done.error else None}
            os.write(told, json.dumps(end).encode() + b"\n")
        await batch.aclose()


def live(url: str, folder: str, lines: int, trap: str) -> None:
    """One life, to its end; what it complains of is in a file of its folder."""
    with (Path(folder) / "errors.txt").open("ab") as errors:
        os.dup2(errors.fileno(), sys.stderr.fileno())
    code = 1
    try:
        asyncio.run(main(url, Path(folder), lines, trap))
        code = 0
    except BaseException:  # noqa: BLE001  # a fork never returns to where it came from
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    for asked in sys.stdin:
        child = os.fork()
        if child == 0:
            live(**json.loads(asked))
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()
