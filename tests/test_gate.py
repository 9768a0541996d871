"""The gate: calls stand in line, tell what became of them, and are not kept by who goes away."""

import asyncio
from random import Random

import pytest

from gmi_video import errors
from gmi_video._gate import Gate, heard_of
from gmi_video._governor import FIRST, UNSAID, Governor
from gmi_video.testing import VirtualLoop, run
from gmi_video.wire import Reply

THROTTLED = Reply(
    status=429,
    body=b'{"error":"x","rate_limit":{"limit_type":"RPM","limit":2,"interval_seconds":60,"retry_after_ms":29970}}',
)


class Api:
    """An API that answers after a while, and counts who is there at once."""

    def __init__(self, reply: Reply | None = None, *, seconds: float = 1.0) -> None:
        self.reply = reply or Reply(status=200)
        self.seconds = seconds
        self.flying = self.peak = self.calls = 0

    async def __call__(self) -> Reply:
        self.calls += 1
        self.flying += 1
        self.peak = max(self.peak, self.flying)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.flying -= 1
        return self.reply


def test_calls_beyond_the_window_stand_in_line() -> None:
    """Of twenty calls at once four go at first, and all come back."""

    async def main() -> None:
        gate, api = Gate(Governor(Random(0))), Api()
        calls = [asyncio.create_task(gate.call("poll", "interactive", api)) for _ in range(20)]
        await asyncio.sleep(0.5)
        first = api.flying
        await asyncio.gather(*calls)
        gate.close()

        assert first == FIRST
        assert (api.calls, gate.governor.waiting, gate.governor.calls.flying) == (20, 0, 0)

    run(main())


def test_who_is_cancelled_in_line_takes_no_turn() -> None:
    """A caller that goes away while it waits is never sent, and holds nobody up."""

    async def main() -> None:
        gate, api = Gate(Governor(Random(0))), Api()
        calls = [asyncio.create_task(gate.call("poll", "interactive", api)) for _ in range(FIRST + 3)]
        await asyncio.sleep(0.5)
        calls[FIRST].cancel()
        calls[0].cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        gate.close()

        assert api.calls == FIRST + 2
        assert gate.governor.calls.flying == 0

    run(main())


def test_a_submission_does_not_stand_for_longer_than_it_may() -> None:
    """After `wait` seconds in line it raises `RateLimited` with the time that is left, and nothing was sent."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        gate = Gate(Governor(Random(0)))
        turn = await gate.stand("submit", "interactive", "seedream")
        call = object()
        gate.begin(call, turn)
        gate.answered(call, THROTTLED)
        gate.end(call)
        begun = loop.time()
        with pytest.raises(errors.RateLimited) as caught:
            await gate.stand("submit", "interactive", "seedream", 5.0)
        gate.close()

        assert loop.time() - begun == pytest.approx(5.0)
        assert caught.value.retry_after == pytest.approx(29.97 - 5, abs=4)
        assert caught.value.charged == "no"
        assert gate.governor.waiting == 0

    run(main())


def test_a_transport_that_fails_is_heard() -> None:
    """Three broken calls in a row are a service that is away; the next call is its probe, seconds later."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        gate, api = Gate(Governor(Random(0))), Api()

        async def broken() -> Reply:
            raise errors.Unreachable("refused")

        for _ in range(3):
            with pytest.raises(errors.Unreachable):
                await gate.call("poll", "interactive", broken)
        begun = loop.time()
        away = gate.governor.away
        await gate.call("poll", "interactive", api)
        gate.close()

        assert away
        assert loop.time() - begun > api.seconds + 0.05
        assert not gate.governor.away

    run(main())


@pytest.mark.parametrize(
    ("reply", "kind", "result"),
    [
        (Reply(status=200), "poll", "ok"),
        (Reply(status=404), "poll", "ok"),
        (Reply(status=500), "submit", "ok"),
        (Reply(status=500), "poll", "trouble"),
        (Reply(status=502), "submit", "trouble"),
        (Reply(status=503, body=b"<html>"), "submit", "throttled"),
        (Reply(status=503), "poll", "trouble"),
        (THROTTLED, "submit", "throttled"),
    ],
)
def test_answers_are_heard_for_what_they_say_of_the_load(reply: Reply, kind: str, result: str) -> None:
    """A refusal of one request is no trouble; a limit is; a 503 to a submission speaks of its model."""
    assert heard_of(reply, kind).result == result  # type: ignore[arg-type]  # a kind as a word


