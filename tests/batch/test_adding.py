"""What is given to `add` arrives, whatever becomes of the iterable that gives it."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from batch.rundown import rivers, stage
from gmi_video import VideoRequest
from gmi_video.batch import Batch
from gmi_video.batch.adding import Requests
from gmi_video.errors import ConfigurationError, PayloadInvalid
from gmi_video.testing import run


def breaking(count: int) -> Iterator[VideoRequest]:
    """A source that breaks off after so many."""
    yield from rivers(count)
    message = "the table ends here"
    raise OSError(5, message)


async def breaking_too(count: int) -> AsyncIterator[VideoRequest]:
    """As above, for those who wait."""
    for request in breaking(count):
        yield request


@pytest.mark.parametrize("count", [0, 3, 500, 700])
@pytest.mark.parametrize("source", [breaking, breaking_too])
def test_what_came_before_an_iterable_broke_off_is_added(
    source: Callable[[int], Requests], count: int
) -> None:
    """All requests that an iterable gave are lines of the batch, and then its own error is raised."""

    async def main() -> int:
        async with stage() as (_, session), Batch(session) as batch:
            with pytest.raises(OSError, match="the table ends here"):
                await batch.add(source(count))
            return batch.statistics().lines.waiting

    assert run(main()) == count


BAD = {
    "what JSON cannot hold": (
        VideoRequest("Veo3", {"image": b"bytes"}),
        r"request 4: payload\.image: a bytes cannot be sent",
    ),
    "the same, with a key": (
        VideoRequest("Veo3", {"image": {1}}, key=7),
        r"request 4 \(key 7\): payload\.image: a set",
    ),
    "no file": (
        VideoRequest("Veo3", {"image": Path("/no/such.png")}),
        r"request 4: '/no/such\.png' cannot be read",
    ),
    "no request": (cast("VideoRequest", "Veo3"), "not str"),
    "a key taken": (
        VideoRequest("Veo3", {"prompt": "b"}, key="Veo3-1"),
        '"Veo3-1" already stands for another',
    ),
    "no price": (
        VideoRequest("a-model-of-nobody", {"prompt": "a"}),
        r"request 4: the catalog names no price of a-model",
    ),
}


@pytest.mark.parametrize(("bad", "why"), BAD.values(), ids=BAD)
def test_a_request_that_is_refused_takes_none_before_it_along(bad: VideoRequest, why: str) -> None:
    """Those before it are lines that are counted, run and end; it and those after it are not there; the rest can be added."""

    async def main() -> tuple[int, int, int]:
        async with stage() as (_, session), Batch(session, budget=1000) as batch:
            requests = list(rivers(5))
            with pytest.raises((ConfigurationError, PayloadInvalid), match=why):
                await batch.add([*requests[:3], bad, *requests[3:]])
            waiting = batch.statistics().lines.waiting
            ran = sorted([done.key async for done in batch.run()])
            assert ran == [request.key for request in requests[:3]]
            return waiting, batch.statistics().lines.total, await batch.add(requests)

    assert run(main()) == (3, 3, 2)
