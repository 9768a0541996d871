"""What is given to `add` arrives, whatever becomes of the iterable that gives it."""

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from batch.rundown import rivers, stage
from gmi_video import VideoRequest
from gmi_video.batch import Batch
from gmi_video.batch.adding import Requests
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