def test_what_a_429_states_is_read() -> None:
    """The limit, its interval and the time to wait come from the body as it was seen in production."""
    heard = heard_of(THROTTLED, "submit")

    assert (heard.limit, heard.interval, heard.retry_after) == (2, 60.0, 29.97)


def blocking(seconds: float) -> None:
    """What a long computation in user code is to the loop: the clock goes on, and nothing else does."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.advance(seconds)


@pytest.mark.parametrize("seconds", [1.0, 5.0])
def test_trouble_while_the_loop_stood_still_closes_nothing(seconds: float) -> None:
    """Calls that break because user code held the loop leave window, rate and probes as they were."""

    async def main() -> None:
        gate = Gate(Governor(Random(0)))

        async def broken() -> Reply:
            await asyncio.sleep(2)
            raise errors.Interrupted("the connection broke")

        calls = [asyncio.create_task(gate.call("poll", "interactive", broken)) for _ in range(FIRST)]
        await asyncio.sleep(0.9)
        blocking(seconds)
        await asyncio.gather(*calls, return_exceptions=True)
        gate.close()

        assert not gate.governor.away
        assert (gate.governor.calls.size, gate.governor.calls.touched) == (FIRST, False)
        assert gate.governor.flying == 0

    run(main())


def test_a_time_out_while_the_loop_stood_still_is_no_time_out() -> None:
    """An answer that came while user code held the loop is asked for again instead of being called late."""

    async def main() -> None:
        gate, sent = Gate(Governor(Random(0))), 0

        async def send() -> Reply:
            nonlocal sent
            sent += 1
            try:
                async with asyncio.timeout(3):
                    await asyncio.sleep(0.1 if sent > 1 else 4)
            except TimeoutError:
                raise errors.TimedOut("no complete answer within 3 s") from None
            return Reply(status=200)

        call = asyncio.create_task(gate.call("poll", "interactive", send))
        await asyncio.sleep(0.6)
        blocking(5)
        reply = await call
        gate.close()

        assert (reply.status, sent) == (200, 2)
        assert not gate.governor.calls.touched

    run(main())


def test_a_time_out_of_the_services_own_is_one() -> None:
    """Where the loop turned all the time a call that ran out of time is not repeated, and is heard."""

    async def main() -> None:
        gate, sent = Gate(Governor(Random(0))), 0

        async def send() -> Reply:
            nonlocal sent
            sent += 1
            await asyncio.sleep(30)
            raise errors.TimedOut("no complete answer within 30 s")

        for _ in range(2):
            with pytest.raises(errors.TimedOut):
                await gate.call("poll", "interactive", send)
        gate.close()

        assert sent == 2
        assert gate.governor.calls.touched

    run(main())


def test_an_idle_gate_leaves_no_alarm() -> None:
    """Once the last call is over, the loop is not woken any more: the clock stops."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        gate, api = Gate(Governor(Random(0))), Api()
        await gate.call("poll", "interactive", api)
        await asyncio.sleep(1)

        assert not [timer for timer in loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]  # asyncio has no other way to ask
        gate.close()

    run(main())


def test_who_goes_away_with_its_turn_in_hand_gives_it_back() -> None:
    """A caller that is cancelled in the very moment of its turn leaves the place to the next."""

    async def main() -> None:
        gate, now = Gate(Governor(Random(0))), asyncio.get_running_loop().time()
        held = [await gate.stand("poll", "interactive") for _ in range(FIRST)]
        first, second = (asyncio.create_task(gate.stand("poll", "interactive")) for _ in range(2))
        await asyncio.sleep(0)
        gate.governor.done(held[0], UNSAID, now)
        gate.pump()
        first.cancel()
        turn = await second

        assert turn.granted == now
        assert first.cancelled()
        assert gate.governor.flying == FIRST
        gate.close()

    run(main())


def test_closing_leaves_no_alarm() -> None:
    """A gate that is closed while a call waits for its time wakes nobody any more."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        gate = Gate(Governor(Random(0), ceiling=0.1))
        await gate.stand("poll", "interactive")
        standing = asyncio.create_task(gate.stand("poll", "interactive"))
        await asyncio.sleep(0.01)
        gate.close()

        assert not [timer for timer in loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]  # asyncio has no other way to ask
        standing.cancel()
        await asyncio.gather(standing, return_exceptions=True)
        gate.close()

    run(main())
