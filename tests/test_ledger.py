"""Which record of a list is which lost submission, by its echo and its time."""

from typing import Any

import pytest
from attrs import evolve
from intents import intent, record
from judging import EAGLE, FAITHFUL, RIVER, SEEDED, found, of

from gmi_video import State
from gmi_video._ledger import judge
from gmi_video._likeness import shape
from gmi_video._matter import Matter


@pytest.mark.parametrize(
    ("sent", "echo"),
    [
        (EAGLE, {"prompt": "eagle"}),
        ({"prompt": "eagle", "duration": 5}, {"duration": 5, "prompt": "eagle"}),
        ({"prompt": "eagle", "duration": 5}, {"prompt": "eagle", "duration": "5"}),
        ({"prompt": "eagle", "duration": "5"}, {"prompt": "eagle", "duration": 5}),
        ({"prompt": "eagle", "duration": 5}, {"prompt": "eagle", "duration": 5.0}),
        ({"prompt": "eagle ", "sound": True}, {"prompt": "eagle", "sound": "true"}),
        ({"prompt": "eagle", "negative": None}, {"prompt": "eagle"}),
        (
            {"prompt": "eagle", "camera": {"pan": 1, "zoom": None}},
            {"prompt": "eagle", "camera": {"pan": "1"}},
        ),
        (EAGLE, {"prompt": "eagle", "duration": 5, "resolution": "720p"}),
        ({"images": ["u", "v"]}, {"images": ["u", "v"], "prompt": ""}),
    ],
)
def test_a_record_with_all_that_was_sent_is_adopted(sent: dict[str, Any], echo: dict[str, Any]) -> None:
    """The service may sort, straighten and complete a payload; the request stays the same."""
    matter = Matter(ambiguous=[intent("a", sent)], listed=[record("r", echo)])

    assert found(matter) == {"a": "adopt r"}


@pytest.mark.parametrize(
    ("sent", "echo"),
    [
        (EAGLE, RIVER),
        (SEEDED, EAGLE),
        (SEEDED, {"prompt": "eagle", "seed": 8}),
        ({"seed": 9_007_199_254_740_993}, {"seed": 9_007_199_254_740_992, "prompt": ""}),
        ({"prompt": "eagle", "sound": True}, {"prompt": "eagle", "sound": 1, "x": 0}),
        ({"prompt": "eagle", "images": ["u", "v"]}, {"prompt": "eagle", "images": ["v", "u"]}),
        ({}, EAGLE),
        ({"prompt": None}, EAGLE),
    ],
)
def test_a_record_of_another_payload_is_not(sent: dict[str, Any], echo: dict[str, Any]) -> None:
    """What lacks a part of what was sent, or differs in it, is another request; an empty payload proves nothing."""
    matter = Matter(ambiguous=[intent("a", sent)], listed=[record("r", echo)])

    assert of(matter).outcome == "wait"


def test_exactly_equal_comes_before_containing() -> None:
    """A record that is one payload is not taken for another that it also contains."""
    both = [intent("a", EAGLE), intent("b", SEEDED)]

    assert found(Matter(ambiguous=both, listed=[record("r", SEEDED)])) == {"a": "wait", "b": "adopt r"}
    assert found(Matter(ambiguous=both[:1], sending=both[1:], listed=[record("r", SEEDED)])) == {"a": "wait"}


def test_a_record_that_contains_two_payloads_is_neither() -> None:
    """It is named as a candidate of both, and given to nobody."""
    both = [intent("a", EAGLE), intent("b", SEEDED)]
    matter = Matter(ambiguous=both, listed=[record("r", {**SEEDED, "duration": 5})])

    assert found(matter) == {"a": "wait", "b": "wait"}
    assert {finding.candidates for finding in judge(matter).values()} == {("r",)}
    assert not of(matter).pending


def test_a_record_that_may_be_that_of_another_payload_being_sent_is_waited_for() -> None:
    """The answer to the other one will tell."""
    lost, sending = intent("a", EAGLE), intent("b", SEEDED, failed=None)
    matter = Matter(ambiguous=[lost], sending=[sending], listed=[record("r", {**SEEDED, "duration": 5})])

    assert (of(matter).outcome, of(matter).pending) == ("wait", True)


def test_a_payload_that_nobody_looks_for_still_owns_its_record() -> None:
    """A submission that was given up keeps others from taking its record for theirs."""
    matter = Matter(
        ambiguous=[intent("a", EAGLE)], elsewhere=[intent("b", SEEDED)], listed=[record("r", SEEDED)]
    )

    assert found(matter) == {"a": "wait"}


