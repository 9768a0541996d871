"""The list of models, as a door that describes them whole sends it."""

import json

from gmi_video._offered import Offered, read_offered
from gmi_video.wire import Reply, models_call


def offered(*items: object) -> Offered:
    """What is read of a list with these entries."""
    body = json.dumps({"models": items}).encode()
    return read_offered(models_call(), Reply(status=200, body=body))


def test_an_odd_entry_takes_nothing_from_the_others() -> None:
    """What describes no model is left out, and the list is read all the same."""
    whole = {"model": "a", "parameters": [{"name": "prompt"}]}
    found = offered(whole, {"id": 5, "parameters": [{"name": "prompt"}]}, None, 7, {"model": {"odd": 1}}, "b")

    assert found.ids == ("a", "b")
    assert [model.id for model in found.models] == ["a"]


def test_an_entry_without_parameters_does_not_stand_for_the_models_own_page() -> None:
    """A summary would pass any payload for an hour, so the model is asked for by itself."""
    found = offered({"model": "a", "parameters": None}, {"model": "b", "parameters": []}, {"model": "c"})

    assert found.ids == ("a", "b", "c")
    assert found.models == ()
