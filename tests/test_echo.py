"""What is learnt of echoes, from whom, and how much of it is kept."""

from typing import Any

import pytest
from intents import record

from gmi_video._echo import REMEMBERED, Echoes, trace

SENT = {"prompt": "eagle", "duration": 5, "image": None}


@pytest.mark.parametrize(
    ("echo", "learnt"),
    [
        ({"prompt": "eagle", "duration": "5"}, "faithful"),
        ({"prompt": "eagle", "duration": 5, "ratio": "16:9"}, "faithful"),
        ({"prompt": "eagle"}, "altered"),
        ({"prompt": "an eagle", "duration": 5}, "altered"),
        ({}, "silent"),
    ],
)
def test_the_first_record_of_ours_shows_what_is_echoed(echo: dict[str, Any], learnt: str) -> None:
    """All that was sent, something else, or nothing; of this model and these names, and of no others."""
    echoes = Echoes()
    echoes.submitted("r", "Veo3", SENT)
    echoes.shown(record("somebody's", SENT), "list")
    before = echoes.of("Veo3", SENT)
    echoes.shown(record("r", echo), "look")

    assert before is None
    assert echoes.of("Veo3", SENT) == learnt
    assert echoes.of("Veo3", {"prompt": "eagle"}) is None
    assert echoes.of("sora-2-pro", SENT) is None
    assert echoes.faithful("Veo3") == ({frozenset(SENT)} if learnt == "faithful" else set())


def test_an_adoption_teaches_too() -> None:
    """A record that was found says what its model echoes; an empty payload says nothing."""
    echoes = Echoes()
    echoes.adopted("Veo3", SENT, record("r"))
    echoes.adopted("Veo3", {}, record("r"))

    assert (echoes.of("Veo3", SENT), echoes.of("Veo3", {})) == ("silent", None)


def test_what_is_known_is_not_waited_for_again() -> None:
    """Once learnt, no further request is remembered, nor one without a payload."""
    echoes = Echoes()
    echoes.adopted("Veo3", SENT, record("r"))
    echoes.submitted("s", "Veo3", SENT)
    echoes.submitted("t", "Veo3", {})
    echoes.shown(record("s", SENT), "list")

    assert echoes.of("Veo3", SENT) == "silent"


def test_where_nobody_looks_little_is_remembered() -> None:
    """A program that only submits does not grow; a payload of megabytes is not kept, and the newest is known."""
    echoes = Echoes()
    for number in range(REMEMBERED + 50):
        echoes.submitted(f"r{number}", "Veo3", SENT)
    kept = len(echoes._ours)
    echoes.shown(record("r0", {}), "look")
    old = echoes.of("Veo3", SENT)
    echoes.shown(record(f"r{REMEMBERED + 49}", SENT), "list")

    assert (kept, old, echoes.of("Veo3", SENT)) == (REMEMBERED, None, "faithful")
    assert sum(map(len, trace({"image": "x" * 1_000_000}).values())) == 64


def test_an_echo_too_deep_to_read_is_an_altered_one() -> None:
    """It is no proof of anything."""
    deep: Any = 0
    for _ in range(50_000):
        deep = [deep]
    echoes = Echoes()
    echoes.submitted("r", "Veo3", SENT)
    echoes.shown(record("r", {"prompt": deep}), "look")

    assert echoes.of("Veo3", SENT) == "altered"


def test_a_list_without_payloads_does_not_mean_that_there_is_no_echo() -> None:
    """The same record, looked at alone, may show it; until then nothing is learnt."""
    echoes = Echoes()
    echoes.submitted("r", "Veo3", SENT)
    echoes.shown(record("r"), "list")
    before = echoes.of("Veo3", SENT)
    echoes.shown(record("r", SENT), "look")

    assert (before, echoes.of("Veo3", SENT)) == (None, "faithful")
