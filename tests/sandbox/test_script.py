from itertools import repeat

from gmi_video.sandbox import Behaviour, Script
from gmi_video.sandbox.behaviour import SILENT
from gmi_video.sandbox.script import Reading

BAD = Behaviour.edge(502)


def test_behaviours_are_taken_in_order_and_then_calls_are_healthy() -> None:
    """Each call of a kind takes the next behaviour; None and the time after the last are healthy."""
    reading = Reading(Script(looks=(BAD, None, BAD)))

    assert [reading.next("look") for _ in range(5)] == [BAD, SILENT, BAD, SILENT, SILENT]
    assert reading.next("list") is SILENT


def test_model_list_and_model_detail_share_one_row() -> None:
    """The catalog's two calls take from one row."""
    reading = Reading(Script(catalog=(BAD,)))

    assert [reading.next("model"), reading.next("models")] == [BAD, SILENT]


def test_an_endless_row_never_ends() -> None:
    """A row may be any iterable, an endless one too."""
    reading = Reading(Script(submissions=repeat(BAD)))

    assert {reading.next("submit") for _ in range(50)} == {BAD}


def test_a_call_of_no_kind_is_healthy() -> None:
    """What is no known operation takes from no row."""
    assert Reading(Script(looks=(BAD,))).next("unknown") is SILENT


def test_layers_go_from_nature_over_all_to_the_model() -> None:
    """A model's own behaviour wins over that of all models, and that over its nature."""
    script = Script(models={"*": Behaviour(seconds=2, fails="all"), "m": Behaviour(seconds=3)})
    reading = Reading(script)

    nature = Behaviour(seconds=1, median=9)
    assert reading.model("m", nature) == Behaviour(seconds=3, fails="all", median=9)
    assert reading.model("n", nature) == Behaviour(seconds=2, fails="all", median=9)


def test_a_key_expires_at_the_call_that_the_script_names() -> None:
    """From the n-th call on the key is dead; without a word it lives for ever."""
    dying, living = Reading(Script(unauthorized_from=3)), Reading(Script())

    assert [dying.key_expired() for _ in range(4)] == [False, False, True, True]
    assert not any(living.key_expired() for _ in range(4))
