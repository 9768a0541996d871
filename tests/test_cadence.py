"""What is learnt of durations, and when the next look is worth making."""

import json
from math import exp
from random import Random

import pytest
from hypothesis import given, strategies

from gmi_video._cadence import KNOWN_FROM, Cadence, Law
from gmi_video._lifetimes import EDGES, MOST, Lifetimes, bin_of
from gmi_video.errors import ConfigurationError
from gmi_video.estimate import Estimate

WORTH = 0.16


def durations(count: int, *, median: float = 90.0, sigma: float = 0.5, seed: int = 1) -> list[float]:
    """Lognormal durations."""
    rng = Random(seed)
    return [median * exp(rng.gauss(0, sigma)) for _ in range(count)]


def taught(count: int = 2000, model: str = "Veo3") -> Cadence:
    """A cadence that saw so many requests end."""
    cadence = Cadence()
    for duration in durations(count):
        cadence.of(model).ended(0.0, duration)
    return cadence


def law_of(cadence: Cadence) -> Law:
    """The law of its one model."""
    law = cadence.law("Veo3")
    assert law is not None
    return law


def estimate_of(cadence: Cadence) -> Estimate:
    """What it says of its one model."""
    found = cadence.typical("Veo3")
    assert found is not None
    return found


@given(strategies.floats(0, 1e7))
def test_every_age_has_its_bin(age: float) -> None:
    """An age lies between the edges of its bin; what is older than the last edge is in the last bin."""
    index = bin_of(age)

    assert EDGES[index] <= age * (1 + 1e-9)
    assert age < EDGES[index + 1] * (1 + 1e-9) or index == len(EDGES) - 2


def test_nothing_is_said_of_a_model_that_few_ended_of() -> None:
    """Four ends are no knowledge, five are."""
    assert taught(KNOWN_FROM - 1).typical("Veo3") is None
    assert taught(KNOWN_FROM).typical("Veo3") is not None
    assert Cadence().typical("Veo3") is None


def test_the_median_is_learnt() -> None:
    """Of lognormal durations around 90 s the median and the usual span come out within a tenth."""
    estimate = estimate_of(taught())

    assert estimate.median == pytest.approx(90, rel=0.1)
    assert estimate.usual[0] == pytest.approx(90 * exp(-1.2816 * 0.5), rel=0.1)
    assert estimate.usual[1] == pytest.approx(90 * exp(1.2816 * 0.5), rel=0.1)


def test_requests_that_still_run_count() -> None:
    """A model is not taken for fast because only its fast requests have ended so far."""
    cadence = Cadence()
    now = 60.0
    for duration in durations(2000):
        if duration <= now:
            cadence.of("Veo3").ended(0.0, duration)
        else:
            cadence.of("Veo3").lived(0.0, now)

    assert estimate_of(cadence).quantiles[3] == pytest.approx(90 * exp(-0.8416 * 0.5), rel=0.1)
    assert estimate_of(cadence).median > now


def test_no_look_is_made_before_anything_ever_ended() -> None:
    """The first look falls where ends begin, not before."""
    law = law_of(taught())

    assert 20 < law.wait(0.0, WORTH) < 40


def test_looks_are_dense_where_ends_are() -> None:
    """The interval follows the hazard: at the median it is about √(2 · worth / hazard)."""
    law = law_of(taught())
    hazard = 0.0177  # of the lognormal law at its median: density / survival

    assert law.rate(90.0) == pytest.approx(hazard, rel=0.15)
    assert law.wait(90.0, WORTH) == pytest.approx((2 * WORTH / hazard) ** 0.5, rel=0.15)
    assert law.wait(30.0, WORTH) > law.wait(90.0, WORTH)


def test_a_dearer_look_is_made_later() -> None:
    """Four times the worth of a look makes the intervals about twice as long."""
    law = law_of(taught())

    assert law.wait(90.0, 4 * WORTH) == pytest.approx(2 * law.wait(90.0, WORTH), rel=0.2)


