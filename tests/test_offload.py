"""What runs off the loop is waited for: through cancellations of either kind, and without spinning."""

import asyncio

import anyio
import pytest

from gmi_video._offload import ended
from gmi_video.testing import run


class Asked(asyncio.Future[str]):
    """A job that counts how often somebody asks whether it is done."""

    times = 0

    def done(self) -> bool:
        self.times += 1
        return super().done()


@pytest.mark.parametrize("how", ["task", "scope"])
def test_who_is_cancelled_waits_for_the_thread_in_peace(how: str) -> None:
    """The cancellation passes once the job has ended; until then nothing turns, whoever cancelled."""

    async def main() -> tuple[bool, bool, int]:
        job = Asked()

        async def wait() -> None:
            with anyio.CancelScope() as scope:
                if how == "scope":
                    asyncio.get_running_loop().call_soon(scope.cancel)
                await ended(job)

        waiting = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        if how == "task":
            waiting.cancel()
        for _ in range(300):
            await asyncio.sleep(0)
        early, asked = waiting.done(), job.times
        job.set_result("done")
        await asyncio.wait((waiting,))
        return early, waiting.cancelled(), asked

    early, cancelled, asked = run(main())
    assert not early
    assert cancelled is (how == "task")
    assert asked < 30
