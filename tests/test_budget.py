"""What may be spent on repeating calls: tokens that failures take and successes give back."""

from random import Random

import pytest

from gmi_video import errors
from gmi_video._budget import CLEAN, FULL, THROTTLED, TRANSIENT, Budget
from gmi_video._patient import patient
from gmi_video.settings import Patience
from gmi_video.testing import run

BROKEN = errors.Interrupted("the connection broke")
PATIENCE = Patience(attempts=6, first=0.1, longest=1)


@pytest.mark.parametrize(
    ("error", "price"),
    [
        (BROKEN, TRANSIENT),
        (errors.ServiceError("x", status=502), TRANSIENT),
        (errors.RateLimited("x", status=429), THROTTLED),
        (errors.Unreachable("refused"), 0.0),
    ],
)
def test_a_repetition_costs_what_its_cause_puts_on_the_service(
    error: errors.GmiVideoError, price: float
) -> None:
    """Trouble is dear, a stated limit is cheap, and what never reached the service takes nothing."""
    budget = Budget()

    assert budget.spend(error) == price
    assert budget.left == FULL - price


def test_success_gives_back_what_its_repetition_took() -> None:
    """After a repetition that helped the bucket is as it was; a clean call adds one, up to the brim."""
    budget = Budget()
    first = budget.spend(BROKEN)
    second = budget.spend(BROKEN)
    assert first == second == TRANSIENT
    budget.refund(second)
    half = budget.left
    budget.refund(0.0)

    assert (half, budget.left) == (FULL - TRANSIENT, FULL - TRANSIENT + CLEAN)

    for _ in range(100):
        budget.refund(0.0)

    assert budget.left == FULL


def test_where_everything_fails_patience_does_not_multiply_the_load() -> None:
    """A thousand calls to a service in trouble become little more than a thousand, though each may try six times."""

    async def main() -> int:
        budget, rng = Budget(), Random(0)
        sent = 0

        async def attempt() -> None:
            nonlocal sent
            sent += 1
            raise errors.ServiceError("x", status=502)

        for _ in range(1000):
            with pytest.raises(errors.ServiceError):
                await patient(attempt, PATIENCE, rng, budget)
        return sent

    assert run(main()) == 1000 + FULL // TRANSIENT


def test_an_empty_budget_fills_again_once_the_service_is_well() -> None:
    """Repetitions are made again after as many clean calls as one of them takes tokens."""

    async def main() -> None:
        budget, rng = Budget(), Random(0)
        budget.left = 0.0
        told: list[Exception | None] = []

        async def attempt() -> str:
            if told and (error := told.pop()) is not None:
                raise error
            return "well"

        told.append(BROKEN)
        with pytest.raises(errors.Interrupted) as caught:
            await patient(attempt, PATIENCE, rng, budget)
        for _ in range(int(TRANSIENT / CLEAN)):
            await patient(attempt, PATIENCE, rng, budget)
        told.append(errors.Interrupted("the connection broke"))

        assert caught.value.attempts == 1
        assert await patient(attempt, PATIENCE, rng, budget) == "well"

    run(main())