def test_an_altered_echo_is_a_candidate_until_echoes_are_known_to_be_faithful() -> None:
    """A record of our time that is nobody's may be ours with another link in it; it is never adopted."""
    listed = [record("r", {"prompt": "eagle", "image": "https://cdn.example/1"})]
    lost = intent("a", {"prompt": "eagle", "image": "https://mine.example/1"})
    unknown = Matter(ambiguous=[lost], listed=listed)
    known = evolve(unknown, faithful={shape(lost.payload)})

    assert (of(unknown).outcome, of(unknown).candidates) == ("wait", ("r",))
    assert (of(known).outcome, of(known).candidates) == ("wait", ())
    assert of(evolve(unknown, alone=False)).candidates == ("r",)


def test_an_echo_too_deep_to_read_harms_nobody() -> None:
    """A stranger's record cannot keep others from being found."""
    deep: Any = 0
    for _ in range(50_000):
        deep = [deep]
    listed = [record("deep", {"prompt": "eagle", "x": deep}), record("r", EAGLE)]

    assert found(Matter(ambiguous=[intent("a", EAGLE)], listed=listed)) == {"a": "adopt r"}


def test_equal_payloads_take_one_record_each() -> None:
    """Two lost submissions of one payload and one record: one is found, the other has not even a candidate."""
    both = [intent("a", EAGLE), intent("b", EAGLE)]
    findings = judge(Matter(ambiguous=both, listed=[record("r", EAGLE)]))

    assert sorted(finding.outcome for finding in findings.values()) == ["adopt", "wait"]
    assert [finding.candidates for finding in findings.values() if not finding.snapshot] == [()]


def test_as_many_as_can_be_are_found() -> None:
    """A record goes to the one whose window closes first, so that the other can have the later one."""
    both = [intent("long", EAGLE, sent=0, failed=100), intent("short", EAGLE, sent=0, failed=1)]
    listed = [record("late", EAGLE, at=150), record("early", EAGLE, at=5)]

    assert found(Matter(ambiguous=both, listed=listed)) == {"long": "adopt late", "short": "adopt early"}


def test_nothing_is_adopted_that_may_be_the_record_of_one_still_being_sent() -> None:
    """An answer that comes late beats a guess: the record waits for it."""
    lost, rival = intent("a", EAGLE), intent("b", EAGLE, failed=None)
    matter = Matter(ambiguous=[lost], sending=[rival], listed=[record("r", EAGLE), record("s", EAGLE)])

    assert (of(matter).outcome, of(matter).pending) == ("wait", True)
    assert of(matter).candidates == ("r", "s")


def test_one_sent_later_is_no_rival_for_what_was_seen_before() -> None:
    """What was listed before something was sent is not it."""
    lost, rival = intent("a", EAGLE), intent("b", EAGLE, failed=None)
    matter = Matter(ambiguous=[lost], sending=[rival], listed=[record("r", EAGLE)], seen={"r": 5})

    assert of(evolve(matter, sent={"a": 1, "b": 6})).outcome == "adopt"
    assert of(evolve(matter, sent={"a": 1, "b": 4})).outcome == "wait"


def test_another_process_that_is_sending_is_a_rival_that_is_not_waited_for_without_end() -> None:
    """Whether its answer will ever come is not known here."""
    lost, rival = intent("a", EAGLE), intent("b", EAGLE, failed=None, state=State.SENDING)
    matter = Matter(ambiguous=[lost], abroad=[rival], listed=[record("r", EAGLE)])

    assert (of(matter).outcome, of(matter).pending, of(matter).candidates) == ("wait", False, ("r",))


def test_a_payload_of_another_kind_is_no_rival() -> None:
    """Healthy traffic of other prompts holds nobody up."""
    matter = Matter(
        ambiguous=[intent("a", EAGLE)], sending=[intent("b", RIVER, failed=None)], listed=[record("r", EAGLE)]
    )

    assert of(matter).outcome == "adopt"


def test_what_has_an_owner_is_nobodys_else() -> None:
    """A claimed record is neither adopted nor a candidate."""
    matter = Matter(ambiguous=[intent("a", EAGLE)], listed=[record("r", EAGLE)], claimed={"r": "z"})

    assert (of(matter).outcome, of(matter).candidates) == ("wait", ())


def test_what_it_owns_itself_it_is() -> None:
    """A process killed between claiming an id and writing it down is finished by another."""
    matter = Matter(ambiguous=[intent("a", EAGLE)], listed=[record("r")], claimed={"r": "a"})

    assert (of(matter).outcome, of(matter).evidence) == (
        "adopt",
        "the store has it that this request is its own",
    )


@pytest.mark.parametrize(
    ("at", "slack", "settle", "adopted"),
    [
        (96.4, 1.5, 120, False),
        (96.6, 1.5, 120, True),
        (97.9, 0, 120, False),
        (98, 0, 120, True),
        (224.4, 1.5, 120, True),
        (224.6, 1.5, 120, False),
        (104.4, 1.5, 0, True),
        (104.6, 1.5, 0, False),
        (-199, 300, 120, True),
        (None, 0, 0, True),
    ],
)
def test_only_a_record_of_its_own_time_is_taken(
    at: float | None, slack: float, settle: float, adopted: bool
) -> None:
    """From two seconds before it was sent to `settle` after it was lost, each give or take the clock's slack."""
    lost = intent("a", EAGLE, sent=100, failed=101, slack=slack)
    matter = Matter(ambiguous=[lost], listed=[record("r", EAGLE, at=at)], settle=settle)

    assert of(matter).outcome == ("adopt" if adopted else "wait")


