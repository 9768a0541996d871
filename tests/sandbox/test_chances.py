from collections import Counter

import pytest

from gmi_video.sandbox import Behaviour, Faults, Script
from gmi_video.sandbox.chances import Dice
from gmi_video.sandbox.faults import NAMED, Edge, Fault, HangUp, Silence
from gmi_video.sandbox.script import Reading


def drawn(faults: Faults, operation: str = "submit", calls: int = 10_000) -> list[Fault | None]:
    """What so many calls of an operation meet."""
    dice = Dice(faults)
    return [dice.next(operation) for _ in range(calls)]


def test_each_fault_meets_its_share_of_the_calls() -> None:
    """Of ten thousand calls a tenth and a twentieth meet the faults that say so, the others none."""
    met = Counter(drawn(Faults(submit={"drop_after_accept": 0.1, Edge(status=504): 0.05})))

    assert 900 < met[HangUp()] < 1100
    assert 430 < met[Edge(status=504)] < 570
    assert met.total() - met[HangUp()] - met[Edge(status=504)] == met[None]


def test_one_seed_is_one_run() -> None:
    """The same seed draws the same, another seed otherwise, and no operation shifts another's draws."""
    shares: dict[Fault, float] = {HangUp(): 0.5}
    dice = Dice(Faults(submit=shares, look=shares, seed=1))
    mixed = [(dice.next("look"), dice.next("submit"))[1] for _ in range(100)]

    assert mixed == drawn(Faults(submit=shares, seed=1), calls=100)
    assert mixed != drawn(Faults(submit=shares, seed=2), calls=100)


def test_a_call_can_be_named() -> None:
    """The n-th call of an operation meets what its number says, and shifts no other draw."""
    plain = drawn(Faults(look={Silence(): 0.3}), "look", 20)
    named = drawn(Faults(look={Silence(): 0.3}, nth={"look": {1: "truncate", 7: HangUp()}}), "look", 20)

    assert (named[0], named[6]) == (NAMED["truncate"], HangUp())
    assert [f for n, f in enumerate(named) if n not in {0, 6}] == [
        f for n, f in enumerate(plain) if n not in {0, 6}
    ]


def test_an_operation_of_no_chance_is_healthy() -> None:
    """What the value does not speak of meets nothing, unknown operations included."""
    assert set(drawn(Faults(submit={HangUp(): 1}), "look", 50)) == {None}
    assert set(drawn(Faults(submit={HangUp(): 1}), "unknown", 50)) == {None}
    assert set(drawn(Faults(submit={HangUp(): 1}), "submit", 50)) == {HangUp()}


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"submit": {"drop": 0.1}}, "there is no fault 'drop'"),
        ({"submit": {"drop_after_accept": 0.6, "blackhole": 0.5}}, "'submit'"),
        ({"submit": {"drop_after_accept": -0.1}}, "'submit'"),
        ({"nth": {"sumbit": {1: "drip"}}}, "sumbit"),
        ({"nth": {"submit": {0: "drip"}}}, "from 1 on"),
        ({"connect": {"drip": 0.1}}, "before its first call"),
        ({"connect": {"drop_after_accept": 0.1}}, "before its first call"),
        ({"nth": {"connect": {2: "late"}}}, "before its first call"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(said: dict[str, object], complaint: str) -> None:
    """A wrong name, share or number fails where it is written."""
    with pytest.raises(ValueError, match=complaint):
        Faults(**said)  # type: ignore[arg-type]  # wrong on purpose


def test_a_row_goes_before_a_draw() -> None:
    """Where a row names a fault for its call, that one happens; elsewhere rows and draws go together."""
    rows = (Behaviour(fault=Silence()), Behaviour(cut=3))
    reading = Reading(Script(looks=rows, faults=Faults(look={HangUp(): 1})))

    assert reading.next("look").fault == Silence()
    assert reading.next("look") == Behaviour(cut=3, fault=HangUp())
    assert reading.next("look") == Behaviour(fault=HangUp())


def test_every_name_stands_for_a_fault_of_its_own() -> None:
    """No two names mean the same, and every kind of fault has a name."""
    assert len(set(NAMED.values())) == len(NAMED)
    assert {type(fault) for fault in NAMED.values()} == set(Fault.__args__)