def test_by_looks_alone_a_known_model_costs_what_is_possible() -> None:
    """Calls times delay of a known model come within a twentieth of the best that looks can do."""
    law = law_of(taught(3000))
    calls = delay = 0.0
    ends = durations(500, seed=9)
    for end in ends:
        age = 0.0
        while age < end:
            age += max(1.0, min(30.0, law.wait(age, WORTH)))
            calls += 1
        delay += age - end
    product = calls * delay / len(ends) ** 2

    assert product == pytest.approx(37.3, rel=0.08)  # ½ (∫ √(survival · density) dt)² of that lognormal law


@given(strategies.floats(0, 1e9), strategies.floats(0, 1e9))
def test_a_fraction_never_falls_and_never_reaches_one(one: float, other: float) -> None:
    """A bar drawn from an estimate moves forward only, and is not full before the end."""
    estimate = Estimate(model="m", seen=9, quantiles=(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13))
    low, high = sorted((one, other))

    assert 0 <= estimate.fraction(low) <= estimate.fraction(high) < 1


@given(strategies.floats(0, 1e6))
def test_what_remains_is_a_span(elapsed: float) -> None:
    """The span that remains is never negative, nor turned round."""
    low, high = estimate_of(taught(50)).remaining(elapsed)

    assert 0 <= low <= high


def test_what_remains_follows_from_what_passed() -> None:
    """Of a request that has run for the median, half of the law is gone: the rest of it gives the span."""
    low, high = estimate_of(taught()).remaining(90.0)

    assert low == pytest.approx(90 * exp(0.1257 * 0.5) - 90, abs=3)  # the 55th of 100
    assert high == pytest.approx(90 * exp(1.6449 * 0.5) - 90, rel=0.15)  # the 95th


def test_an_estimate_is_data() -> None:
    """An estimate is written as a dict and read back equal."""
    estimate = estimate_of(taught())

    assert Estimate.from_dict(json.loads(json.dumps(estimate.as_dict()))) == estimate


def test_what_was_learnt_is_handed_on() -> None:
    """The next session says what this one said, from a text of a few KB."""
    cadence = taught()
    text = cadence.export()
    handed = estimate_of(Cadence(text))

    assert handed.quantiles == pytest.approx(estimate_of(cadence).quantiles, rel=1e-3)
    assert len(text) < 4096


def test_two_sessions_are_added() -> None:
    """Merging gives what one session that had seen all would know."""
    both, one, other = Lifetimes(), Lifetimes(), Lifetimes()
    for index, duration in enumerate(durations(200)):
        (one if index % 2 else other).ended(0.0, duration)
        both.ended(0.0, duration)
    one.merge(other)

    assert one.hazards() == pytest.approx(both.hazards())


def test_the_past_fades() -> None:
    """A model that became slow is known to be slow after some thousands of requests."""
    cadence = taught(MOST)
    for duration in durations(3 * MOST, median=300.0):
        cadence.of("Veo3").ended(0.0, duration)

    assert estimate_of(cadence).median == pytest.approx(300, rel=0.15)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format":2,"models":{}}',
        '{"format":1,"models":{"m":{}}}',
        '{"format":1,"models":{"m":{"total":1,"ended":{"999":1},"parts":{},"steps":{}}}}',
        '{"format":1,"models":{"m":{"total":1e9,"ended":{},"parts":{},"steps":{}}}}',
        '{"format":1,"models":{"m":{"total":1,"ended":[1],"parts":{},"steps":{}}}}',
        '{"format":1,"models":{"m":{"total":1,"ended":{"3":-5},"parts":{},"steps":{}}}}',
        '{"format":1,"models":{"m":{"total":1,"ended":{"3":1e300},"parts":{},"steps":{}}}}',
    ],
)
def test_what_is_no_cadence_is_refused(text: str) -> None:
    """A text that no session exported is a `ConfigurationError`, and teaches nothing."""
    cadence = taught()

    with pytest.raises(ConfigurationError):
        cadence.merge(text)
    assert estimate_of(cadence).seen == 2000