@pytest.mark.parametrize(("at", "candidates"), [(37.9, ()), (38.1, ("r",)), (282.9, ("r",)), (283.1, ())])
def test_a_record_of_nearly_its_time_is_a_candidate_and_no_more(
    at: float, candidates: tuple[str, ...]
) -> None:
    """The service's clocks may differ by a minute: it is not adopted, and nothing is absent while it is there."""
    matter = Matter(ambiguous=[intent("a", EAGLE, sent=100, failed=101)], listed=[record("r", EAGLE, at=at)])

    assert (of(matter).outcome, of(matter).candidates) == ("wait", candidates)


def test_without_an_echo_nobody_is_told_apart_by_less_than_a_minute() -> None:
    """A clock that steps would turn two requests around."""
    both = [intent("a", EAGLE, sent=0, failed=1), intent("b", RIVER, sent=55, failed=56)]

    assert found(Matter(ambiguous=both, listed=[record("r", at=50)], settle=0)) == {"a": "wait", "b": "wait"}
    assert found(Matter(ambiguous=both, listed=[record("r", at=64)], settle=0)) == {
        "a": "wait",
        "b": "adopt r",
    }


def test_one_that_may_still_be_running_has_no_end_of_time() -> None:
    """Of what was sent and never ended, any later record may be its."""
    matter = Matter(
        ambiguous=[intent("a", EAGLE, failed=None)], listed=[record("r", EAGLE, at=90_000)], settle=0
    )

    assert of(matter).outcome == "adopt"


def test_what_was_seen_before_it_was_sent_is_not_it() -> None:
    """Two moments of this session need no clock, and no slack."""
    lost = intent("a", EAGLE, slack=300)
    matter = Matter(ambiguous=[lost], listed=[record("r", EAGLE)], seen={"r": 3}, sent={"a": 4})

    assert of(matter).outcome == "wait"
    assert of(evolve(matter, sent={"a": 2})).outcome == "adopt"
    assert of(evolve(matter, sent={})).outcome == "adopt"


def test_a_refused_submission_finds_its_failed_record() -> None:
    """The reason of a backend's refusal stands in a record that nobody was told of."""
    matter = Matter(refused=[intent("a", EAGLE)], listed=[record("r", EAGLE, status="failed")])

    assert found(matter) == {"a": "refused r"}


def test_a_refused_submission_is_no_record_that_runs() -> None:
    """It owns failed records, and no others."""
    matter = Matter(refused=[intent("a", EAGLE)], listed=[record("r", EAGLE)])

    assert found(matter) == {"a": "wait"}


def test_a_hidden_failed_record_is_not_adopted_by_another() -> None:
    """It belongs to the refused one, which need not look for it any more."""
    refused, lost = intent("a", EAGLE, status=500), intent("b", EAGLE)
    listed = [record("r", EAGLE, status="failed"), record("s", EAGLE)]
    matter = Matter(refused=[refused], ambiguous=[lost], listed=listed)

    assert found(matter) == {"a": "refused r", "b": "adopt s"}
    assert found(evolve(matter, listed=listed[:1])) == {"a": "refused r", "b": "wait"}


def test_a_silent_failed_record_gives_a_reason_to_a_lone_refusal() -> None:
    """Of two it is not known whose it is; it is taken from the lost ones all the same."""
    one, other = intent("a", EAGLE, status=500), intent("b", RIVER, status=500)
    lost, listed = intent("c", {"prompt": "cloud"}), [record("r", status="failed")]

    assert found(Matter(refused=[one], listed=listed)) == {"a": "refused r"}
    assert found(Matter(refused=[one, other], listed=listed)) == {"a": "wait", "b": "wait"}
    assert found(Matter(refused=[one, other], ambiguous=[lost], listed=listed))["c"] == "wait"
    assert found(Matter(refused=[one], listed=listed, faithful=FAITHFUL)) == {"a": "wait"}


@pytest.mark.parametrize(
    ("status", "state", "outcome"),
    [
        (502, "failed", "refused"),
        (None, "failed", "adopt"),
        (200, "failed", "adopt"),
        (502, "queued", "adopt"),
    ],
)
def test_a_failed_record_after_a_5xx_is_a_refusal(status: int | None, state: str, outcome: str) -> None:
    """A submission that was not refused, and failed later, is a request like any other."""
    lost = intent("a", EAGLE, status=status)

    assert of(Matter(ambiguous=[lost], listed=[record("r", EAGLE, status=state)])).outcome == outcome
