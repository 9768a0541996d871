"""The same where nothing is echoed, or other writers submit equal payloads."""

from attrs import evolve
from intents import intent, record
from judging import EAGLE, FAITHFUL, RIVER, SEEDED, found, of

from gmi_video._ledger import judge
from gmi_video._matter import Matter


def test_without_an_echo_a_lone_one_is_found_by_number() -> None:
    """One lost, one record of its time, nobody sending: there is one possibility."""
    assert found(Matter(ambiguous=[intent("a", EAGLE)], listed=[record("r")])) == {"a": "adopt r"}


def test_without_an_echo_an_empty_payload_is_found_as_well() -> None:
    """Its echo is empty because it is."""
    assert found(Matter(ambiguous=[intent("a", {})], listed=[record("r")])) == {"a": "adopt r"}


def test_without_an_echo_two_payloads_cannot_be_told_apart() -> None:
    """With as many records as intents no later list could help; both ids are named, and certain."""
    both = [intent("a", EAGLE), intent("b", RIVER)]
    findings = judge(Matter(ambiguous=both, listed=[record("r"), record("s")]))

    for finding in findings.values():
        assert (finding.outcome, finding.candidates, finding.certain) == ("undecidable", ("r", "s"), True)


def test_without_an_echo_a_missing_record_may_still_come() -> None:
    """One record for two payloads decides nothing, and is a candidate of both: neither is absent."""
    both = [intent("a", EAGLE), intent("b", RIVER)]
    findings = judge(Matter(ambiguous=both, listed=[record("r")]))

    for finding in findings.values():
        assert (finding.outcome, finding.candidates, finding.certain) == ("wait", ("r",), False)


def test_without_an_echo_equal_payloads_need_only_their_number() -> None:
    """Two equal ones and one record: one is found, the other waits."""
    both = [intent("a", EAGLE), intent("b", EAGLE)]

    assert found(Matter(ambiguous=both, listed=[record("r")])) in (
        {"a": "adopt r", "b": "wait"},
        {"a": "wait", "b": "adopt r"},
    )


def test_without_an_echo_one_record_too_many_is_somebody_elses() -> None:
    """Which one it is cannot be known, and it is certain of nothing."""
    finding = of(Matter(ambiguous=[intent("a", EAGLE)], listed=[record("r"), record("s")]))

    assert (finding.outcome, finding.candidates, finding.certain) == ("undecidable", ("r", "s"), False)


def test_without_an_echo_whoever_is_sending_is_waited_for() -> None:
    """The record may be the other's, whose answer will tell; unless the other's payload is known to be echoed."""
    lost, sending = intent("a", {"image": "u"}), intent("b", EAGLE, failed=None)
    matter = Matter(ambiguous=[lost], sending=[sending], listed=[record("r")])

    both = evolve(matter, listed=[record("r"), record("s")])

    assert (of(matter).outcome, of(matter).pending) == ("wait", True)
    assert (of(both).outcome, of(both).pending) == ("wait", True)
    assert of(evolve(both, sending=(), abroad=[sending])).outcome == "undecidable"
    assert of(evolve(matter, faithful=FAITHFUL)).outcome == "adopt"
    assert of(evolve(matter, sending=(), abroad=[sending])).pending is False


def test_a_silent_record_is_not_that_of_a_payload_known_to_be_echoed() -> None:
    """Text calls of a model may be echoed where image calls are not."""
    text, image = intent("a", EAGLE), intent("b", {"image": "u"})
    matter = Matter(ambiguous=[text, image], listed=[record("r")], faithful=FAITHFUL)

    assert found(matter) == {"a": "wait", "b": "adopt r"}
    assert of(matter).candidates == ()


def test_time_decides_where_it_leaves_one_possibility() -> None:
    """Two payloads lost hours apart, each with a record of its own time."""
    both = [intent("a", EAGLE, sent=0, failed=1), intent("b", RIVER, sent=9000, failed=9001)]
    listed = [record("r", at=0), record("s", at=9000)]

    assert found(Matter(ambiguous=both, listed=listed)) == {"a": "adopt r", "b": "adopt s"}


def test_one_that_can_only_be_the_first_leaves_the_second_to_the_other() -> None:
    """Every record has an owner: what one of them must be, the other cannot be."""
    early, late = intent("a", EAGLE, sent=0, failed=1), intent("b", RIVER, sent=90, failed=91)
    listed = [record("r", at=0), record("s", at=90)]

    assert found(Matter(ambiguous=[early, late], listed=listed)) == {"a": "adopt r", "b": "adopt s"}
    assert found(Matter(ambiguous=[early, late], listed=listed[1:])) == {"a": "wait", "b": "wait"}


def test_one_that_was_given_up_may_own_the_record() -> None:
    """Unless it is certain that it is another one."""
    lost, gone = intent("a", EAGLE), intent("b", RIVER)
    matter = Matter(ambiguous=[lost], elsewhere=[gone], listed=[record("r")])

    assert found(matter) == {"a": "wait"}
    assert found(evolve(matter, among={"b": frozenset({"x", "y"})})) == {"a": "adopt r"}


def test_a_crowd_is_not_thought_through() -> None:
    """Where hundreds are lost at once without an echo, nobody is told apart, and the answer comes at once."""
    crowd = [intent(f"i{n}", sent=n / 10, failed=n / 10 + 1) for n in range(110)]
    findings = judge(Matter(ambiguous=crowd, listed=[record(f"r{n}", at=n / 10) for n in range(110)]))

    assert {finding.outcome for finding in findings.values()} == {"undecidable"}


def test_with_other_writers_an_equal_record_proves_nothing() -> None:
    """Replicas of one service send equal templates: the ids are named, and a person decides."""
    matter = Matter(ambiguous=[intent("a", EAGLE)], listed=[record("r", EAGLE)], alone=False)

    assert (of(matter).outcome, of(matter).candidates) == ("undecidable", ("r",))
    assert "other writers" in of(matter).evidence


def test_with_other_writers_a_seed_of_ours_is_proof() -> None:
    """Nobody else sends that payload."""
    lost = intent("a", SEEDED, fingerprint=True)

    assert found(Matter(ambiguous=[lost], listed=[record("r", SEEDED)], alone=False)) == {"a": "adopt r"}


def test_with_other_writers_no_equal_record_may_still_come() -> None:
    """Then there is nothing to decide yet; one that may be our own answer is waited for first."""
    lost, sending = intent("a", EAGLE), intent("b", EAGLE, failed=None)
    nothing = Matter(ambiguous=[lost], listed=[record("r", RIVER)], alone=False)
    held = Matter(ambiguous=[lost], sending=[sending], listed=[record("r", EAGLE)], alone=False)

    assert (of(nothing).outcome, of(nothing).candidates) == ("wait", ("r",))
    assert of(evolve(nothing, faithful=FAITHFUL)).candidates == ()
    assert (of(held).outcome, of(held).candidates, of(held).pending) == ("wait", ("r",), True)


def test_with_other_writers_a_silent_record_proves_nothing_whatever_the_seed() -> None:
    """A seed that is not echoed tells nobody apart."""
    lost = intent("a", SEEDED, fingerprint=True)
    finding = of(Matter(ambiguous=[lost], listed=[record("r")], alone=False))

    assert (finding.outcome, finding.candidates, finding.certain) == ("undecidable", ("r",), False)
