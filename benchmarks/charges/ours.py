"""`gmi_video` at its default settings against the same service, in virtual time: waiting for lists is free."""

import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from itertools import islice
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

from attrs import asdict

from benchmarks.charges.service import Fault, Service
from benchmarks.charges.tally import tally
from gmi_video import Session, Settings, Snapshot, VideoRequest, errors
from gmi_video.testing import run

MODELS = ("Veo3", "wan2.7-t2v", "Luma-Ray2", "kling-v2-6")
CALLERS = 100
"""Tasks that submit, one wish after the other."""
_PAGE = 100


class _Gmi(Service):
    """The service with GMI's records: a look, a list that is newest first, and a schema of one parameter."""

    def __init__(self, fault: Fault | None, seed: int, *, echo: bool) -> None:
        super().__init__(fault, seed)
        self._echo = echo
        self._offset = time.time() - asyncio.get_running_loop().time()
        self._records: dict[str, dict[str, Any]] = {}

    def is_submission(self, method: str, path: str) -> bool:
        """As the vendor's pages say."""
        return method == "POST" and path == "/requests"

    def accepted(self, name: str, body: bytes) -> Mapping[str, Any]:
        """The record begins its life; the answer leaves its payload out."""
        now = int(self._offset + asyncio.get_running_loop().time())
        said = json.loads(body)
        known = {"request_id": name, "model": said["model"], "status": "queued"}
        times = dict.fromkeys(("created_at", "updated_at", "queued_at"), now)
        payload = said["payload"] if self._echo else {}
        self._records[name] = {**known, **times, "payload": payload, "outcome": None}
        return {**known, **times}

    def other(self, method: str, target: str) -> Mapping[str, Any]:  # noqa: ARG002  # all else is a GET
        """A list, a record, or a model."""
        parts = urlsplit(target)
        last = parts.path.rpartition("/")[2]
        if parts.path == "/requests":
            return self._listed({name: values[0] for name, values in parse_qs(parts.query).items()})
        if last in self._records:
            return self._records[last]
        return {"model": last, "parameters": [{"name": "prompt", "type": "string", "required": True}]}

    def _listed(self, query: Mapping[str, str]) -> Mapping[str, Any]:
        model, first = query.get("model_id"), int(query.get("offset", 0))
        most = int(query.get("limit", _PAGE))
        newest = (self._records[name] for name in reversed(self._records))
        wanted = (record for record in newest if model in (None, record["model"]))
        page = list(islice(wanted, first, first + most + 1))
        return {"requests": page[:most], "has_more": len(page) > most}


def _wishes(submits: int, *, same: bool) -> list[int]:
    """The numbers of the wishes; with `same`, every second one is one of twenty that are equal to a letter."""
    numbers = [number // 2 % 20 if same and number % 2 else 1000 + number for number in range(submits)]
    Random(7).shuffle(numbers)
    return numbers


async def _submitted(session: Session, number: int, told: dict[str, int]) -> str | None:
    """The class of the error, None where an id came."""
    payload = {"prompt": f"wish-{number} of a fox in snow"}
    try:
        snapshot: Snapshot = await session.submit(VideoRequest(MODELS[number % len(MODELS)], payload))
    except errors.GmiVideoError as error:
        return type(error).__name__
    told[snapshot.request_id] = number
    return None


async def _measured(
    fault: Fault | None, submits: int, *, same: bool, echo: bool, gap: float
) -> dict[str, Any]:
    service = _Gmi(fault, seed=11, echo=echo)
    wishes = _wishes(submits, same=same)
    told: dict[str, int] = {}
    raised: list[str] = []

    async def caller(numbers: Iterable[int], session: Session) -> None:
        for number in numbers:
            await asyncio.sleep(gap)
            error = await _submitted(session, number, told)
            raised.extend([error] if error else [])

    async with (
        service.serving() as url,
        Session(Settings(api_key="a-benchmark-key", base_url=url), rng=Random(3)) as session,
    ):
        waiting = iter(wishes)
        async with asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(caller(waiting, session))
        undecided = len(await session.uncertain())
    counted = tally(wishes, service.jobs, told, undecided)
    return {**asdict(counted), "errors": {name: raised.count(name) for name in set(raised)}}


def measured(
    fault: Fault | None, submits: int, *, same: bool = False, echo: bool = True, gap: float = 0.0
) -> dict[str, Any]:
    """One run of ours as a dict for JSON; `gap` are virtual seconds that a caller lets pass before each wish."""
    return run(_measured(fault, submits, same=same, echo=echo, gap=gap))
